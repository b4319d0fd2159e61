"""Interleave parts at given rates, so evenly that no prefix is off by a whole example.

    Mixture([2, 1])      part    0 1 0 0 1 0 0 1 0 ...
                         place   0 0 1 2 1 3 4 2 5 ...     among the turns of its part

Sampling parts at random would leave a rare task out of a short run by bad luck, and would make the
realised shares differ between arms. Here they are within one example of the intended, at every
prefix, for any number of parts. `MixedSource` does the like for shares of tokens.

Source: R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980): the greedy
    rule of its section 2 keeps every part within 1 - 1/(2k - 2) of its due, for k parts.
"""

import heapq
import math
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.errors import RecipeError
from secondwind.example import Example, ExampleSource
from secondwind.runs import fingerprint

_EXTENSION = 4096
_LENGTHS_AT_ONCE = 256


class Turn(NamedTuple):
    """Whose turn it is: the part, and the turn's place among those of its part."""

    part: int
    place: int


class Turns(NamedTuple):
    """Consecutive turns as arrays of one length; the places of each part are consecutive too."""

    parts: npt.NDArray[np.int32]
    places: npt.NDArray[np.int64]


class Mixture:
    """An endless, deterministic sequence of turns at the given rates.

    Looking up turn i plans all turns up to i, once; after that it is a read from memory
    (12 bytes a turn).
    """

    def __init__(self, rates: Sequence[float]) -> None:
        """Start a mixture.

        Args:
            rates: relative weights, one a part; a part with rate 0 never has a turn.

        Raises:
            RecipeError: a rate is negative or not finite, or none is positive.
        """
        self.rates = _normalised(rates)
        self._slack = 1 / max(2 * sum(rate > 0 for rate in self.rates) - 2, 2)
        self._parts = array("i")
        self._places = array("q")
        self._counts = [0] * len(rates)
        self._due: list[tuple[float, int]] = []  # parts that may have the next turn, by deadline
        self._early = [(self._slack / rate, part) for part, rate in enumerate(self.rates) if rate > 0]
        heapq.heapify(self._early)

    def __getitem__(self, number: int) -> Turn:
        """Return turn `number`, counted from 0."""
        if number < 0:
            raise IndexError(f"a mixture has turns 0, 1, 2, ...; got {number}")
        self._extend(number + 1)
        return Turn(self._parts[number], self._places[number])

    def turns(self, start: int, stop: int) -> Turns:
        """Return turns start .. stop - 1 as arrays."""
        self._extend(stop)
        return Turns(
            np.array(self._parts[start:stop], dtype=np.int32),
            np.array(self._places[start:stop], dtype=np.int64),
        )

    def counts(self, stop: int) -> npt.NDArray[np.int64]:
        """Count the turns of each part among turns 0 .. stop - 1."""
        return np.bincount(self.turns(0, stop).parts, minlength=len(self.rates)).astype(np.int64)

    def _extend(self, stop: int) -> None:
        """Plan ahead; the step makes a look-up in rising order O(1) on average."""
        if stop > len(self._parts):
            for _ in range(max(stop - len(self._parts), _EXTENSION)):
                self._plan_one()

    def _plan_one(self) -> None:
        """Give the turn to the due part with the earliest deadline.

        Part p with rate r may have its m-th turn (m = 0, 1, ...) from time (m + slack) / r on, and
        must have had it by time (m + 1 - slack) / r.
        """
        now = len(self._parts) + 1
        # Some part is always due, save for rounding: then the one that is due next is taken.
        while self._early and (self._early[0][0] <= now or not self._due):
            _, part = heapq.heappop(self._early)
            deadline = (self._counts[part] + 1 - self._slack) / self.rates[part]
            heapq.heappush(self._due, (deadline, part))
        _, part = heapq.heappop(self._due)
        self._parts.append(part)
        self._places.append(self._counts[part])
        self._counts[part] += 1
        heapq.heappush(self._early, ((self._counts[part] + self._slack) / self.rates[part], part))


