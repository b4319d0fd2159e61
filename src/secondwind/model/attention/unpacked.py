"""The `unpacked` backend: every document is a row of its own, without any mask, causal attention alone.

Padding lies behind the last token of a row, where nothing that looks back alone can see it. So this is
right for every causal network, recurrent or not, whatever it adds to its scores, and for no other.

    row 0   a a a a a b b . .              group 1: a a a a a
    row 1   c c c c d d d d d                       d d d d d
                                                    c c c c .     positions 0 1 2 3 (4)
                                           group 2: b b

Shape letters: B rows, L row length, G documents of a group, M their padded length, N kept positions.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from secondwind.example import Batch, Flags, Tokens
from secondwind.model.attention.document import plan_groups
from secondwind.model.attention.flat import FlatBatch, Indices


class Group(NamedTuple):
    """Documents of similar length, a row each.

    Args:
        tokens: int32[G, M]; empty places repeat a token of the batch, which nothing sees.
        keep: bool[G, M], where logits are wanted.
        places: int64[kept], which of the batch's kept positions each of them is, row by row.
    """

    tokens: Tokens
    keep: Flags
    places: Indices


def unpack(batch: Batch, keep: Flags) -> Iterator[Group]:
    """Lay the documents of a batch out as rows; groups keep few empty places.

    Args:
        keep: bool[B, L], where logits are wanted.

    Raises:
        ExampleError: a segment lies in two pieces, or the batch is all padding.
    """
    flat = FlatBatch.of(batch, attention="causal")
    tokens, kept = batch.tokens.ravel()[flat.tokens], keep.ravel()[flat.tokens]
    number = np.cumsum(kept) - 1  # of each kept position
    for documents in plan_groups(flat.lengths):
        offsets = np.arange(int(flat.lengths[documents[0]]))
        filled = offsets < flat.lengths[documents, None]
        source = np.where(filled, flat.starts[documents, None] + offsets, 0)
        wanted = kept[source] & filled
        yield Group(tokens[source], wanted, number[source[wanted]])
