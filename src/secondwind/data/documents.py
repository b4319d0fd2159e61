"""Read documents from files as people have them, and keep an account of what cannot be read.

    corpus.jsonl   {"text": "The cat sat."}      ->  Document("The cat sat.", id="corpus.jsonl:1")
                   {"text": ""}                  ->  a fault: empty text, at corpus.jsonl:2
                   {"text": "The                 ->  a fault: broken JSON, at corpus.jsonl:3
    notes.txt      one document for the whole file, id "notes.txt:1"

`.gz` of either, a folder of them, or a glob. Nothing is dropped in silence: each fault is counted with
its place. A file in which nothing can be read is an error.
"""

import glob
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from itertools import islice
from pathlib import Path
from typing import Any, cast

from secondwind.errors import DataError

_JSON_LINES = frozenset({".jsonl", ".ndjson", ".json"})
_PLAIN_TEXT = frozenset({".txt", ".text", ".md"})
_SNIFFED_BYTES = 8192
_KEPT_PLACES = 5


@dataclass(frozen=True)
class Document:
    """One text, and where it came from: "file:line", or an id as given."""

    text: str
    id: str


class Faults:
    """An account of what could not be used: a count for each reason, and the first places."""

    def __init__(self) -> None:
        """Start with nothing to report."""
        self._counts: dict[str, int] = {}
        self._first: dict[str, list[str]] = {}

    @property
    def total(self) -> int:
        """Count all faults."""
        return sum(self._counts.values())

    def count(self, reason: str) -> int:
        """Count the faults of one reason."""
        return self._counts.get(reason, 0)

    def add(self, reason: str, place: str, detail: str = "") -> None:
        """Count one fault; its place is kept if it is among the first of its reason."""
        self._counts[reason] = self._counts.get(reason, 0) + 1
        first = self._first.setdefault(reason, [])
        if len(first) < _KEPT_PLACES:
            first.append(f"{place} ({detail})" if detail else place)

    def to_json(self) -> dict[str, Any]:
        """Return {reason: {"count": n, "first": [place, ...]}}, reasons in alphabetical order."""
        return {
            reason: {"count": self._counts[reason], "first": list(self._first[reason])}
            for reason in sorted(self._counts)
        }


