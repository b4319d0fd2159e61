"""Intervals and tests, against scipy and against small simulations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from secondwind.errors import DataError
from secondwind.evaluation.statistics import (
    Resampler,
    Strata,
    mcnemar,
    mean_interval,
    minimum_detectable_difference,
    percentile_interval,
    score_interval,
    seeds_interval,
    unseen_exceptions,
    wilson,
)


def strata(
    scores: np.ndarray, *, names: list[str] | None = None, clusters: list[str] | None = None
) -> Strata:
    columns = scores.reshape(len(scores), -1).astype(float)
    places = [str(place) for place in range(len(scores))]
    return Strata.of(names or ["task"] * len(scores), clusters or places, columns, np.ones(len(scores)))


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]):
    right, n = counts
    oracle = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right, n) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_agrees_with_an_exact_binomial_test(wins: int, losses: int):
    oracle = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert mcnemar(wins, losses) == pytest.approx(oracle)


@pytest.mark.parametrize(
    ("n", "discordance", "points"),
    [  # Miller's formula, computed by hand for the benchmarks' sizes
        (14042, 0.1, 0.75),
        (14042, 0.2, 1.06),
        (6511, 0.1, 1.1),
        (1319, 0.2, 3.45),
        (250, 0.2, 7.9),
        (178, 0.1, 6.6),
    ],
)
def test_minimum_detectable_difference_of_known_benchmarks(n: int, discordance: float, points: float):
    found = 100 * minimum_detectable_difference(n, discordance=discordance)
    assert found == pytest.approx(points, abs=0.06)


def test_seeds_interval_agrees_with_scipy_and_says_nothing_of_one_seed():
    values = [0.1, 0.3, 0.2]
    oracle = stats.t.interval(0.95, 2, loc=0.2, scale=stats.sem(values))
    assert seeds_interval(values) == pytest.approx(oracle)
    assert seeds_interval([0.1]) is None


@given(st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_stratum_of_single_items_has_wilsons_interval(counts: tuple[int, int]):
    right, n = counts
    scores = np.arange(n) < right
    assert score_interval(strata(scores)) == pytest.approx(wilson(right, n), abs=1e-9)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.floats(0, 1)), min_size=1, max_size=30
    )
)
def test_a_score_lies_inside_its_interval_and_the_interval_in_0_to_1(items: list[tuple[str, str, float]]):
    names, clusters, scores = zip(*items, strict=True)
    arranged = strata(np.array(scores), names=list(names), clusters=list(clusters))
    low, high = score_interval(arranged)
    estimate = arranged.means().mean()
    assert 0 <= low <= estimate + 1e-9 and estimate - 1e-9 <= high <= 1
    assert high - low > 0  # a score of 0 or 1 leaves something open too


def test_clustered_items_widen_the_interval():
    scores = np.repeat([1, 0, 1, 0, 1, 1, 0, 0, 1, 0], 8)
    clusters = [str(place // 8) for place in range(80)]
    apart, together = score_interval(strata(scores)), score_interval(strata(scores, clusters=clusters))
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


@pytest.mark.parametrize(("share", "size", "per_cluster"), [(0.3, 60, 1), (0.05, 60, 1), (0.5, 120, 4)])
def test_the_score_interval_covers_the_truth(share: float, size: int, per_cluster: int):
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        # Two strata of unlike difficulty; items of one cluster are all right or all wrong.
        rates = np.repeat([share / 2, share * 1.5], size // 2 // per_cluster)
        scores = np.repeat(random.random(len(rates)) < rates, per_cluster)
        names = ["easy" if place < size // 2 else "hard" for place in range(size)]
        clusters = [str(place // per_cluster) for place in range(size)]
        low, high = score_interval(strata(scores, names=names, clusters=clusters))
        covered += low <= share <= high
    assert 0.925 <= covered / 400 <= 0.995


@pytest.mark.parametrize(("num_clusters", "per_cluster"), [(80, 1), (60, 4)])
def test_the_paired_bootstrap_covers_the_true_difference(num_clusters: int, per_cluster: int):
    random = np.random.default_rng(6)
    size, covered = num_clusters * per_cluster, 0
    clusters = [str(place // per_cluster) for place in range(size)]
    for number in range(200):
        # About one item in ten is solved by the second model alone; items of a cluster are alike.
        difficulty = np.repeat(random.random(num_clusters), per_cluster)
        first = difficulty + random.normal(0, 0.1, size) < 0.5
        second = difficulty + random.normal(0, 0.1, size) < 0.6
        arranged = strata(np.stack([first, second], axis=1), clusters=clusters)
        draws = Resampler(number, num_draws=500).means(arranged).mean(1) @ np.array([-1.0, 1.0])
        low, high = percentile_interval(draws, freedom=arranged.freedom)
        covered += low <= 0.1 <= high
    assert 0.91 <= covered / 200 <= 0.99


def test_resampled_means_have_the_analytic_mean_and_variance():
    random = np.random.default_rng(7)
    arranged = strata(random.random(150), clusters=[str(place // 3) for place in range(150)])
    draws = Resampler(1, num_draws=4000).means(arranged)[:, 0, 0]
    assert draws.mean() == pytest.approx(arranged.means()[0, 0], abs=0.002)
    assert draws.var() == pytest.approx(arranged.variances()[0, 0], rel=0.1)


def test_draws_depend_on_the_seed_and_the_clusters_alone():
    some, other = strata(np.arange(6) % 2), strata(np.arange(9) % 2)
    resampler = Resampler(3)
    resampler.means(other)
    assert np.array_equal(resampler.means(some), Resampler(3).means(some))
    assert not np.array_equal(resampler.means(some), Resampler(4).means(some))


def test_models_are_resampled_on_the_same_clusters():
    scores = np.random.default_rng(8).random(40)
    both = Resampler(0).means(strata(np.stack([scores, scores + 1], axis=1)))
    assert np.allclose(both[..., 1] - both[..., 0], 1.0)


@pytest.mark.parametrize("n", [1, 10, 250])
def test_no_exception_in_one_group_leaves_clopper_and_pearsons_limit_open(n: int):
    oracle = stats.binomtest(0, n).proportion_ci(method="exact").high
    assert unseen_exceptions([n], [1.0]) == pytest.approx(oracle)
    assert unseen_exceptions([n], [2.5]) == pytest.approx(2.5 * oracle)
    assert unseen_exceptions([n, 7], [1.0, 0.0]) == pytest.approx(oracle)


def test_many_small_groups_leave_as_much_open_as_one_large_group():
    assert unseen_exceptions([2] * 50, [1 / 50] * 50) == pytest.approx(unseen_exceptions([100], [1.0]))
    assert unseen_exceptions([], []) == 0.0


@given(st.lists(st.tuples(st.integers(1, 80), st.floats(0.05, 2)), min_size=1, max_size=5), st.randoms())
def test_no_shares_that_could_stay_unseen_move_the_sum_further(groups: list[tuple[int, float]], random):  # noqa: ANN001
    counts, reaches = zip(*groups, strict=True)
    limit = unseen_exceptions(counts, reaches)
    for _ in range(50):
        # Spend all that may stay unseen, -log(.025), on the groups in random parts.
        parts = np.array([random.random() ** 3 for _ in groups]) + 1e-9
        spent = -np.log(0.025) * parts / parts.sum()
        shares = 1 - np.exp(-spent / np.array(counts))
        assert shares @ np.array(reaches) <= limit + 1e-9


def test_weighted_items_count_by_weight():
    arranged = Strata.of(["a", "a"], ["1", "2"], np.array([[2.0], [4.0]]), np.array([3.0, 1.0]))
    assert arranged.means()[0, 0] == 2.5


def test_the_mean_interval_agrees_with_scipy_for_equal_weights():
    values = np.array([2.0, 2.5, 3.5, 2.2])
    oracle = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    assert mean_interval(strata(values)) == pytest.approx(oracle)


def test_one_document_is_refused_an_interval():
    with pytest.raises(DataError, match="at least 2 documents"):
        mean_interval(strata(np.array([2.0])))


def test_nothing_to_score_is_refused():
    with pytest.raises(DataError, match="0 items"):
        Strata.of([], [], np.zeros((0, 1)), np.zeros(0))
