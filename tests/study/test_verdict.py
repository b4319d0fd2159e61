"""The verdict says what intervals allow, and nothing more."""

import pytest

from secondwind.study.verdict import _sentence, _word


@pytest.mark.parametrize(
    ("low", "high", "seeds", "word"),
    [
        (0.1, 2.0, None, "an improvement"),
        (-2.0, -0.1, None, "a loss"),
        (-0.1, 0.1, None, "no difference shown"),
        (0.1, 2.0, [-1.0, 3.0], "no difference shown"),
        (0.1, 2.0, [0.5, 1.5], "an improvement"),
    ],
)
def test_the_wider_interval_decides(low: float, high: float, seeds: list[float] | None, word: str) -> None:
    assert _word(low, high, seeds) == word


def test_a_sentence_carries_effect_interval_seeds_and_cost() -> None:
    contrast = {"effect": 3.14, "interval_items": [1.0, 5.0], "interval_seeds": None, "n": 1200}
    cost = {"tokens": 2_500_000, "share_of_base": 0.012}
    assert _sentence("Flan against the base", contrast, cost) == (
        "Flan against the base: +3.1 points of normalised average (95 % over 1,200 items +1.0 .. +5.0; one "
        "seed), for 2.50 M tokens, 1.2 % of the base's pretraining compute: an improvement."
    )
