"""Score one answer against its references; every score lies in [0, 1].

exact_match   "(b)" against ("(B)",)                       1.0
f1            "the red hat" against ("red hat",)           0.8     words in common
rouge_l       "a cat sat" against ("the cat sat down",)    0.571   longest common subsequence of words
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from secondwind.evaluation.answers import normal_form
from secondwind.instruct.task import Metric

_WORD = re.compile(r"\w+")


def exact_match(answer: str, references: Sequence[str]) -> float:
    """Return 1 where the answer equals a reference in normal form, else 0."""
    return float(any(normal_form(answer, like=r) == normal_form(r, like=r) for r in references))


def f1(answer: str, references: Sequence[str]) -> float:
    """Return the best harmonic mean of precision and recall of words.

    Source: SQuAD, arXiv:1606.05250, section 6.1.
    """
    return _best(answer, references, lambda a, b: (Counter(a) & Counter(b)).total())


def rouge_l(answer: str, references: Sequence[str]) -> float:
    """Return the best ROUGE-L F-measure.

    Source: Lin, "ROUGE", 2004, section 3.
    """
    # Differs from the `rouge_score` package: words of any script count, and nothing is stemmed.
    return _best(answer, references, _common_subsequence)


METRICS: dict[Metric, Callable[[str, Sequence[str]], float]] = {
    "exact_match": exact_match,
    "f1": f1,
    "rouge_l": rouge_l,
}


def _best(answer: str, references: Sequence[str], overlap: Callable[[list[str], list[str]], int]) -> float:
    """Return the best F-measure over references, of an overlap counted in words."""
    words = _words(answer)
    best = 0.0
    for reference in references:
        other = _words(reference)
        if words and other:
            best = max(best, 2 * overlap(words, other) / (len(words) + len(other)))
    return best


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _common_subsequence(a: list[str], b: list[str]) -> int:
    """Return the length of the longest common subsequence."""
    lengths = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for place, other in enumerate(b, start=1):
            diagonal, lengths[place] = (
                lengths[place],
                diagonal + 1 if word == other else max(lengths[place], lengths[place - 1]),
            )
    return lengths[-1]
