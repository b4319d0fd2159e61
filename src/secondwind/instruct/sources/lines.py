"""Lines of text files, plain or gzip, with their places; what cannot be read is counted."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from secondwind.data.documents import Faults
from secondwind.errors import DataError


def data_files(path: Path, suffixes: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the file itself, or the files of a folder whose names end in a suffix, sorted.

    Raises:
        DataError: the path is missing, or the folder has no such file.
    """
    if path.is_file():
        return (path,)
    files = sorted(file for file in path.glob("*") if file.is_file() and file.name.endswith(suffixes))
    if not files:
        state = "holds no such file" if path.is_dir() else "does not exist"
        raise DataError(
            f"{path} {state}; wanted a file, or a folder with files, ending in {', '.join(suffixes)}. "
            "Mend flan.sources."
        )
    return tuple(files)


def numbered_lines(path: Path, *, faults: Faults) -> Iterator[tuple[str, str]]:
    """Yield "file:line" and the text of each line; blank lines are passed over.

    Raises:
        DataError: the file cannot be read to its end, for instance a gzip file cut short.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                place = f"{path.name}:{number}"
                try:
                    line = raw.decode("utf-8")
                except UnicodeDecodeError as error:
                    faults.add("not UTF-8", place, str(error))
                    continue
                if line.strip():
                    yield place, line.rstrip("\r\n")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read to its end: {error}. Wanted a whole text or gzip file. Fetch it again."
        ) from error


def json_objects(path: Path, *, faults: Faults) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield "file:line" and the object of each line of a JSONL file."""
    for place, line in numbered_lines(path, faults=faults):
        try:
            value: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.add("broken JSON", place, str(error))
            continue
        if not isinstance(value, dict):
            faults.add("not a JSON object", place, type(value).__name__)
        elif "\\ud" in line.lower() and not _can_be_encoded(value):
            faults.add("not UTF-8", place, "a lone surrogate")
        else:
            yield place, cast(dict[str, Any], value)


def strings(value: Any) -> tuple[str, ...]:
    """Return the strings of a field that holds one string, a list of strings, or nothing."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return tuple(item for item in cast(list[Any], value) if isinstance(item, str))
    return ()


def _can_be_encoded(value: Any) -> bool:
    """Tell whether no string holds half a surrogate pair, which JSON can spell and no encoding can."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
