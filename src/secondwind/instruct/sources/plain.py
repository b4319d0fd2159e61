"""JSONL of finished pairs, as most instruction collections are exported.

    {"inputs": "Translate: good day", "targets": "guten Tag", "task": "translation"}
    {"instruction": "Translate.", "input": "good day", "output": "guten Tag"}   "Translate.\\n\\ngood day"

    inputs     inputs input source prompt question instruction
    targets    targets target output completion response answer      one string, or a list of accepted ones
    task       task task_name _task_name                             optional: else the file is one task

An instruction (`instruction`, `definition`) may stand beside what it is about (`input`, `inputs`,
`context`); empty fields count as absent. Where two names of one kind hold different texts, nobody can say
which is meant: the row is refused and counted.

Such rows have been phrased already, so they are shown as they are; options and exemplar borders are
not known any more. An own format should keep raw fields instead.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from secondwind.data.documents import Faults
from secondwind.data.formats import JSON_LINES, DataFile
from secondwind.errors import DataError
from secondwind.instruct.library import PLAIN_TEMPLATES
from secondwind.instruct.sources.found import LoadedTasks, stem, task_files
from secondwind.instruct.sources.lines import json_objects, strings
from secondwind.instruct.task import Record, Task

COLLECTION = "plain"

INPUT_NAMES = ("inputs", "input", "source", "prompt", "question", "instruction")
TARGET_NAMES = ("targets", "target", "output", "completion", "response", "answer")
TASK_NAMES = ("task", "task_name", "_task_name")
# Alpaca, Dolly and the exports of Natural Instructions keep these two apart.
_INSTRUCTION_NAMES = ("instruction", "definition")
_CONTENT_NAMES = ("inputs", "input", "context")
_PROMPT_NAMES = ("source", "prompt", "question")


class _UnusableError(Exception):
    """A row cannot be used; becomes an entry in `Faults`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def read_tasks(path: str | Path, *, faults: Faults) -> tuple[Task, ...]:
    """Read rows of inputs and targets, grouped by task.

    Raises:
        DataError: the path is missing, or no row could be read.
    """
    return read_files(task_files(path, kinds=JSON_LINES), faults=faults).tasks


def read_files(files: Sequence[DataFile], *, faults: Faults) -> LoadedTasks:
    """Read the rows of files; a task may lie in several.

    Raises:
        DataError: no row could be read.
    """
    records: dict[str, list[Record]] = {}
    sources: dict[str, str] = {}
    for file in files:
        for place, row in json_objects(file, faults=faults):
            try:
                record = Record(fields={"inputs": _inputs(row)}, answers=_answers(row), id=place)
                name = _agreed(_filled(row, TASK_NAMES) or {"": (stem(file),)}, "tasks")[0]
            except _UnusableError as fault:
                faults.add(fault.reason, place, fault.detail)
                continue
            sources.setdefault(name, stem(file))
            records.setdefault(name, []).append(record)
    if not records:
        names = ", ".join(file.name for file in files[:3])
        raise DataError(
            f"no row of {names} could be read; refused so far: {faults.to_json()}. Wanted JSON lines with "
            f"one of {', '.join(INPUT_NAMES)} and one of {', '.join(TARGET_NAMES)}."
        )
    return LoadedTasks(tuple(_task(name, rows, sources[name]) for name, rows in records.items()))


def _task(name: str, records: list[Record], source: str) -> Task:
    return Task(
        name=name,
        cluster=name,
        records=tuple(records),
        templates=PLAIN_TEMPLATES,
        source=source,
        collection=COLLECTION,
    )


def _inputs(row: Mapping[str, Any]) -> str:
    """Return what is asked: a finished prompt, or an instruction with what it is about, if anything."""
    if not _filled(row, INPUT_NAMES):
        raise _UnusableError("no inputs", f"keys {sorted(row)[:5]}, wanted one of {', '.join(INPUT_NAMES)}")
    instruction = _filled(row, _INSTRUCTION_NAMES)
    content = _filled(row, _CONTENT_NAMES)
    prompt = _filled(row, _PROMPT_NAMES)
    if prompt:
        parts = [_agreed(prompt | instruction | content, "inputs")]
    else:
        parts = [_agreed(part, "inputs") for part in (instruction, content) if part]
    if any(len(texts) > 1 for texts in parts):
        raise _UnusableError("two inputs", "a list of several strings; wanted one string")
    return "\n\n".join(text.rstrip() for (text,) in parts)


def _answers(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the accepted answers."""
    found = _filled(row, TARGET_NAMES)
    if not found:
        wanted = ", ".join(TARGET_NAMES)
        raise _UnusableError("no targets", f"keys {sorted(row)[:5]}, wanted one of {wanted}")
    return tuple(text.strip() for text in _agreed(found, "targets"))


def _filled(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the fields of these names that hold text."""
    found = {name: tuple(text for text in strings(row.get(name)) if text.strip()) for name in names}
    return {name: texts for name, texts in found.items() if texts}


def _agreed(found: Mapping[str, tuple[str, ...]], kind: str) -> tuple[str, ...]:
    """Return what all fields say."""
    if len(set(found.values())) > 1:
        raise _UnusableError(f"two {kind}", f"{' and '.join(found)} differ; wanted one of them")
    return next(iter(found.values()))
