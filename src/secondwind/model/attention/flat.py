"""A batch as one row: padding is removed, and all rows lie behind one another.

    row 0   a a a a a b b . .        tokens  0 1 2 3 4 5 6 9 10 11 ...      T = 5 + 2 + 4 + 5 = 16
    row 1   c c c c d d d d d        starts  0 5 7 11      lengths  5 2 4 5

Shape letters: B rows, L row length, T tokens of the batch, D documents (segments) of the batch.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from secondwind.errors import ExampleError
from secondwind.example import Batch, Flags, Tokens

Indices = npt.NDArray[np.int64]


class FlatBatch(NamedTuple):
    """Where the tokens and documents of a batch lie.

    Args:
        tokens: int64[T], positions in the batch [B * L] that are not padding.
        starts: int64[D], the first token of each document, as a place in `tokens`.
        lengths: int64[D], in tokens.
        prefix: bool[T], tokens that their whole document sees; all False under causal attention.
    """

    tokens: Indices
    starts: Indices
    lengths: Indices
    prefix: Flags

    @classmethod
    def of(cls, batch: Batch, *, attention: str) -> Self:
        """Flatten a batch.

        Raises:
            ExampleError: a segment lies in two pieces, or the batch is all padding.
        """
        tokens, starts, lengths = find_documents(batch.segment_ids)
        return cls(tokens, starts, lengths, batch.prefix_mask.ravel()[tokens] & (attention == "prefix"))

    def prefix_lengths(self) -> Indices:
        """Count the prefix tokens of each document, int64[D], for backends that need no more.

        Raises:
            ExampleError: a prefix token stands behind a target.
        """
        counts = np.add.reduceat(self.prefix.astype(np.int64), self.starts)
        places = np.arange(len(self.tokens)) - np.repeat(self.starts, self.lengths)
        wrong = np.flatnonzero(self.prefix != (places < np.repeat(counts, self.lengths)))
        if len(wrong):
            raise ExampleError(
                f"a document of {counts.max()} prefix tokens has one behind a target, at token {wrong[0]} of "
                "the batch; wanted the prefix first. Build rows with secondwind.data.pack.build_row."
            )
        return counts


def find_documents(segment_ids: Tokens) -> tuple[Indices, Indices, Indices]:
    """Find the documents of a batch.

    Returns:
        The positions of tokens in the flattened batch, int64[T]; the first token and the length of each
        document, int64[documents], as indices into those.

    Raises:
        ExampleError: a segment lies in two pieces, or the batch is all padding.
    """
    row_length = segment_ids.shape[1]
    tokens = np.flatnonzero(segment_ids.ravel())
    if len(tokens) == 0:
        raise ExampleError("a batch holds padding only, wanted at least 1 token. Drop empty rows.")
    row, segment = tokens // row_length, segment_ids.ravel()[tokens]
    breaks = (np.diff(row) != 0) | (np.diff(segment) != 0) | (np.diff(tokens) != 1)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    names = np.stack([row[starts], segment[starts]], axis=1)
    pieces, counts = np.unique(names, axis=0, return_counts=True)
    if (counts > 1).any():
        broken = pieces[counts > 1][0]
        raise ExampleError(
            f"segment {broken[1]} of row {broken[0]} lies in {counts.max()} pieces, wanted one run of "
            "tokens. Build rows with secondwind.data.pack.build_row, which keeps each example together."
        )
    return tokens, starts, np.diff(np.append(starts, len(tokens)))
