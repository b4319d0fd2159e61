"""Read an answer out of what a model wrote, and bring it into a form that can be compared.

    written (cot)     " Ann has 2 + 3 = 5 hens. So the answer is 5.\\n\\nQ: Tom has"
    extracted         "5"
    normal form       "5"        also for "5.0", "$5", "**5**"

    written (direct)  " (B)\\n\\nQ: Which"      ->  "(B)"  ->  "b", as for "B", "B." and "(b) kite"

Looser than the regular expressions in common use, which cut the last character of an answer without a
final period ("the answer is No" -> "N") and take two answers in one line for one. The raw text is
always stored beside the score, so other rules can be applied later.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from secondwind.evaluation.suite import Mode

_MARKER = re.compile(r"\bthe\s+(?:correct\s+|final\s+)?answer\s+is\b\s*:?", re.IGNORECASE)
_NEXT_QUESTION = re.compile(r"\n\s*\n|\nQ:|\nQuestion:")
_SENTENCE_END = re.compile(r"(?<!\bMr)(?<!\bDr)(?<!\bMs)(?<!\bMrs)(?<!\bSt)\.(?=\s+[A-Z(]|\s*$)")
_LETTERED = re.compile(r"\(([A-Za-z])\)|([A-Za-z])")
_LEADING_LETTER = re.compile(r"(?:[Oo]ption\s+)?(?:\(([A-Za-z])\)|([A-Za-z])(?=\s*$|[.):,]))")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_DECORATION = " \t\r\n\"'`*_$“”‘’"


def extract(written: str, *, mode: Mode) -> str | None:
    """Return the answer in what a model wrote, or None where there is none.

    Direct: the first line, or what follows "the answer is" in it. Chain of thought: what follows the
    last "the answer is" before the model goes on to a question of its own.
    """
    text = written.strip()
    if mode == "direct":
        text = text.split("\n", 1)[0]
        return _cleaned(_MARKER.split(text)[-1])
    text = _NEXT_QUESTION.split(text, maxsplit=1)[0]
    pieces = _MARKER.split(text)
    return _cleaned(pieces[-1].strip().split("\n", 1)[0]) if len(pieces) > 1 else None


def _cleaned(answer: str) -> str | None:
    """Cut at the end of the sentence and strip quotes and emphasis."""
    return _SENTENCE_END.split(answer.strip(), maxsplit=1)[0].strip(_DECORATION) or None


def normal_form(answer: str, *, like: str) -> str:
    """Bring an answer into the form of its reference: a letter, a number, or folded text.

    Args:
        like: the reference; "(B)" and "B" want a letter, "1,800" wants a number, all else text.
    """
    text = unicodedata.normalize("NFKC", answer).strip(_DECORATION)
    reference = unicodedata.normalize("NFKC", like).strip(_DECORATION)
    if _LETTERED.fullmatch(reference):
        found = _LEADING_LETTER.match(text)
        return (found[1] or found[2]).lower() if found else text.casefold()
    if _NUMBER.fullmatch(reference):
        return _number(text)
    return " ".join(text.casefold().split()).rstrip(".")


def _number(text: str) -> str:
    """Return the first number after the last equals sign, without separators and trailing zeros."""
    found = _NUMBER.search(text.rsplit("=", 1)[-1])
    if found is None:
        return text.casefold()
    try:
        value = Decimal(found[0].replace(",", ""))
    except InvalidOperation:
        return text.casefold()
    return format(value.normalize(), "f") if value else "0"


def majority(answers: Sequence[str | None], *, like: str) -> str | None:
    """Return the answer that most samples gave; failures have no vote, the first seen wins a tie.

    Source: self-consistency, arXiv:2203.11171, section 2.
    """
    given = [answer for answer in answers if answer is not None]
    if not given:
        return None
    forms = [normal_form(answer, like=like) for answer in given]
    return given[forms.index(Counter(forms).most_common(1)[0][0])]
