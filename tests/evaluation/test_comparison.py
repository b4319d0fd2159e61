"""The normalised average, paired differences and contrasts."""

import numpy as np
import pytest

from secondwind.errors import DataError
from secondwind.evaluation.comparison import NORMALIZED_AVERAGE, compare, contrasts, normalized_average
from secondwind.evaluation.results import BenchmarkResult, ItemResult, Results, summarise

COMPLEMENTARITY = {"complementarity": [("ul2r+flan", 1), ("flan", -1), ("ul2r", -1), ("base", 1)]}


def scored(
    scores: dict[str, list[float]],
    chances: dict[str, float] | None = None,
    *,
    family: str = "BBH",
    mode: str = "direct",
    averaged: bool = True,
) -> BenchmarkResult:
    items = [
        ItemResult(f"{task}-{number}", task, "", score)
        for task, row in scores.items()
        for number, score in enumerate(row)
    ]
    return summarise(
        items,
        name=family.lower(),
        family=family,
        mode=mode,  # type: ignore[arg-type]
        attention="prefix",
        method="rank",
        chances=chances or {},
        averaged=averaged,
    )


def one(scores: list[float]) -> Results:
    return Results({"bbh": scored({"navigate": scores})}, ("BBH:direct",))


def with_share(share: float, n: int = 100) -> list[float]:
    return [float(place < round(share * n)) for place in range(n)]


def test_normalisation_puts_guessing_at_0_and_does_not_clip():
    rows = {"above": with_share(0.55), "below": with_share(0.45), "free": with_share(0.2)}
    result = scored(rows, {"above": 0.5, "below": 0.5})
    normalised = {name: subtask.normalised for name, subtask in result.subtasks.items()}
    assert normalised == pytest.approx({"above": 10.0, "below": -10.0, "free": 20.0})
    # Each subtask by its own chance first, then the mean.
    found = normalized_average(Results({"bbh": result}, ("BBH:direct",)))
    assert found.value == pytest.approx(20 / 3)


def test_the_average_weighs_parts_alike_and_names_what_is_missing():
    results = Results(
        {
            "mmlu": scored({"a": with_share(0.625, 200)}, {"a": 0.25}, family="MMLU"),
            "bbh": scored({"b": with_share(0.2), "c": with_share(0.4)}),
            "bbh:cot": scored({"b": with_share(0.6)}, mode="cot"),
            "infilling": scored({"d": with_share(1.0)}, family="infilling", averaged=False),
        },
        ("MMLU:direct", "BBH:direct", "BBH:cot", "MGSM:cot"),
    )
    found = normalized_average(results)
    assert found.parts == pytest.approx({"MMLU:direct": 50.0, "BBH:direct": 30.0, "BBH:cot": 60.0})
    assert found.value == pytest.approx(140 / 3)
    assert found.missing == ("MGSM:cot",)
    assert found.partial
    assert found.interval is not None and found.interval[0] < found.value < found.interval[1]


def test_an_average_of_nothing_has_no_value():
    found = normalized_average(Results({}, ("BBH:cot",)))
    assert (found.value, found.parts, found.missing, found.interval) == (None, {}, ("BBH:cot",), None)


def test_compare_pairs_items():
    first, second = one([1, 1, 0, 0] * 20), one([1, 1, 1, 0] * 20)
    found = compare(first, second)
    difference = found.benchmarks["bbh"]
    assert (difference.effect, difference.wins, difference.losses, difference.n) == (0.25, 20, 0, 80)
    assert difference.p_value == pytest.approx(2 * 0.5**20)
    # Items on which both agree carry no noise: narrower than two unpaired intervals would be.
    assert 0 < difference.interval[0] < 0.25 < difference.interval[1] < 0.4
    assert found.normalized_average is not None
    assert found.normalized_average.effect == pytest.approx(25.0)


def test_compare_is_antisymmetric():
    first, second = one([1, 0, 0, 1, 0, 1] * 10), one([1, 1, 0, 0, 1, 1] * 10)
    there, back = compare(first, second).benchmarks["bbh"], compare(second, first).benchmarks["bbh"]
    assert there.effect == -back.effect
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]), abs=1e-9)
    assert (there.wins, there.losses) == (back.losses, back.wins)


def test_equal_models_get_a_zero_with_width():
    difference = compare(one([0.0] * 50), one([0.0] * 50)).benchmarks["bbh"]
    assert difference.effect == 0
    assert difference.interval[0] < -0.05 and difference.interval[1] > 0.05
    assert difference.p_value == 1.0