class MixedSource:
    """Several example sources that share the tokens: itself an `ExampleSource`.

        shares .5 .5     lengths of part 0: 4 4 4 ...     of part 1: 8 8 8 ...
        turns            0 1 0 0 1 0 0 1 ...

    Each turn goes to the part whose tokens so far are least for its share. At any prefix no part is
    ahead of its due by more than one of its own examples, whatever the lengths: a part that has the
    turn is not ahead before it.
    """

    def __init__(self, sources: Sequence[ExampleSource], shares: Sequence[float]) -> None:
        """Mix `sources` so that each has its share of the tokens, BOS included.

        Raises:
            RecipeError: the shares cannot be used, or their number is not that of the sources.
        """
        if len(sources) != len(shares):
            raise RecipeError(
                f"a mixture got {len(sources)} sources and {len(shares)} shares; wanted one share for each "
                "source. Correct the mixture."
            )
        self.sources = tuple(sources)
        self.shares = _normalised(shares)
        self._parts, self._places, self._lengths = array("i"), array("q"), array("q")
        self._tokens = [0] * len(sources)
        self._counts = [0] * len(sources)
        self._ahead: list[list[int]] = [[] for _ in sources]  # lengths of the next examples, last one first

    def turns(self, start: int, stop: int) -> Turns:
        """Return whose examples start .. stop - 1 are."""
        self._extend(stop)
        return Turns(
            np.array(self._parts[start:stop], dtype=np.int32),
            np.array(self._places[start:stop], dtype=np.int64),
        )

    def lengths(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the packed lengths of examples start .. stop - 1."""
        self._extend(stop)
        return np.array(self._lengths[start:stop], dtype=np.int64)

    def __getitem__(self, index: int) -> Example:
        """Build one example, by the source whose turn it is."""
        turn = self._turn(index)
        return self.sources[turn.part][turn.place]

    def examples(self, indices: Sequence[int]) -> Sequence[Example]:
        """Build several examples, each source's together."""
        turns = [self._turn(index) for index in indices]
        found: dict[int, Iterator[Example]] = {}
        for part in {turn.part for turn in turns}:
            places = [turn.place for turn in turns if turn.part == part]
            found[part] = iter(self.sources[part].examples(places))
        return [next(found[turn.part]) for turn in turns]

    def fingerprint(self) -> str:
        """Return a hash of the sources and their shares."""
        return fingerprint(
            {
                "token_shares": list(self.shares),
                "sources": [source.fingerprint() for source in self.sources],
            }
        )

    def _turn(self, index: int) -> Turn:
        if index < 0:
            raise IndexError(f"a mixed source has examples 0, 1, 2, ...; got {index}")
        self._extend(index + 1)
        return Turn(self._parts[index], self._places[index])

    def _extend(self, stop: int) -> None:
        used = [part for part, share in enumerate(self.shares) if share > 0]
        while len(self._parts) < stop:
            part = min(used, key=lambda part: self._tokens[part] / self.shares[part])
            place, length = self._counts[part], self._next_length(part)
            self._parts.append(part)
            self._places.append(place)
            self._lengths.append(length)
            self._counts[part] += 1
            self._tokens[part] += length

    def _next_length(self, part: int) -> int:
        """Return the length of a part's next example; a source is asked for many at a time."""
        if not self._ahead[part]:
            place = self._counts[part]
            self._ahead[part] = self.sources[part].lengths(place, place + _LENGTHS_AT_ONCE).tolist()[::-1]
        return self._ahead[part].pop()


def _normalised(rates: Sequence[float]) -> tuple[float, ...]:
    if not all(math.isfinite(rate) and rate >= 0 for rate in rates) or not any(rates):
        raise RecipeError(
            f"a mixture needs rates that are finite and not negative, at least one of them above 0; "
            f"got {list(rates)}. Correct the rates, or leave out the parts that should not be used."
        )
    total = math.fsum(rates)  # exact, so the same on every platform
    return tuple(rate / total for rate in rates)
