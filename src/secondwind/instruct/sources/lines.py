"""Lines of text files with their places; what cannot be read is counted."""

import json
from collections.abc import Iterator
from typing import Any, cast

from secondwind.data.documents import Faults
from secondwind.data.formats import (
    UNPACKING_ERRORS,
    DataFile,
    bounded_lines,
    is_remote,
    is_table,
    remote_error,
    unpacked,
)
from secondwind.errors import DataError
from secondwind.instruct.sources.found import base_name

# Natural Instructions allows 50 MB a task, which is one line here, and JSON may spell a byte with six.
_MAX_LINE_BYTES = 300_000_000


def numbered_lines(
    file: DataFile, *, faults: Faults, max_bytes: int = _MAX_LINE_BYTES
) -> Iterator[tuple[str, str]]:
    """Yield "file:line" and the text of each line; blank lines are passed over.

    Raises:
        DataError: the file cannot be read to its end, for instance a gzip file cut short.
    """
    name = base_name(file)
    try:
        with file.open() as packed, unpacked(packed) as stream:
            for number, raw in enumerate(bounded_lines(stream, max_bytes), start=1):
                place = f"{name}:{number}"
                if number == 1 and is_table(raw):
                    faults.add("a Parquet table", name, "wanted lines of text")
                    return
                if len(raw) > max_bytes:
                    faults.add("too large", place, f"over {max_bytes} bytes")
                    continue
                try:
                    line = raw.decode("utf-8-sig")
                except UnicodeDecodeError as error:
                    faults.add("not UTF-8", place, str(error))
                    continue
                if line.strip():
                    yield place, line.rstrip("\r\n")
    except (OSError, *UNPACKING_ERRORS) as error:
        if is_remote(file.name) and not isinstance(error, UNPACKING_ERRORS):
            raise remote_error(file.name, error) from error
        raise DataError(
            f"{file.name} cannot be read to its end: {error}. Wanted a whole text file, plain or packed. "
            "Fetch it again."
        ) from error


def json_objects(file: DataFile, *, faults: Faults) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield "file:line" and the object of each line of a JSONL file."""
    for place, line in numbered_lines(file, faults=faults):
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
