"""The waist of the hourglass: what every objective makes and every later room consumes.

    Example   inputs [R] a <0> c d     targets <0> b EOS
    Row       one packed sequence of fixed length, several examples as segments
    Batch     rows stacked

Aligned, for BOS [R] a <0> c d | <0> b EOS in a row of 10 (`.` False, `#` True):

    tokens        BOS [R]  a  <0>  c   d  <0>  b  EOS pad
    segment_ids    1   1   1   1   1   1   1   1   1   0
    positions      0   1   2   3   4   5   6   7   8   0
    prefix_mask    #   #   #   #   #   #   .   .   .   .
    loss_mask      .   .   .   .   .   #   #   #   .   .

Shape letters: I inputs, T targets, B rows, L row length.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from secondwind.errors import ExampleError

Tokens = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Example:
    """One `inputs`, `targets` pair.

    Args:
        inputs: int32[I], may be empty; starts with the mode token, if any; never holds BOS.
        targets: int32[T], never empty; ends with EOS where EOS is due.
        source: the denoiser or task that made it, for counts and per-source losses.
    """

    inputs: Tokens
    targets: Tokens
    source: str

    def __post_init__(self) -> None:
        """Refuse an example with nothing to learn."""
        if len(self.targets) == 0:
            raise ExampleError(
                f"an example of '{self.source}' has no targets; got {len(self.inputs)} inputs and 0 "
                "targets, wanted at least 1 target. Drop it before it reaches the packer, and count it."
            )


@dataclass(frozen=True, eq=False)
class Row:
    """One packed sequence; every array has the same length L.

    Args:
        tokens: int32[L]; padding positions hold the pad id.
        segment_ids: int32[L]; examples count from 1, padding is 0.
        positions: int32[L]; restart at 0 in each segment.
        prefix_mask: bool[L]; True where a token may be attended from its whole segment.
        loss_mask: bool[L]; True where the prediction made AT p, of tokens[p + 1], is a target.
        sources: the source of segment 1, 2, ...
    """

    tokens: Tokens
    segment_ids: Tokens
    positions: Tokens
    prefix_mask: Flags
    loss_mask: Flags
    sources: tuple[str, ...] = ()

    @property
    def num_tokens(self) -> int:
        """Count the tokens that are not padding."""
        return int(np.count_nonzero(self.segment_ids))

    @property
    def num_targets(self) -> int:
        """Count the predictions that carry loss."""
        return int(np.count_nonzero(self.loss_mask))


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows stacked: the arrays of `Row` as [B, L], and the rows' sources."""

    tokens: Tokens
    segment_ids: Tokens
    positions: Tokens
    prefix_mask: Flags
    loss_mask: Flags
    sources: tuple[tuple[str, ...], ...] = field(default=())

    @staticmethod
    def stack(rows: Sequence[Row]) -> "Batch":
        """Stack rows of one length into a batch."""
        if not rows:
            raise ExampleError("a batch needs at least 1 row, got 0.")
        return Batch(
            tokens=np.stack([row.tokens for row in rows]),
            segment_ids=np.stack([row.segment_ids for row in rows]),
            positions=np.stack([row.positions for row in rows]),
            prefix_mask=np.stack([row.prefix_mask for row in rows]),
            loss_mask=np.stack([row.loss_mask for row in rows]),
            sources=tuple(row.sources for row in rows),
        )

    @property
    def num_tokens(self) -> int:
        """Count the tokens that are not padding."""
        return int(np.count_nonzero(self.segment_ids))

    @property
    def num_targets(self) -> int:
        """Count the predictions that carry loss."""
        return int(np.count_nonzero(self.loss_mask))


class ExampleSource(Protocol):
    """An endless, index-addressable sequence of examples: a pure function of the index.

    A corpus under denoisers, a mixture of instruction tasks and a single task all look like this
    to the packer, which first asks for lengths and only later for the examples of one row.
    """

    def lengths(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the packed length of examples start .. stop - 1, in tokens, BOS included."""
        ...

    def __getitem__(self, index: int) -> Example:
        """Build one example."""
        ...

    def examples(self, indices: Sequence[int]) -> Sequence[Example]:
        """Build several examples, together where that is faster."""
        ...

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the examples, as JSON: hashes of what is large."""
        ...
