"""JSONL of finished pairs, as most instruction collections are exported.

    {"inputs": "Translate: good day", "targets": "guten Tag", "task": "translation"}

    inputs     inputs input source prompt question instruction
    targets    targets target output completion response answer      one string, or a list of accepted ones
    task       task task_name _task_name                             optional: else the file is one task

Such rows have been phrased already, so they are shown as they are; options and exemplar borders are
not known any more. An own format should keep raw fields instead.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secondwind.data.documents import Faults
from secondwind.errors import DataError
from secondwind.instruct.library import PLAIN_TEMPLATES
from secondwind.instruct.sources.lines import data_files, json_objects, strings
from secondwind.instruct.task import Record, Task

COLLECTION = "plain"

INPUT_NAMES = ("inputs", "input", "source", "prompt", "question", "instruction")
TARGET_NAMES = ("targets", "target", "output", "completion", "response", "answer")
TASK_NAMES = ("task", "task_name", "_task_name")


def read_tasks(path: str | Path, *, faults: Faults) -> tuple[Task, ...]:
    """Read rows of inputs and targets, grouped by task.

    Raises:
        DataError: the path is missing, or no row could be read.
    """
    records: dict[str, list[Record]] = {}
    sources: dict[str, str] = {}
    for file in data_files(Path(path), (".jsonl", ".jsonl.gz")):
        stem = file.name.removesuffix(".gz").removesuffix(".jsonl")
        for place, row in json_objects(file, faults=faults):
            inputs, targets = _first(row, INPUT_NAMES), _first(row, TARGET_NAMES)
            answers = tuple(target.strip() for target in targets if target.strip())
            if not inputs or not inputs[0].strip():
                faults.add(
                    "no inputs", place, f"keys {sorted(row)[:5]}, wanted one of {', '.join(INPUT_NAMES)}"
                )
            elif not answers:
                faults.add(
                    "no targets", place, f"keys {sorted(row)[:5]}, wanted one of {', '.join(TARGET_NAMES)}"
                )
            else:
                name = (*_first(row, TASK_NAMES), stem)[0]
                sources.setdefault(name, stem)
                record = Record(fields={"inputs": inputs[0].rstrip()}, answers=answers, id=place)
                records.setdefault(name, []).append(record)
    if not records:
        raise DataError(
            f"no row of {path} could be read; {faults.total} were refused. Wanted JSON lines with "
            f"one of {', '.join(INPUT_NAMES)} and one of {', '.join(TARGET_NAMES)}."
        )
    return tuple(
        Task(
            name=name,
            cluster=name,
            records=tuple(rows),
            templates=PLAIN_TEMPLATES,
            source=sources[name],
            collection=COLLECTION,
        )
        for name, rows in records.items()
    )


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the strings of the first of these fields that the row has."""
    return next((strings(row[name]) for name in names if name in row), ())
