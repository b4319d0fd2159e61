"""Examples into rows: which go together, and how they lie in one.

    lengths  5 3 7 2 1, row length 8      ->  rows (7 1) (5 3) (2)

    example  inputs [R] a <0> c d   targets <0> b EOS      alone in a row of 10, with BOS:

    tokens        BOS [R]  a  <0>  c   d  <0>  b  EOS pad
    segment_ids    1   1   1   1   1   1   1   1   1   0
    positions      0   1   2   3   4   5   6   7   8   0
    prefix_mask    #   #   #   #   #   #   .   .   .   .
    loss_mask      .   .   .   .   .   #   #   #   .   .

The packer alone adds BOS, where the vocabulary has one, as part of the prefix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from secondwind.errors import ExampleError
from secondwind.example import Example, Row
from secondwind.vocabulary import Vocabulary

Count = TypeVar("Count", int, npt.NDArray[np.int64])
Value = TypeVar("Value", np.int32, np.bool_)


def packed_length(num_inputs: Count, num_targets: Count, vocabulary: Vocabulary) -> Count:
    """Return how many tokens of a row an example takes, BOS included; one count or an array."""
    return num_inputs + num_targets + (0 if vocabulary.bos is None else 1)


def build_row(examples: Sequence[Example], *, row_length: int, vocabulary: Vocabulary) -> Row:
    """Lay examples one after the other and pad to `row_length`.

    Raises:
        ExampleError: no example, or more tokens than fit; nothing is ever truncated.
    """
    bos = np.array([] if vocabulary.bos is None else [vocabulary.bos], dtype=np.int32)
    prefix_lengths = np.array([len(bos) + len(example.inputs) for example in examples], dtype=np.int32)
    lengths = prefix_lengths + np.array([len(example.targets) for example in examples], dtype=np.int32)
    total = int(lengths.sum())
    if not 0 < total <= row_length:
        raise ExampleError(
            f"{len(examples)} examples with {total} tokens do not make a row; wanted at least 1 example "
            f"and at most {row_length} tokens. Raise row_length, or let plan_rows choose what goes together."
        )
    pieces = [piece for example in examples for piece in (bos, example.inputs, example.targets)]
    segments = np.arange(1, len(examples) + 1, dtype=np.int32)
    starts = np.cumsum(lengths) - lengths
    positions = (np.arange(total) - np.repeat(starts, lengths)).astype(np.int32)
    # The prediction made AT p is of token p + 1, so the last prefix token carries loss and the last
    # target none. Without BOS nothing predicts a first token: then it is never a target.
    first_targets = np.repeat(np.maximum(prefix_lengths, 1), lengths)
    predicted = positions + 1
    is_loss = (predicted >= first_targets) & (predicted < np.repeat(lengths, lengths))
    return Row(
        tokens=_padded(np.concatenate(pieces, dtype=np.int32), row_length, vocabulary.pad),
        segment_ids=_padded(np.repeat(segments, lengths), row_length, 0),
        positions=_padded(positions, row_length, 0),
        prefix_mask=_padded(positions < np.repeat(prefix_lengths, lengths), row_length, False),
        loss_mask=_padded(is_loss, row_length, False),
        sources=tuple(example.source for example in examples),
    )


def _padded(values: npt.NDArray[Value], row_length: int, padding: int) -> npt.NDArray[Value]:
    row = np.full(row_length, padding, dtype=values.dtype)
    row[: len(values)] = values
    return row


@dataclass(frozen=True, eq=False)
class RowPlan:
    """Which examples each of R rows holds, flat: row r has examples[offsets[r] : offsets[r + 1]], rising.

    Args:
        examples: int64[N], every number 0 .. N - 1 exactly once.
        offsets: int64[R + 1].
    """

    examples: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.int64]:
        """Return the examples of one row."""
        return self.examples[self.offsets[row] : self.offsets[row + 1]]

    def row_tokens(self, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Add up the lengths of each row's examples: int64[R]."""
        return np.add.reduceat(lengths[self.examples], self.offsets[:-1]) if len(self) else self.offsets[:-1]

    def reordered(self, order: npt.NDArray[np.int64]) -> "RowPlan":
        """Return the same rows in another order: row r of it is row order[r] of this one."""
        counts = np.diff(self.offsets)[order]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        moved = np.repeat(self.offsets[order] - offsets[:-1], counts)
        return RowPlan(self.examples[moved + np.arange(len(self.examples))], offsets)


def plan_rows(lengths: npt.NDArray[np.int64], row_length: int) -> RowPlan:
    """Choose which examples share a row: best-fit decreasing, on lengths alone.

    Args:
        lengths: int64[N], packed lengths in tokens.

    Raises:
        ExampleError: an example is longer than a row, or has no tokens.

    Source: D. S. Johnson, "Near-optimal bin packing algorithms", 1973: at most 11/9 of the fewest
        rows possible, plus a constant.
    """
    _require_lengths(lengths, row_length)
    order = np.argsort(-lengths, kind="stable")
    kernel = compiled_kernel()
    row_of = (kernel.place if kernel else place)(lengths, order, row_length)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row_of))])  # every row has an example
    return RowPlan(np.argsort(row_of, kind="stable"), offsets.astype(np.int64))


def place(
    lengths: npt.NDArray[np.int64], order: npt.NDArray[np.int64], row_length: int
) -> npt.NDArray[np.int32]:
    """Put examples, in this order, each into the fullest row that has room for it; int32[N] rows.

    Of rows equally full the one that came to be so last is taken. Readable twin of `kernel.place`.
    """
    row_of = np.zeros(len(lengths), dtype=np.int32)
    num_rows = 0
    # open_rows[room] are the rows with exactly that room; bit `room` of `rooms` says there are some.
    open_rows: list[list[int]] = [[] for _ in range(row_length + 1)]
    rooms = 0
    for example in order.tolist():
        length = int(lengths[example])
        fitting = rooms >> length
        if fitting:
            room = length + (fitting & -fitting).bit_length() - 1
            row = open_rows[room].pop()
            rooms ^= 0 if open_rows[room] else 1 << room
        else:
            room, row = row_length, num_rows
            num_rows += 1
        row_of[example] = row
        open_rows[room - length].append(row)
        rooms |= 1 << (room - length)
    return row_of


@cache
def compiled_kernel() -> Any:
    """Import the compiled twins, which takes a second; None where numba is missing."""
    try:
        return import_module("secondwind.data.kernel")
    except ModuleNotFoundError as error:
        if error.name != "numba":
            raise
        return None


def _require_lengths(lengths: npt.NDArray[np.int64], row_length: int) -> None:
    wrong = np.flatnonzero((lengths < 1) | (lengths > row_length))
    if len(wrong):
        raise ExampleError(
            f"example {int(wrong[0])} of {len(lengths)} has {int(lengths[wrong[0]])} tokens; wanted "
            f"1 to {row_length}, the row length. Raise row_length, or cut documents into shorter windows: "
            "an example is never truncated."
        )