def test_different_items_are_refused():
    with pytest.raises(DataError, match="different items: 4 and 5"):
        compare(one([1, 0, 0, 1]), one([1, 0, 0, 1, 1]))


def test_complementarity_is_the_gain_after_flan_less_the_gain_before():
    arms = {
        "base": {1: one(with_share(0.2))},
        "ul2r": {1: one(with_share(0.3))},
        "flan": {1: one(with_share(0.4))},
        "ul2r+flan": {1: one(with_share(0.7))},
    }
    found = {c.benchmark: c for c in contrasts(arms, COMPLEMENTARITY)}
    assert found["bbh"].effect == pytest.approx(0.2)
    assert found[NORMALIZED_AVERAGE].effect == pytest.approx(20.0)
    low, high = found["bbh"].interval_items
    assert low < 0.2 < high
    # Each arm's solved items contain the previous arm's, so the contrast is that of one paired score.
    assert high - low < 0.35
    assert found["bbh"].interval_seeds is None


def test_a_base_with_one_seed_stands_against_every_seed():
    arms = {
        "base": {1: one(with_share(0.2))},
        "ul2r": {1: one(with_share(0.3)), 2: one(with_share(0.4)), 3: one(with_share(0.5))},
    }
    found = contrasts(arms, {"ul2r - base": [("ul2r", 1), ("base", -1)]})[0]
    assert found.effect == pytest.approx(0.2)
    # Effects 0.1, 0.2, 0.3: t(2) = 4.303 standard errors of 0.1 / sqrt(3).
    assert found.interval_seeds == pytest.approx((0.2 - 0.2484, 0.2 + 0.2484), abs=1e-3)


def test_seeds_pair_with_themselves():
    arms = {
        "clm": {1: one(with_share(0.1)), 2: one(with_share(0.5))},
        "ul2r": {1: one(with_share(0.2)), 2: one(with_share(0.6))},
    }
    found = contrasts(arms, {"ul2r - clm": [("ul2r", 1), ("clm", -1)]})[0]
    assert found.interval_seeds == pytest.approx((0.1, 0.1))


def test_arms_without_a_common_seed_are_refused():
    rows = {1: one([1, 0]), 2: one([1, 0])}
    with pytest.raises(DataError, match="arms share"):
        contrasts({"a": rows, "b": {3: rows[1], 4: rows[2]}}, {"b - a": [("b", 1), ("a", -1)]})


def test_a_contrast_covers_the_benchmarks_that_its_arms_were_asked():
    both = Results(
        {**one([1, 0] * 9).benchmarks, "bbh@causal": scored({"navigate": [1, 1] * 9}, averaged=False)}
    )
    arms = {"base": {1: one([0, 0] * 9)}, "flan": {1: both}, "ul2r+flan": {1: both}}
    wanted = {"flan": [("flan", 1), ("base", -1)], "after": [("ul2r+flan", 1), ("flan", -1)]}
    found = [(c.name, c.benchmark) for c in contrasts(arms, wanted)]
    assert ("after", "bbh@causal") in found
    assert ("flan", "bbh@causal") not in found
    assert ("flan", NORMALIZED_AVERAGE) in found


def test_the_contrast_of_the_average_draws_all_parts_together():
    random = np.random.default_rng(3)
    direct, cot = (random.random(60) < 0.5 for _ in range(2))
    opposite = Results(
        {
            "bbh": scored({"navigate": direct.astype(float).tolist()}),
            "bbh:cot": scored({"navigate": (~direct).astype(float).tolist()}, mode="cot"),
        }
    )
    # Direct and chain of thought solve opposite items, so on shared draws their mean never moves.
    found = normalized_average(opposite)
    assert found.interval == pytest.approx((50.0, 50.0))
    apart = Results(
        {**opposite.benchmarks, "bbh:cot": scored({"navigate": cot.astype(float).tolist()}, mode="cot")}
    )
    interval = normalized_average(apart).interval
    assert interval is not None and interval[1] - interval[0] > 5


def test_results_join_and_summarise():
    joined = one([1, 0]) | Results(
        {"mmlu": scored({"a": [1.0]}, {"a": 0.25}, family="MMLU")}, ("MMLU:direct",)
    )
    assert joined.expected_parts == ("BBH:direct", "MMLU:direct")
    assert joined.to_json()["mmlu"] == {
        "mode": "direct",
        "attention": "prefix",
        "score": 1.0,
        "n": 1,
        "interval": pytest.approx([0.2065, 1.0], abs=1e-4),
        "failures": 0,
        "family": "MMLU",
        "chance": 0.25,
    }
