"""Readers of public instruction formats: files in, `Task`s out, faults counted.

natural_instructions.py  one task per JSON line
cot_tsv.py               FLAN's chain-of-thought TSV
plain.py                 JSONL of inputs and targets
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from secondwind.data.documents import Faults
from secondwind.errors import DataError
from secondwind.instruct.sources import cot_tsv, natural_instructions, plain
from secondwind.instruct.sources.lines import data_files, json_objects
from secondwind.instruct.task import Task

__all__ = ["cot_tsv", "load_tasks", "natural_instructions", "plain"]

_SUFFIXES = (".tsv", ".tsv.gz", ".jsonl", ".jsonl.gz")


def load_tasks(path: str | Path, *, faults: Faults) -> tuple[Task, ...]:
    """Read a file or a folder with the reader that fits each file.

    Of Natural Instructions, the train split without the tasks that overlap an evaluation benchmark.

    Raises:
        DataError: the path is missing, or nothing in it could be read.
    """
    tasks: list[Task] = []
    for file in data_files(Path(path), _SUFFIXES):
        reader = _reader(file)
        if reader is None:
            faults.add("unknown format", file.name, "neither a task per line nor inputs and targets")
        else:
            tasks += reader(file, faults=faults)
    if not tasks:
        raise DataError(
            f"no task could be read from {path}. Wanted Natural Instructions JSONL, FLAN chain-of-thought "
            "TSV, or JSONL of inputs and targets. Convert the file, or mend flan.sources."
        )
    return tuple(tasks)


def _reader(file: Path) -> Callable[..., tuple[Task, ...]] | None:
    """Choose by the name, and for JSON by the keys of the first object."""
    if ".tsv" in file.suffixes:
        return cot_tsv.read_tasks
    empty: dict[str, Any] = {}
    first = next((row for _, row in json_objects(file, faults=Faults())), empty)
    if "instances" in first:
        return natural_instructions.read_tasks
    has_pair = first.keys() & set(plain.INPUT_NAMES) and first.keys() & set(plain.TARGET_NAMES)
    return plain.read_tasks if has_pair else None
