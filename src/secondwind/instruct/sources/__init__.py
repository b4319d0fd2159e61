"""Readers of public instruction formats: files in, `Task`s out, faults counted.

found.py                 a path -> files, here or elsewhere
lines.py                 a file, packed or not -> its lines or JSON objects
natural_instructions.py  one task per JSON line
cot_tsv.py               FLAN's chain-of-thought TSV
plain.py                 JSONL of inputs and targets
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from secondwind.data.documents import Faults
from secondwind.data.formats import DataFile
from secondwind.errors import DataError
from secondwind.instruct.sources import cot_tsv, natural_instructions, plain
from secondwind.instruct.sources.found import TSV, LoadedTasks, base_name, task_files
from secondwind.instruct.sources.lines import json_objects

__all__ = ["LoadedTasks", "cot_tsv", "load_tasks", "natural_instructions", "plain"]


class _Reader(Protocol):
    """Turns files of one format into tasks."""

    def __call__(self, files: Sequence[DataFile], *, faults: Faults) -> LoadedTasks: ...


def load_tasks(path: str | Path, *, faults: Faults) -> LoadedTasks:
    """Read a file, folder, glob or address with the reader that fits each file.

    Of Natural Instructions, the train split without the tasks that overlap an evaluation benchmark; the
    names of the others are told.

    Raises:
        DataError: the path is missing, or nothing in it could be read.
    """
    files: dict[_Reader, list[DataFile]] = {}
    for file in task_files(path):
        reader = _reader(file)
        if reader is None:
            faults.add("unknown format", base_name(file), "neither a task per line nor inputs and targets")
        else:
            files.setdefault(reader, []).append(file)
    loaded = [reader(its_files, faults=faults) for reader, its_files in files.items()]
    tasks = tuple(task for part in loaded for task in part.tasks)
    if not tasks:
        raise DataError(
            f"no task could be read from {path}; refused so far: {faults.to_json()}. Wanted Natural "
            "Instructions JSONL of the split train, FLAN chain-of-thought TSV, or JSONL of inputs and "
            "targets. Convert the file, or mend flan.sources."
        )
    return LoadedTasks(tasks, frozenset().union(*(part.left_out for part in loaded)))


def _reader(file: DataFile) -> _Reader | None:
    """Choose by the name, and for JSON by the keys of the first object."""
    if file.kind == TSV:
        return cot_tsv.read_files
    empty: dict[str, Any] = {}
    first = next((row for _, row in json_objects(file, faults=Faults())), empty)
    if "instances" in first:
        return natural_instructions.read_files
    has_pair = first.keys() & set(plain.INPUT_NAMES) and first.keys() & set(plain.TARGET_NAMES)
    return plain.read_files if has_pair else None