class _UnreadableError(Exception):
    """One document cannot be used; becomes an entry in `Faults`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def read_documents(
    path: str | Path,
    *,
    text_field: str = "text",
    limit: int | None = None,
    faults: Faults,
    max_bytes: int = 50_000_000,
) -> Iterator[Document]:
    """Yield the documents of a file, a folder (its own files, by name) or a glob, in order.

    Args:
        path: JSONL or plain text, `.gz` or not.
        text_field: the key of the text in a JSONL record.
        limit: stop after so many documents.
        faults: receives every record that cannot be used.
        max_bytes: a longer JSONL line or text file is a fault.

    Raises:
        DataError: the path is missing, a file is binary, or nothing in it can be read.
    """
    num_read = 0
    for file in _files(str(path), faults):
        if num_read == limit:
            return
        before = num_read
        documents = _read_file(file, text_field=text_field, faults=faults, max_bytes=max_bytes)
        for document in islice(documents, None if limit is None else limit - num_read):
            num_read += 1
            yield document
        if num_read == before:
            raise DataError(
                f"nothing in {file} can be read. Faults so far: "
                f"{json.dumps(faults.to_json(), ensure_ascii=False)}. Wanted JSONL with a string in the "
                f"field '{text_field}' of each line, or plain UTF-8 text. Correct the file, or leave it out."
            )


def _files(path: str, faults: Faults) -> list[Path]:
    """Return the files that a path means; other files of a folder are counted."""
    given = Path(path)
    if given.is_dir():
        inside = sorted(file for file in given.iterdir() if file.is_file() and not file.name.startswith("."))
        files: list[Path] = []
        for file in inside:
            if _kind(file) in _JSON_LINES | _PLAIN_TEXT:
                files.append(file)
            else:
                faults.add("not a document file", str(file))
    else:
        found = [given] if given.is_file() else [Path(name) for name in glob.glob(path, recursive=True)]
        files = sorted(file for file in found if file.is_file())
    if not files:
        raise DataError(
            f"no documents at {path}: no such file, or no file of kind "
            f"{', '.join(sorted(_JSON_LINES | _PLAIN_TEXT))} (also with .gz) in it. Correct the path; it is "
            "relative to the recipe's folder."
        )
    return files


def _kind(file: Path) -> str:
    """Return the suffix that tells the format, without `.gz`."""
    return (file.with_suffix("") if file.suffix == ".gz" else file).suffix.lower()


def _read_file(file: Path, *, text_field: str, faults: Faults, max_bytes: int) -> Iterator[Document]:
    """Yield the documents of one file; what stops the reading early is a fault like any other."""
    line_number = 0
    try:
        head = _head(file)
        is_json_lines = _kind(file) in _JSON_LINES
        is_json_lines |= _kind(file) not in _PLAIN_TEXT and head.lstrip().startswith(b"{")
        with _opened(file) as stream:
            for raw in _lines(stream, max_bytes) if is_json_lines else [stream.read(max_bytes + 1)]:
                line_number += 1
                if is_json_lines and raw.isspace():
                    continue
                place = f"{file}:{line_number}"
                try:
                    text = _decoded(raw, max_bytes)
                    yield Document(_field(text, text_field) if is_json_lines else _not_empty(text), place)
                except _UnreadableError as fault:
                    faults.add(fault.reason, place, fault.detail)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        faults.add("damaged gzip", f"{file}:{line_number + 1}", str(error))
    except OSError as error:
        raise DataError(
            f"cannot read {file}: {error.strerror or error}. Check that it exists and is readable."
        ) from error


def _opened(file: Path) -> BufferedIOBase:
    """Open a file for reading bytes, unpacked if it is gzip, whatever its name says."""
    with file.open("rb") as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(file, "rb") if is_packed else file.open("rb")


def _head(file: Path) -> bytes:
    """Return the first bytes of a file that looks like text.

    Raises:
        DataError: the bytes are no text.
    """
    with _opened(file) as stream:
        head = stream.read(_SNIFFED_BYTES)
    if b"\0" in head:
        raise DataError(
            f"{file} is not UTF-8 text: it has a NUL byte at {head.index(0)}, so it is binary or UTF-16. "
            "Wanted JSONL or plain text. Convert it, or leave it out."
        )
    return head


def _lines(stream: BufferedIOBase, max_bytes: int) -> Iterator[bytes]:
    """Yield lines; of one that is too long, a piece that is too long, in bounded memory."""
    while line := stream.readline(max_bytes + 1):
        yield line
        while len(line) > max_bytes and not line.endswith(b"\n"):
            line = stream.readline(max_bytes + 1)


def _decoded(raw: bytes, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise _UnreadableError("too large", f"over {max_bytes} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _UnreadableError("not UTF-8", f"byte {error.start}") from error


def _field(line: str, text_field: str) -> str:
    """Return the text of one JSONL record."""
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _UnreadableError("broken JSON", str(error)) from error
    if not isinstance(record, dict):
        raise _UnreadableError("not a JSON object")
    if text_field not in record:
        raise _UnreadableError("missing field", text_field)
    text = cast(dict[str, object], record)[text_field]
    if not isinstance(text, str):
        raise _UnreadableError("not a string", text_field)
    return _not_empty(text)


def _not_empty(text: str) -> str:
    if not text or text.isspace():
        raise _UnreadableError("empty text")
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON can spell half a surrogate pair, which no encoding can
        raise _UnreadableError("not UTF-8", f"a lone surrogate at character {error.start}") from error
    return text
