"""One file of answers per question asked: a head that says what was asked, then one row per item.

    {"head": {"name": "bbh:cot@prefix", "num_items": 6511, "identity": {"model": ..., ...}, ...}}
    {"id": "navigate-0", "task": "navigate", "prompt": ..., "output": ..., "score": 1.0, ...}

The name tells the mask that was used, not how a study calls it: two views of one model under the same
mask read the same file.

A file with all its rows is complete and is not asked again. A shorter one goes on at a part border,
so that a resumed evaluation batches, and therefore rounds, like an uninterrupted one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from secondwind.errors import RunError
from secondwind.evaluation.protocol import Protocol
from secondwind.evaluation.results import BenchmarkResult, ItemResult, summarise
from secondwind.evaluation.suite import Mode
from secondwind.runs import JsonLines, write_atomically

PART_ITEMS = 64

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One score that the rows hold: its name, and the fields of score and failure.

    Args:
        name: as in `ScoreKey.column`; empty for the first.
        attention: the mask of this score, where it is not the file's.
    """

    name: str = ""
    score: str = "score"
    failure: str = "failure"
    averaged: bool = False
    attention: str = ""


@dataclass(frozen=True)
class Head:
    """What a file of answers is about.

    Args:
        name: of the file: what was asked, under which mask.
        columns: the scores in it.
        identity: fingerprints of model, items and settings; a file of another identity is refused.
        parts: the parts of a whole normalised average, as FAMILY:MODE.
        note: what a reader of the scores should know.
    """

    name: str
    columns: tuple[Column, ...]
    benchmark: str
    family: str
    mode: Mode
    attention: str
    method: str
    chances: Mapping[str, float]
    num_items: int
    identity: Mapping[str, str]
    parts: tuple[str, ...] = ()
    note: str = ""


class AnswerFile:
    """The answers of one model to one benchmark, growing by parts."""

    def __init__(self, folder: Path, head: Head) -> None:
        """Open the file of `head` in `folder`; its rows, as far as they are whole parts, are kept.

        Raises:
            RunError: the file holds answers of another model, other items or other settings.
        """
        self.head = head
        self.path = folder / f"{head.name}.jsonl"
        self._log = JsonLines(self.path)
        found = self._log.read()
        if found:
            self._refuse_other(found[0])
        self.rows = found[1:]
        if not self.complete:
            self.rows = self.rows[: len(self.rows) // PART_ITEMS * PART_ITEMS]
            if found:
                self._log.cut_back(1 + len(self.rows))
            else:
                # Also where a kill left half a first line: appending to it would spoil the new one.
                write_atomically(self.path, "")
                self._log.append({"head": asdict(head)})

    @property
    def complete(self) -> bool:
        """Tell whether every item is answered."""
        return len(self.rows) >= self.head.num_items

    def append(self, rows: Sequence[Row]) -> None:
        """Add the rows of one part."""
        for row in rows:
            self._log.append(row)
            self.rows.append(dict(row))

    def results(self, protocol: Protocol) -> dict[str, BenchmarkResult]:
        """Fold the rows into one result per column, under the keys of a protocol."""
        keys = [str(protocol.key(self.head.benchmark, column.name)) for column in self.head.columns]
        return dict(zip(keys, fold(self.head, self.rows), strict=True))

    def _refuse_other(self, first: Row) -> None:
        stored = first.get("head", {}).get("identity", {})
        wanted = self.head.identity
        other = [name for name in wanted if stored.get(name) != wanted[name]]
        if other:
            raise RunError(
                f"{self.path} holds answers with other {', '.join(other)} than asked for now. Evaluate into "
                "another folder with --out, or delete the file."
            )


def fold(head: Head, rows: Sequence[Row]) -> list[BenchmarkResult]:
    """Turn the rows of a file into one result per column."""
    return [
        summarise(
            [_item(row, column) for row in rows],
            name=head.benchmark,
            family=head.family,
            mode=head.mode,
            attention=column.attention or head.attention,
            method=head.method,
            chances=head.chances if column.averaged or column.score == "score" else {},
            shortened=sum(bool(row.get("shortened")) for row in rows),
            averaged=column.averaged,
            note=head.note,
        )
        for column in head.columns
    ]


def _item(row: Row, column: Column) -> ItemResult:
    return ItemResult(
        id=row["id"],
        task=row["task"],
        group=row["group"],
        score=float(row.get(column.score, row["score"])),
        failure=row.get(column.failure),
        weight=float(row.get("weight", 1.0)),
    )
