"""The compiled forms of two walks: `pack.place` over examples, and that of `control.py` over documents.

    place   rooms   bit r set: some row has exactly r free places
            head    the newest row with r free places      below    the row under a row on its stack

Imported at first use only (numba takes a second to load); machine code is cached on disk. Each has a
readable twin, and tests hold the two to the same bytes.
"""
# numba is untyped: annotations are for readers.
# pyright: basic, reportArgumentType=false, reportReturnType=false, reportMissingTypeStubs=false

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, uint64


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile at the first call, and keep the machine code on disk where there is a place for it."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(nogil=True)(function)


@_compiled
def _lowest_bit_from(words: npt.NDArray[np.uint64], start: int) -> int:
    """Return the place of the first set bit at or behind `start`, or -1."""
    index = start >> 6
    word = (words[index] >> uint64(start & 63)) << uint64(start & 63)
    while word == uint64(0):
        index += 1
        if index == len(words):
            return -1
        word = words[index]
    place = index << 6
    while word & uint64(1) == uint64(0):
        word >>= uint64(1)
        place += 1
    return place


@_compiled
def place(
    lengths: npt.NDArray[np.int64], order: npt.NDArray[np.int64], row_length: int
) -> npt.NDArray[np.int32]:
    """Put examples, in this order, each into the fullest row that has room for it: as `pack.place`."""
    row_of = np.zeros(len(lengths), dtype=np.int32)
    rooms = np.zeros((row_length >> 6) + 1, dtype=np.uint64)
    head = np.full(row_length + 1, -1, dtype=np.int32)
    below = np.full(len(lengths), -1, dtype=np.int32)  # at most one row an example
    num_rows = 0
    for example in order:
        length = lengths[example]
        room = _lowest_bit_from(rooms, length)
        if room >= 0:
            row = head[room]
            head[room] = below[row]
            if head[room] < 0:
                rooms[room >> 6] ^= uint64(1) << uint64(room & 63)
        else:
            room, row = row_length, num_rows
            num_rows += 1
        row_of[example] = row
        rest = room - length
        below[row] = head[rest]
        head[rest] = row
        rooms[rest >> 6] |= uint64(1) << uint64(rest & 63)
    return row_of


@_compiled
def walk(
    rooms: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    longest_segment: int,
    num_bos: int,
    epoch: int,
    state: tuple[int, int, int, int, int],
    starts: npt.NDArray[np.int64],
) -> tuple[int, int, int, int, int]:
    """Cut the documents of one epoch into rows, as `ControlStream` does, until either comes to its end.

    Args:
        rooms: int64[N], tokens of each row.
        lengths: int64[D], tokens of each document, in reading order.
        longest_segment: in packed tokens.
        state: the row, its room that is left (0: not begun), the document's place in the order, the offset
            in it, the document tokens read before. Returned as they are at the end.
        starts: int64[N, 4] to fill: epoch, place, offset and tokens read at the start of each row.
    """
    row, room, position, offset, tokens_read = state
    while row < len(rooms):
        if room == 0:
            starts[row, 0], starts[row, 1], starts[row, 2] = epoch, position, offset
            starts[row, 3] = tokens_read
            room = rooms[row]
        while room > 0:
            if position == len(lengths):
                return row, room, position, offset, tokens_read
            rest = lengths[position] - offset
            if rest > 0:
                longest = min(room, longest_segment)
                if room - longest == 1:
                    longest -= 1
                most = longest - num_bos
                taken = min(rest, most)
                if rest == most and 2 < longest < room:
                    taken -= 1
                room -= num_bos + taken
                if taken == rest and taken < most and room != 2:
                    room -= 1  # EOS
                tokens_read += taken
                offset += taken
            if offset == lengths[position]:
                position, offset = position + 1, 0
        row += 1
    return row, room, position, offset, tokens_read
