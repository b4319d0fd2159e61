"""Where documents are cut into windows, and which denoiser each window gets.

    document  a b c d e f g h i j k l m          room for 10 packed tokens
    windows   [a b c d e f | R]  [g h i j k l m | S]

Each window draws its denoiser first and is then the longest span of the document whose denoised total
fits the denoiser's room, so that no example is ever truncated. All lengths are known before a token is
read.

Documents are cut in parallel: first the first window of every document, then the second of those that
go on, and so on; the few that go on for very long are then cut one by one.

Source: planning on exact lengths before corruption follows Levanter's UL2R; the keyed choice is ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from secondwind.denoise.corrupt import denoised_length
from secondwind.denoise.denoisers import Denoiser
from secondwind.errors import ExampleError
from secondwind.randomness import keys, uniforms
from secondwind.vocabulary import Vocabulary

Integers = npt.NDArray[np.integer]

_FEW_DOCUMENTS = 64  # fewer are faster one by one
_WINDOWS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class WindowPlan:
    """Every window of some documents of one epoch, in the order in which they are read; N windows.

    Args:
        document: int32[N].
        window: int32[N], counts from 0 in each document.
        start: int64[N], the window's first token within its document.
        length: int32[N], raw tokens.
        denoiser: int16[N], a place in the cutter's table.
        packed: int32[N], tokens in a row, BOS and EOS included.
    """

    epoch: int
    document: Integers
    window: Integers
    start: Integers
    length: Integers
    denoiser: Integers
    packed: Integers

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.document)


class WindowCutter:
    """Cuts documents into windows for a table of denoisers."""

    def __init__(
        self,
        table: Sequence[tuple[Denoiser, float]],
        rooms: Sequence[int],
        vocabulary: Vocabulary,
        *,
        seed: int,
    ) -> None:
        """Tabulate the packed length of every window of every denoiser.

        Args:
            rooms: the packed tokens that a window of each denoiser may fill.

        Raises:
            ExampleError: a room is too small for any window.
        """
        self._seed = seed
        self._rooms = np.asarray(rooms)
        self._cumulative: npt.NDArray[np.float64] = np.cumsum([rate for _, rate in table])
        denoisers = [denoiser for denoiser, _ in table]
        longest = [_longest_window(d, vocabulary, room) for d, room in zip(denoisers, rooms, strict=True)]
        self._longest = np.asarray(longest)
        # [denoiser, ends its document, window length] -> packed length
        self._packed = np.zeros((len(table), 2, max(longest) + 1), dtype=np.int32)
        for place, (denoiser, most) in enumerate(zip(denoisers, longest, strict=True)):
            for ends in (False, True):
                self._packed[place, int(ends), 1 : most + 1] = [
                    _packed_length(length, denoiser, vocabulary, ends_document=ends)
                    for length in range(1, most + 1)
                ]

    def cut(self, lengths: Integers, order: Integers, *, epoch: int) -> WindowPlan:
        """Cut documents of one epoch, each by itself: the rest of the epoch makes no difference.

        Args:
            lengths: int[D], tokens of each document of the corpus.
            order: int[K], which documents to cut, as the epoch reads them.
        """
        waves = [_columns([], [], [], [], [], [])]  # documents without tokens have no windows
        place = np.flatnonzero(lengths[order] > 0)  # of a document in `order`
        start, window = np.zeros(len(place), dtype=np.int64), 0
        while len(place) > _FEW_DOCUMENTS:
            document = order[place]
            remaining = lengths[document] - start
            choice = self._choose(epoch, document, window)
            length = np.minimum(self._longest[choice], remaining)
            ends = length == remaining
            # The longest window leaves no room for the EOS of a document that ends with it.
            too_long = self._packed[choice, ends.astype(np.intp), length] > self._rooms[choice]
            length, ends = length - too_long, ends & ~too_long
            packed = self._packed[choice, ends.astype(np.intp), length]
            windows = np.full(len(place), window)
            waves.append(_columns(place, windows, start, length, choice, packed))
            place, start = place[~ends], (start + length)[~ends]
            window += 1
        for one, first in zip(place.tolist(), start.tolist(), strict=True):
            document = int(order[one])
            waves += self._cut_rest(one, document, int(lengths[document]), first, window, epoch=epoch)
        columns: list[Integers] = [np.concatenate(column) for column in zip(*waves, strict=True)]
        places = columns.pop(0)
        by_document = np.argsort(places, kind="stable")  # waves are in order already
        document = order[places[by_document]].astype(np.int32)
        return WindowPlan(epoch, document, *(column[by_document] for column in columns))

    def _cut_rest(
        self, place: int, document: int, length: int, start: int, window: int, *, epoch: int
    ) -> Iterator[tuple[Integers, ...]]:
        """Cut what is left of one long document, many windows at a time: waves of one would be slow."""
        longest, rooms = self._longest.tolist(), self._rooms.tolist()
        while start < length:
            numbers = np.arange(window, window + _WINDOWS_AT_ONCE)
            choices = self._choose(epoch, np.full(_WINDOWS_AT_ONCE, document), numbers)
            starts: list[int] = []
            lengths: list[int] = []
            packed: list[int] = []
            for choice in choices.tolist():
                remaining = length - start
                size = min(longest[choice], remaining)
                total = int(self._packed[choice, int(size == remaining), size])
                if total > rooms[choice]:
                    size -= 1
                    total = int(self._packed[choice, 0, size])
                starts.append(start)
                lengths.append(size)
                packed.append(total)
                start += size
                if start == length:
                    break
            count = len(starts)
            places = np.full(count, place)
            yield _columns(places, numbers[:count], starts, lengths, choices[:count], packed)
            window += count

    def _choose(self, epoch: int, document: Integers, window: int | Integers) -> npt.NDArray[np.intp]:
        """Draw the denoiser of each window: int[N] from documents and window numbers."""
        last = len(self._cumulative) - 1
        if last == 0:
            return np.zeros(len(document), dtype=np.intp)
        draws = uniforms(keys(self._seed, "denoiser", epoch, document, window)) * self._cumulative[-1]
        passed = self._cumulative[:, None] <= draws
        return np.minimum(passed.sum(axis=0, dtype=np.intp), last)


def _columns(
    place: npt.ArrayLike,
    window: npt.ArrayLike,
    start: npt.ArrayLike,
    length: npt.ArrayLike,
    choice: npt.ArrayLike,
    packed: npt.ArrayLike,
) -> tuple[Integers, ...]:
    """Hold windows in the types of the plan."""
    return (
        np.asarray(place, dtype=np.int32),
        np.asarray(window, dtype=np.int32),
        np.asarray(start, dtype=np.int64),
        np.asarray(length, dtype=np.int32),
        np.asarray(choice, dtype=np.int16),
        np.asarray(packed, dtype=np.int32),
    )


def _packed_length(length: int, denoiser: Denoiser, vocabulary: Vocabulary, *, ends_document: bool) -> int:
    # The key only moves S's pivot, which leaves the total as it is.
    inputs, targets = denoised_length(length, denoiser, vocabulary, key=0, ends_document=ends_document)
    return inputs + targets + int(vocabulary.bos is not None)


def _longest_window(denoiser: Denoiser, vocabulary: Vocabulary, room: int) -> int:
    """Find the longest window that fits the room where the document goes on behind it."""
    longest = room
    while longest and _packed_length(longest, denoiser, vocabulary, ends_document=False) > room:
        longest -= 1
    if longest < 2:
        raise ExampleError(
            f"no window of denoiser '{denoiser.name}' fits a room of {room} tokens. Raise row_length or "
            "lower examples_per_row."
        )
    return longest
