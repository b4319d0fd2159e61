"""A corpus under a mixture of denoisers: an endless source of examples.

    shards -- windows.py --> windows -- many.py --> examples

An example depends on (seed, epoch, document, window) alone. Windows are planned in chunks of documents, some
ten thousand windows each, as they are reached; of the chunks before them only the number of windows is kept,
which is the source's index: with it, example n is found at once.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.data.order import document_order
from secondwind.data.shards import TokenShards
from secondwind.denoise.corrupt import denoise
from secondwind.denoise.denoisers import Denoiser, DenoiserMixture, for_window, require_rates
from secondwind.denoise.many import denoise_many
from secondwind.denoise.windows import WindowCutter, WindowPlan
from secondwind.errors import ExampleError
from secondwind.example import Example, Tokens
from secondwind.randomness import key, keys
from secondwind.runs import fingerprint
from secondwind.vocabulary import Vocabulary

_CHUNK_WINDOWS = 32_768  # about so many windows are planned together: few enough to find one at once
_CHUNKS_KEPT = 16  # plans in memory
_NOISE = "denoise"  # the purpose of an example's key


class DenoisedCorpus:
    """An endless `ExampleSource` over token shards."""

    def __init__(
        self,
        shards: TokenShards,
        mixture: DenoiserMixture,
        vocabulary: Vocabulary,
        *,
        seed: int,
        room: int | Sequence[int],
        mode_token_dropout: float = 0.0,
    ) -> None:
        """Prepare windows of at most `room` packed tokens, BOS and EOS included.

        Args:
            room: for all denoisers, or one for each in the order of the mixture.
            mode_token_dropout: share of examples without their mode token, in [0, 1].
        """
        require_rates(mixture)
        if not 0 <= mode_token_dropout <= 1:
            raise ExampleError(f"mode_token_dropout is {mode_token_dropout}; wanted a share in [0, 1].")
        rooms = [room] * len(mixture) if isinstance(room, int) else list(room)
        if len(rooms) != len(mixture):
            raise ExampleError(
                f"a mixture of {len(mixture)} denoisers got {len(rooms)} rooms; wanted one for each, or one "
                "number for all."
            )
        if shards.num_tokens == 0:
            raise ExampleError("the corpus has no tokens; wanted at least one non-empty document.")
        self._shards, self._vocabulary, self._seed = shards, vocabulary, seed
        # With mode-token dropout each denoiser stands twice in the table: with its mode token and without.
        entries = _with_dropout(mixture, rooms, mode_token_dropout)
        self._table = [(denoiser, rate) for denoiser, rate, _ in entries]
        self._denoisers = [denoiser for denoiser, _ in self._table]
        self._cutter = WindowCutter(self._table, [room for *_, room in entries], vocabulary, seed=seed)
        # Short documents have a window each, long ones one for each room.
        windows = shards.num_documents + shards.num_tokens // min(rooms)
        self._chunk_documents = max(1, _CHUNK_WINDOWS * shards.num_documents // windows)
        self._first_of_chunk = array("q", [0])
        self._plan = lru_cache(maxsize=_CHUNKS_KEPT)(self._plan_chunk)
        self._identity = {
            "corpus": shards.fingerprint(),
            "chunk": _CHUNK_WINDOWS,  # an index of rows names places in chunks
            "mixture": {
                str(number): [repr(denoiser), rate, room]
                for number, (denoiser, rate, room) in enumerate(entries)
            },
            "vocabulary": fingerprint(vocabulary.to_json()),
            "seed": seed,
        }

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the examples, as JSON: hashes of what is large."""
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
        parts: list[npt.NDArray[np.integer]] = []
        while start < stop:
            plan, offset = self._locate(start)
            part = plan.packed[offset : offset + stop - start]
            parts.append(part)
            start += len(part)
        return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)

    def __getitem__(self, index: int) -> Example:
        """Corrupt one window, by the reference."""
        window = self._find(index)
        return denoise(
            self._tokens(window),
            window.drawn,
            self._vocabulary,
            key=key(self._seed, _NOISE, window.epoch, window.document, window.number),
            ends_document=window.ends_document,
        )

    def examples(self, indices: Sequence[int]) -> Sequence[Example]:
        """Corrupt several windows at once: the same as `[self[index] for index in indices]`, faster."""
        windows = [self._find(index) for index in indices]
        if not windows:
            return []
        epochs, documents, numbers = np.asarray([window[:3] for window in windows], dtype=np.int64).T
        found = denoise_many(
            np.concatenate([self._tokens(window) for window in windows]),
            np.cumsum([0, *(window.length for window in windows)]),
            self._denoisers,
            [window.place for window in windows],
            self._vocabulary,
            keys=keys(self._seed, _NOISE, epochs, documents, numbers),
            ends_document=[window.ends_document for window in windows],
        )
        return list(found.examples([window.denoiser.name for window in windows]))

    def window(self, index: int) -> Tokens:
        """Return the raw tokens that example `index` was made from."""
        return self._tokens(self._find(index))

    def denoiser(self, index: int) -> Denoiser:
        """Return the denoiser that makes example `index`; a window of one token is causal."""
        return self._find(index).denoiser

    def window_length(self, index: int) -> int:
        """Return how many raw tokens example `index` is made from."""
        return self._find(index).length

    def window_lengths(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return how many raw tokens each example is made from; fastest for rising indices."""
        parts = [plan.length[places] for plan, places in self._located(indices)]
        return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)

    def count_by_name(self, indices: npt.NDArray[np.int64]) -> dict[str, int]:
        """Count examples by the name of the denoiser that makes them; fastest for rising indices."""
        counts: dict[str, int] = {}
        for plan, places in self._located(indices):
            for length in (1, 2):  # one token, or more: see for_window
                drawn = plan.denoiser[places][np.minimum(plan.length[places], 2) == length]
                found: list[int] = np.bincount(drawn, minlength=len(self._denoisers)).tolist()
                for denoiser, count in zip(self._denoisers, found, strict=True):
                    name = for_window(denoiser, length).name
                    counts[name] = counts.get(name, 0) + count
        return {name: count for name, count in counts.items() if count}

    def index(self) -> npt.NDArray[np.int64]:
        """Return the number of the first example of each chunk that was planned so far, and of the next."""
        return np.array(self._first_of_chunk, dtype=np.int64)

    def adopt(self, index: npt.NDArray[np.int64]) -> None:
        """Take over what `index()` returned for the same corpus."""
        if len(index) > len(self._first_of_chunk):
            self._first_of_chunk = array("q", index.tobytes())

    def _tokens(self, window: "_Window") -> Tokens:
        return self._shards.document(window.document)[window.start : window.start + window.length]

    def _find(self, index: int) -> "_Window":
        plan, offset = self._locate(index)
        document, start, length = (int(c[offset]) for c in (plan.document, plan.start, plan.length))
        place = int(plan.denoiser[offset])
        return _Window(
            epoch=plan.epoch,
            document=document,
            number=int(plan.window[offset]),
            start=start,
            length=length,
            place=place,
            drawn=self._denoisers[place],
            ends_document=start + length == int(self._shards.lengths[document]),
        )

    def _locate(self, index: int) -> tuple[WindowPlan, int]:
        """Find the plan that holds an example, and its place there; chunks not reached yet are planned."""
        if index < 0:
            raise IndexError(f"a corpus has examples 0, 1, 2, ...; got {index}")
        while index >= self._first_of_chunk[-1]:
            planned = self._plan(len(self._first_of_chunk) - 1)
            self._first_of_chunk.append(self._first_of_chunk[-1] + len(planned))
        chunk = bisect_right(self._first_of_chunk, index) - 1
        return self._plan(chunk), index - self._first_of_chunk[chunk]

    def _located(self, indices: npt.NDArray[np.int64]) -> Iterator[tuple[WindowPlan, npt.NDArray[np.int64]]]:
        """Yield the plans that hold examples, and their places there, chunk by chunk."""
        while len(indices):
            plan, place = self._locate(int(indices[0]))
            places = indices - (indices[0] - place)
            outside = (places < 0) | (places >= len(plan))
            several = int(outside.argmax()) if outside.any() else len(indices)
            yield plan, places[:several]
            indices = indices[several:]

    def _plan_chunk(self, chunk: int) -> WindowPlan:
        num_documents = self._shards.num_documents
        epoch, part = divmod(chunk, -(-num_documents // self._chunk_documents))
        first = part * self._chunk_documents
        places = range(first, min(first + self._chunk_documents, num_documents))
        order = document_order(num_documents, seed=self._seed, epoch=epoch, places=places)
        return self._cutter.cut(self._shards.lengths, order, epoch=epoch)


class _Window(NamedTuple):
    """One window of the plan, found; `place` and `drawn` are the denoiser that was drawn for it."""

    epoch: int
    document: int
    number: int
    start: int
    length: int
    place: int
    drawn: Denoiser
    ends_document: bool

    @property
    def denoiser(self) -> Denoiser:
        """Return the denoiser that is used: a window of one token has nothing to hide."""
        return for_window(self.drawn, self.length)


def _with_dropout(
    mixture: DenoiserMixture, rooms: Sequence[int], dropout: float
) -> list[tuple[Denoiser, float, int]]:
    table: list[tuple[Denoiser, float, int]] = []
    for (denoiser, rate), room in zip(mixture, rooms, strict=True):
        if denoiser.mode is None or dropout == 0:
            table.append((denoiser, rate, room))
            continue
        table.append((denoiser, rate * (1 - dropout), room))
        table.append((replace(denoiser, mode=None), rate * dropout, room))
    return [entry for entry in table if entry[1] > 0]
