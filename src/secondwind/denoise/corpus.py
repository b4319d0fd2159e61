"""A corpus under a mixture of denoisers: documents become windows, windows become examples.

    document  a b c d e f g h i j k l m          room for 10 packed tokens
    windows   [a b c d e f | R]  [g h i j k l m | S]

Each window draws its denoiser first and is then the longest span of the document whose denoised
total fits the room, so that no example is ever truncated. An example depends on (seed, epoch,
document, window) alone.

Source: planning on exact lengths before corruption follows Levanter's UL2R; the keyed choice is ours.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from secondwind.data.order import document_order
from secondwind.data.shards import TokenShards
from secondwind.denoise.corrupt import denoise, denoised_length
from secondwind.denoise.denoisers import CausalDenoiser, Denoiser, DenoiserMixture
from secondwind.errors import ExampleError
from secondwind.example import Example
from secondwind.randomness import Draws, key
from secondwind.runs import fingerprint
from secondwind.vocabulary import Vocabulary

_EPOCHS_KEPT = 2  # plans of epochs in memory: the one being read and the one before it


@dataclass(frozen=True)
class _EpochPlan:
    """Every window of one epoch, as parallel arrays of length N (windows)."""

    document: npt.NDArray[np.int64]
    window: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    denoiser: npt.NDArray[np.int64]
    packed: npt.NDArray[np.int64]


class DenoisedCorpus:
    """An endless `ExampleSource` over token shards."""

    def __init__(
        self,
        shards: TokenShards,
        mixture: DenoiserMixture,
        vocabulary: Vocabulary,
        *,
        seed: int,
        room: int,
        mode_token_dropout: float = 0.0,
    ) -> None:
        """Prepare windows of at most `room` packed tokens, BOS and EOS included.

        Args:
            mode_token_dropout: share of examples without their mode token, in [0, 1].
        """
        self._shards, self._vocabulary, self._seed, self._room = shards, vocabulary, seed, room
        # With mode-token dropout each denoiser stands twice in the table: with its mode token and without.
        self._table = _with_dropout(mixture, mode_token_dropout)
        self._cumulative = list(accumulate(rate for _, rate in self._table))
        self._longest = [_longest_window(d, vocabulary, room) for d, _ in self._table]
        self._packed: list[list[list[int]]] = [
            [_packed_lengths(longest, d, vocabulary, ends_document=ends) for ends in (False, True)]
            for longest, (d, _) in zip(self._longest, self._table, strict=True)
        ]
        self._first_of_epoch = [0]
        self._plan = lru_cache(maxsize=_EPOCHS_KEPT)(self._plan_epoch)
        self._identity = fingerprint(
            {
                "shards": shards.fingerprint(),
                "mixture": [[repr(d), rate] for d, rate in self._table],
                "vocabulary": vocabulary.to_json(),
                "seed": seed,
                "room": room,
            }
        )

    def fingerprint(self) -> str:
        """Return a hash of shards, mixture, vocabulary, seed and room."""
        return self._identity

    def rates(self) -> dict[str, float]:
        """Return the intended share of examples of each denoiser, by name."""
        rates: dict[str, float] = {}
        for denoiser, rate in self._table:
            rates[denoiser.name] = rates.get(denoiser.name, 0.0) + rate
        total = sum(rates.values())
        return {name: rate / total for name, rate in rates.items()}

    def lengths(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the packed lengths of examples start .. stop - 1."""
        parts: list[npt.NDArray[np.int64]] = []
        while start < stop:
            epoch, offset = self._locate(start)
            part = self._plan(epoch).packed[offset : offset + stop - start]
            parts.append(part)
            start += len(part)
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def __getitem__(self, index: int) -> Example:
        """Corrupt one window."""
        epoch, offset = self._locate(index)
        plan = self._plan(epoch)
        document, window = int(plan.document[offset]), int(plan.window[offset])
        start, length = int(plan.start[offset]), int(plan.length[offset])
        tokens = self._shards.document(document)
        return denoise(
            tokens[start : start + length],
            self._table[int(plan.denoiser[offset])][0],
            self._vocabulary,
            key=key(self._seed, "denoise", epoch, document, window),
            ends_document=start + length == len(tokens),
        )

    def window(self, index: int) -> npt.NDArray[np.int32]:
        """Return the raw tokens that example `index` was made from."""
        epoch, offset = self._locate(index)
        plan = self._plan(epoch)
        start = int(plan.start[offset])
        return self._shards.document(int(plan.document[offset]))[start : start + int(plan.length[offset])]

    def denoiser(self, index: int) -> Denoiser:
        """Return the denoiser that makes example `index`; a window of one token is causal."""
        epoch, offset = self._locate(index)
        if self.window_length(index) == 1:
            return CausalDenoiser("C")
        return self._table[int(self._plan(epoch).denoiser[offset])][0]

    def window_length(self, index: int) -> int:
        """Return how many raw tokens example `index` is made from."""
        epoch, offset = self._locate(index)
        return int(self._plan(epoch).length[offset])

    def _locate(self, index: int) -> tuple[int, int]:
        """Find the epoch of an example and its place there."""
        while index >= self._first_of_epoch[-1]:
            planned = self._plan(len(self._first_of_epoch) - 1)
            self._first_of_epoch.append(self._first_of_epoch[-1] + len(planned.packed))
        epoch = int(np.searchsorted(self._first_of_epoch, index, side="right")) - 1
        return epoch, index - self._first_of_epoch[epoch]

    def _plan_epoch(self, epoch: int) -> _EpochPlan:
        rows: list[tuple[int, int, int, int, int, int]] = []
        lengths: list[int] = self._shards.lengths.tolist()
        order = document_order(self._shards.num_documents, seed=self._seed, epoch=epoch)
        documents: list[int] = order.tolist()
        for document in documents:
            start, window, remaining = 0, 0, lengths[document]
            while remaining:
                choice = self._choose(epoch, document, window)
                length = min(self._longest[choice], remaining)
                packed = self._packed[choice][length == remaining][length]
                if packed > self._room:  # only EOS at the document's end can do that
                    length -= 1
                    packed = self._packed[choice][False][length]
                rows.append((document, window, start, length, choice, packed))
                start, window, remaining = start + length, window + 1, remaining - length
        if not rows:
            raise ExampleError("the corpus has no tokens; wanted at least one non-empty document.")
        columns = np.asarray(rows, dtype=np.int64).T
        return _EpochPlan(*columns)

    def _choose(self, epoch: int, document: int, window: int) -> int:
        """Draw the denoiser of one window."""
        if len(self._table) == 1:
            return 0
        draw = Draws(key(self._seed, "denoiser", epoch, document, window)).uniform()
        return min(bisect_right(self._cumulative, draw * self._cumulative[-1]), len(self._table) - 1)


def _with_dropout(mixture: DenoiserMixture, dropout: float) -> Sequence[tuple[Denoiser, float]]:
    table: list[tuple[Denoiser, float]] = []
    for denoiser, rate in mixture:
        if denoiser.mode is None or dropout == 0:
            table.append((denoiser, rate))
            continue
        table += [(denoiser, rate * (1 - dropout)), (replace(denoiser, mode=None), rate * dropout)]
    return [(denoiser, rate) for denoiser, rate in table if rate > 0]


def _packed_length(length: int, denoiser: Denoiser, vocabulary: Vocabulary, *, ends_document: bool) -> int:
    # The key only moves S's pivot, which leaves the total as it is.
    inputs, targets = denoised_length(length, denoiser, vocabulary, key=0, ends_document=ends_document)
    return inputs + targets + int(vocabulary.bos is not None)


def _packed_lengths(
    longest: int, denoiser: Denoiser, vocabulary: Vocabulary, *, ends_document: bool
) -> list[int]:
    """Tabulate the packed length of windows of 0 .. longest tokens; there are no windows of 0."""
    return [
        0,
        *(
            _packed_length(length, denoiser, vocabulary, ends_document=ends_document)
            for length in range(1, longest + 1)
        ),
    ]


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
