"""Infilling items from any text: hide a few words, keep both sides.

    text   "The old cat sat on the mat and slept."
    item   "The old ___ sat on the ___ and slept."     answers ("cat", "mat")

Words are split at white space; a blank never touches another, and never stands first or last, so that
something is known on both sides.
"""

from collections.abc import Iterable

from secondwind.errors import DataError
from secondwind.evaluation.infilling import BLANK
from secondwind.evaluation.suite import InfillingBenchmark, InfillingItem
from secondwind.randomness import Draws, key

_WORDS = 40
_MOST_BLANKS = 2


def infilling_benchmark(
    texts: Iterable[str], *, name: str = "infilling", num_items: int = 200, seed: int = 0
) -> InfillingBenchmark:
    """Make one item from each text that is long enough, until there are `num_items`.

    Raises:
        DataError: no text has a passage of at least 40 words.
    """
    items: list[InfillingItem] = []
    for number, text in enumerate(texts):
        words = text.split()
        if len(words) >= _WORDS and BLANK not in text:
            items.append(_item(words, number, seed))
        if len(items) == num_items:
            break
    if not items:
        raise DataError(
            f"no text has {_WORDS} words in a row, so there is nothing to blank out. Hold out longer "
            "documents (corpus.held_out), or leave the suite infilling out."
        )
    return InfillingBenchmark(name, tuple(items))


def _item(words: list[str], number: int, seed: int) -> InfillingItem:
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
    return InfillingItem(text, tuple(passage[place] for place in chosen), id=f"{number}", group=f"{number}")
