"""Which files a source of tasks means, and what came of them.

flan_cot/                the files in it that can hold tasks, by name
flan_cot/*.tsv.gz        a glob
s3://bucket/tasks.jsonl  what else `secondwind.data.formats` finds and unpacks
"""

import glob
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from secondwind.data.formats import JSON_LINES, DataFile, find_files, is_remote
from secondwind.errors import DataError
from secondwind.instruct.task import Task

TSV = ".tsv"
TASK_KINDS = frozenset({TSV}) | JSON_LINES


class LoadedTasks(NamedTuple):
    """Tasks that may be tuned on, and the names of those that the files hold and that may not."""

    tasks: tuple[Task, ...]
    left_out: frozenset[str] = frozenset()


def task_files(path: str | Path, *, kinds: Collection[str] = TASK_KINDS) -> tuple[DataFile, ...]:
    """Return the files that a path, folder, glob or address means; of a folder, those of some kinds.

    Raises:
        DataError: there is none, or the remote side cannot be asked.
    """
    text = str(path)
    folder = not is_remote(text) and Path(text).is_dir()
    try:
        # The finder of documents knows no TSV, so it is asked for everything in a folder.
        found, _ = find_files(f"{glob.escape(text)}/*" if folder else text)
    except DataError:
        if is_remote(text):
            raise
        found = []
    files = tuple(file for file in found if not folder or file.kind in kinds)
    if not files:
        state = "holds no such file" if folder else "does not exist, and no file matches it"
        raise DataError(
            f"{path} {state}; wanted a file, a glob, or a folder with files ending in "
            f"{', '.join(sorted(kinds))} (also with .gz, .bz2, .xz, .zst). Mend flan.sources; its paths are "
            "relative to the recipe's folder."
        )
    return files


def base_name(file: DataFile) -> str:
    """Return the name of a file without its folder: gsm8k_train.tsv.gz."""
    return PurePosixPath(file.name).name


def stem(file: DataFile) -> str:
    """Return the name of a file without folder, kind and packing: gsm8k_train."""
    name = base_name(file)
    return name[: name.lower().rindex(file.kind)] if file.kind else name
