"""Natural Instructions v2, one task per JSON line.

    {"task": "task002_quoref_...", "split": "train", "source": ["quoref"], "categories": ["Summarization"],
     "definition": ["Write answers to ..."], "instances": [{"id": .., "input": .., "output": [..]}, ..],
     "positive_examples": [{"input": .., "output": .., "explanation": ..}, ..], "eval_overlap": null, ...}

A task's positive examples become exemplars, never queries. Outputs are taken as they are: the full stop
that Tk-Instruct adds to them is not.

Source: Super-NaturalInstructions (arXiv:2204.07705); its train split holds 57 MMLU tasks, so tasks
    marked `eval_overlap` are left out and counted unless asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from secondwind.data.documents import Faults
from secondwind.data.formats import JSON_LINES, DataFile
from secondwind.errors import DataError
from secondwind.instruct.library import definition_templates
from secondwind.instruct.sources.found import LoadedTasks, task_files
from secondwind.instruct.sources.lines import json_objects, strings
from secondwind.instruct.task import Record, Task

COLLECTION = "natural_instructions"

_LANGUAGE_CODES = {"English": "en", "Romanian": "ro", "German": "de", "French": "fr", "Spanish": "es"}


def read_tasks(
    path: str | Path,
    *,
    faults: Faults,
    splits: Collection[str] = ("train",),
    keep_overlap: bool = False,
) -> tuple[Task, ...]:
    """Read the tasks of some splits.

    Args:
        splits: `train`, `test`, `other`; the official test tasks are for evaluation.
        keep_overlap: True keeps tasks whose records are those of an evaluation benchmark.

    Raises:
        DataError: the path is missing, or no task could be read.
    """
    files = task_files(path, kinds=JSON_LINES)
    tasks, _ = read_files(files, faults=faults, splits=splits, keep_overlap=keep_overlap)
    if not tasks:
        raise DataError(
            f"no Natural Instructions task of the splits {sorted(splits)} could be read from {path}; "
            f"{faults.total} lines or records were refused. Check the path and the splits."
        )
    return tasks


def read_files(
    files: Sequence[DataFile],
    *,
    faults: Faults,
    splits: Collection[str] = ("train",),
    keep_overlap: bool = False,
) -> LoadedTasks:
    """Read the tasks of some splits, see `read_tasks`, and the names of those that are left out."""
    tasks: list[Task] = []
    left_out: set[str] = set()
    for place, stored in (item for file in files for item in json_objects(file, faults=faults)):
        if "instances" not in stored:
            faults.add("not a task", place, f"keys {sorted(stored)[:5]}")
        elif stored.get("split", "train") not in splits:
            left_out.add(_name(stored, place))
        elif stored.get("eval_overlap") and not keep_overlap:
            left_out.add(_name(stored, place))
            faults.add("overlaps an evaluation benchmark", place, str(stored["eval_overlap"]))
        elif (task := _task(stored, place, faults)) is not None:
            tasks.append(task)
    return LoadedTasks(tuple(tasks), frozenset(left_out))


def read_held_out_tasks(path: str | Path, *, faults: Faults, max_records: int = 100) -> tuple[Task, ...]:
    """Read the official test tasks with their first records, for evaluation.

    The first 100 instances of a test task are its fixed test set. The positive examples, as
    `task.exemplars`, serve few-shot prompts.

    Raises:
        DataError: the path is missing, or holds no test task.
    """
    tasks = read_tasks(path, faults=faults, splits=("test",))
    return tuple(replace(task, records=tuple(task.records[:max_records])) for task in tasks)


def _name(stored: Mapping[str, Any], place: str) -> str:
    return str(stored.get("task") or place)


def _task(stored: Mapping[str, Any], place: str, faults: Faults) -> Task | None:
    name = _name(stored, place)
    definition = strings(stored.get("definition"))
    if not definition or not definition[0].strip():
        faults.add("task without a definition", place, name)
        return None
    records = _records(stored.get("instances"), f"{place}:instances", name, faults)
    if not records:
        faults.add("task without a usable instance", place, name)
        return None
    positive = _records(
        stored.get("positive_examples"), f"{place}:positive_examples", f"{name}-positive", faults
    )
    language = (*strings(stored.get("output_language")), "English")[0]
    return Task(
        name=name,
        cluster=(*strings(stored.get("categories")), "uncategorised")[0],
        records=records,
        templates=definition_templates(definition[0]),
        language=_LANGUAGE_CODES.get(language, language),
        source=(*strings(stored.get("source")), name)[0],
        licence=(*strings(stored.get("instance_license")), "unknown")[0],
        metric="rouge_l",
        tags=(str(stored.get("split", "train")),),
        collection=COLLECTION,
        exemplars=positive,
    )


def _records(stored: Any, place: str, prefix: str, faults: Faults) -> tuple[Record, ...]:
    records: list[Record] = []
    for number, item in enumerate(cast(list[Any], stored) if isinstance(stored, list) else []):
        instance = cast(dict[str, Any], item) if isinstance(item, dict) else {}
        text = instance.get("input")
        answers = tuple(answer.strip() for answer in strings(instance.get("output")) if answer.strip())
        if not isinstance(text, str) or not text.strip():
            faults.add("instance without an input", f"{place}:{number}", prefix)
        elif not answers:
            faults.add("instance without an output", f"{place}:{number}", prefix)
        else:
            identity = str(instance.get("id") or f"{prefix}-{number}")
            records.append(Record(fields={"input": text.strip()}, answers=answers, id=identity))
    return tuple(records)
