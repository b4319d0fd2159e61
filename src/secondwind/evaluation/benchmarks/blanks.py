"""Infilling items from any text: hide a few words, keep both sides.

    text   "The old cat sat on the mat and slept."
    item   "The old ___ sat on the ___ and slept."     answers ("cat", "mat")

Words are split at white space; a blank never touches another, and never stands first or last, so that
something is known on both sides.

    documents   0: a b c    1: d    2: e f          letters are passages
    in turn     a d e  b f  c                       every document gives one before any gives a second
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from secondwind.errors import DataError
from secondwind.evaluation.infilling import BLANK
from secondwind.evaluation.suite import InfillingBenchmark, InfillingItem
from secondwind.randomness import Draws, key

_WORDS = 40
_MOST_BLANKS = 2
_STRIDE = 8  # passages; the first ones asked of a long document lie this far apart


class Passage(NamedTuple):
    """A stretch of a text.

    Args:
        group: what its items share, for intervals: passages of one document are not independent.
    """

    group: str
    text: str


def infilling_benchmark(
    passages: Iterable[Passage], *, name: str = "infilling", num_items: int = 200, seed: int = 0
) -> InfillingBenchmark:
    """Make one item from each passage that is long enough, until there are `num_items`.

    Raises:
        DataError: no passage has 40 words.
    """
    items: list[InfillingItem] = []
    for number, passage in enumerate(passages):
        words = passage.text.split()
        if len(words) >= _WORDS and BLANK not in passage.text:
            items.append(_item(words, number, passage.group, seed))
        if len(items) == num_items:
            break
    if not items:
        raise DataError(
            f"no text has {_WORDS} words in a row, so there is nothing to blank out. Hold out longer "
            "documents (corpus.held_out), or leave the suite infilling out."
        )
    return InfillingBenchmark(name, tuple(items))


def in_turn(documents: Iterable[Iterator[str]]) -> Iterator[Passage]:
    """Yield the first passage of every document, then the second of those that have one, and so on.

    A few long documents would else fill a benchmark, and few documents say little about others. The group
    of a passage is the number of its document.

    Args:
        documents: the passages of each document; none is opened before it is needed.
    """
    left: Iterable[tuple[int, Iterator[str]]] = enumerate(documents)
    while left:
        longer: list[tuple[int, Iterator[str]]] = []
        for number, passages in left:
            text = next(passages, None)
            if text is not None:
                yield Passage(f"{number}", text)
                longer.append((number, passages))
        left = longer


def stretches(length: int, *, size: int) -> Iterator[slice]:
    """Cut 0 .. length into stretches of `size`; far ones come first, so that a few are not all alike."""
    for first in range(_STRIDE):
        for start in range(first * size, length, _STRIDE * size):
            yield slice(start, start + size)


def _item(words: list[str], number: int, group: str, seed: int) -> InfillingItem:
    """Cut a passage and hide one or two plain words of it, half of the items each."""
    draws = Draws(key(seed, "infilling item", number))
    start = draws.below(len(words) - _WORDS + 1)
    passage = words[start : start + _WORDS]
    plain = [place for place in range(3, _WORDS - 3) if passage[place].isalpha()]
    wanted = 1 + draws.below(_MOST_BLANKS)
    chosen: list[int] = []
    for place in draws.shuffled(plain):
        if len(chosen) < wanted and all(abs(place - other) > 1 for other in chosen):
            chosen.append(place)
    chosen = sorted(chosen) or [_WORDS // 2]
    text = " ".join(BLANK if place in chosen else word for place, word in enumerate(passage))
    return InfillingItem(text, tuple(passage[place] for place in chosen), id=f"{number}", group=group)
