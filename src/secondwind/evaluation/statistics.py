"""Intervals, tests and resampling for scores that are means over clustered items in strata.

    items      task  navigate navigate navigate snarks snarks
               group p1       p1       p2       -      -
               score 1        0        1        1      0
    Strata     navigate: clusters p1 (1 of 2), p2 (1 of 1)     snarks: clusters of one item each
    estimate   (2/3 + 1/2) / 2        the unweighted mean over strata

Two models are compared on the same draw of the same clusters, so that what makes an item hard for
both cancels. Shape letters: C clusters, S strata, K columns (models).

A difference that is the same on every item has no spread to resample; `unseen_exceptions` says how much
that leaves open, and joins the rest as independent distances do (MOVER).

Sources: Wilson 1927; Zou and Donner, "Construction of confidence limits about effect measures",
    Statistics in Medicine 2008 (MOVER); Miller, "Adding Error Bars to Evals", arXiv:2411.00640, for
    clusters and pairing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
from scipy import special

from secondwind.errors import DataError
from secondwind.randomness import key

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

NUM_DRAWS = 2000

_BLOCK_DRAWS = 1 << 20  # draws of clusters at a time, so that memory stays small for 50,000 documents


def _normal_quantile(probability: float) -> float:
    return float(special.ndtri(probability))


def wilson(successes: float, n: float, *, level: float = 0.95) -> Interval:
    """Return Wilson's interval for a share; neither number needs to be whole.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    z = _normal_quantile(0.5 + level / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def mcnemar(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value that wins and losses are equally likely.

    Args:
        wins: items that only the second model solved.
        losses: items that only the first model solved.

    Source: McNemar 1947, in its exact form: a binomial test on the discordant pairs.
    """
    tail = float(special.bdtr(min(wins, losses), wins + losses, 0.5))
    return min(1.0, 2.0 * tail)


def minimum_detectable_difference(
    n: int, *, discordance: float = 0.2, power: float = 0.8, level: float = 0.95
) -> float:
    """Return the smallest paired difference that `n` items would show with the given power.

    Args:
        discordance: share of items that exactly one of the two models solves; 0.1 - 0.2 is usual
            between checkpoints of one model.

    Source: Miller, arXiv:2411.00640, section 5.
    """
    z = _normal_quantile(0.5 + level / 2) + _normal_quantile(power)
    return float(z * np.sqrt(discordance / n))


def seeds_interval(values: Sequence[float], *, level: float = 0.95) -> Interval | None:
    """Return the t interval of a mean over training seeds; None where one seed says nothing of spread."""
    if len(values) < 2:
        return None
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / np.sqrt(len(values))
    half = float(special.stdtrit(len(values) - 1, 0.5 + level / 2)) * error
    return mean - half, mean + half


class Freedom(NamedTuple):
    """How much was sampled: clusters, in how many strata."""

    clusters: int
    strata: int


@dataclass(frozen=True, eq=False)
class Strata:
    """Scores of K models on the same items, summed by cluster within strata.

    Args:
        names: the strata, in order of appearance.
        sums: per stratum float64[C, K], the weighted sum of scores of each cluster.
        weights: per stratum float64[C], the weight of each cluster.
        binary: True where every score is 0 or 1.
        bounded: True where every score lies in [0, 1].
    """

    names: tuple[str, ...]
    sums: tuple[Floats, ...]
    weights: tuple[Floats, ...]
    binary: bool
    bounded: bool

    @staticmethod
    def of(strata: Sequence[str], clusters: Sequence[str], scores: Floats, weights: Floats) -> "Strata":
        """Arrange N items; a cluster is a pair of stratum and cluster name.

        Args:
            scores: float64[N, K].
            weights: float64[N].

        Raises:
            DataError: there are no items.
        """
        if len(strata) == 0:
            raise DataError("there is nothing to score: 0 items. Ask at least one item.")
        names = tuple(dict.fromkeys(strata))
        places = {name: place for place, name in enumerate(names)}
        stratum = np.array([places[name] for name in strata])
        all_sums: list[Floats] = []
        all_weights: list[Floats] = []
        for place in range(len(names)):
            inside = np.flatnonzero(stratum == place)
            numbers: dict[str, int] = {}
            cluster = np.array([numbers.setdefault(clusters[int(i)], len(numbers)) for i in inside])
            sums = np.zeros((len(numbers), scores.shape[1]))
            np.add.at(sums, cluster, scores[inside] * weights[inside, None])
            all_sums.append(sums)
            all_weights.append(np.bincount(cluster, weights=weights[inside]).astype(np.float64))
        binary = bool(np.isin(scores, (0.0, 1.0)).all())
        bounded = bool(((scores >= 0) & (scores <= 1)).all())
        return Strata(names, tuple(all_sums), tuple(all_weights), binary, bounded)

    def means(self) -> Floats:
        """Return the mean of each stratum: float64[S, K]."""
        return np.stack([s.sum(0) / w.sum() for s, w in zip(self.sums, self.weights, strict=True)])

    @property
    def freedom(self) -> Freedom:
        """Count clusters and strata."""
        return Freedom(sum(len(weights) for weights in self.weights), len(self.names))

    def variances(self) -> Floats:
        """Return the sampling variance of each stratum's mean: float64[S, K]; NaN for a lone cluster."""
        return np.stack([_variance(s, w) for s, w in zip(self.sums, self.weights, strict=True)])


def _variance(sums: Floats, weights: Floats) -> Floats:
    num_clusters, total = len(weights), weights.sum()
    if num_clusters < 2:
        return np.full(sums.shape[1], np.nan)
    # A ratio of two sums over clusters, linearised: exact for clusters of equal weight.
    residuals = sums - np.outer(weights, sums.sum(0) / total)
    return num_clusters / (num_clusters - 1) * (residuals**2).sum(0) / total**2


def score_interval(strata: Strata, *, level: float = 0.95) -> Interval:
    """Return an interval for one model's mean over strata, of scores in [0, 1].

    Each stratum gets Wilson's interval at its effective number of independent items; the strata are
    joined by their distances from the estimate (MOVER). One stratum of single items gives Wilson's
    interval itself; a score of 0 or 1 never gets an interval without width.
    """
    means, variances = strata.means()[:, 0], strata.variances()[:, 0]
    below = above = 0.0
    for mean, variance, weights in zip(means, variances, strata.weights, strict=True):
        n = _effective_items(mean, variance, weights, binary=strata.binary)
        low, high = wilson(mean * n, n, level=level)
        below, above = below + (mean - low) ** 2, above + (high - mean) ** 2
    estimate, count = float(means.mean()), len(means)
    return max(0.0, estimate - float(below) ** 0.5 / count), min(1.0, estimate + float(above) ** 0.5 / count)


def _effective_items(mean: float, variance: float, weights: Floats, *, binary: bool) -> float:
    """Return how many independent yes-or-no items would have this variance."""
    if not variance > 0 or not 0 < mean < 1:
        return float(len(weights))
    n = mean * (1 - mean) / variance + 1  # + 1: the variance divides by n - 1
    return float(min(n, weights.sum()) if binary else n)


def mean_interval(strata: Strata, *, level: float = 0.95) -> Interval:
    """Return a t interval for one model's mean of unbounded scores over clusters.

    Raises:
        DataError: a stratum has one cluster, which says nothing of the spread.
    """
    if min(len(weights) for weights in strata.weights) < 2:
        raise DataError("an interval needs at least 2 documents, got 1. Hold out more documents.")
    error = float(np.sqrt(strata.variances()[:, 0].sum())) / len(strata.names)
    freedom = sum(len(weights) - 1 for weights in strata.weights)
    half = float(special.stdtrit(freedom, 0.5 + level / 2)) * error
    mean = float(strata.means()[:, 0].mean())
    return mean - half, mean + half


class Resampler:
    """Bootstrap draws of clusters, the same for every question about the same clusters.

    A draw depends on the seed, the stratum's name and its number of clusters alone, so arms, modes
    and contrasts are all resampled together.
    """

    def __init__(self, seed: int = 0, *, num_draws: int = NUM_DRAWS) -> None:
        """Start with no draws; they are made when first needed and kept."""
        self._seed = seed
        self.num_draws = num_draws
        self._counts: dict[tuple[str, int], npt.NDArray[np.uint8]] = {}

    def means(self, strata: Strata) -> Floats:
        """Return the strata's means in every draw: float64[draws, S, K]."""
        drawn = np.empty((self.num_draws, len(strata.names), strata.sums[0].shape[1]))
        for place, (name, sums, weights) in enumerate(
            zip(strata.names, strata.sums, strata.weights, strict=True)
        ):
            # Single precision is exact here for scores of 0 and 1, and far finer than a draw's noise else.
            columns = np.column_stack([sums, weights]).astype(np.float32)
            totals = self._drawn(name, len(weights)).astype(np.float32) @ columns
            drawn[:, place] = totals[:, :-1] / totals[:, -1:]
        return drawn

    def _drawn(self, name: str, num_clusters: int) -> npt.NDArray[np.uint8]:
        """Return how often each draw takes each cluster: uint8[draws, C]."""
        place = (name, num_clusters)
        if place not in self._counts:
            # A bit generator's raw stream is fixed by NumPy's compatibility policy; Generator's is not.
            stream = np.random.Philox(key=key(self._seed, f"bootstrap {name}", num_clusters))
            counts = np.empty((self.num_draws, num_clusters), dtype=np.uint8)
            left = np.zeros(0, dtype="<u4")  # a word of the stream is two draws; a block may end between them
            block = max(1, _BLOCK_DRAWS // num_clusters)
            for first in range(0, self.num_draws, block):
                stop = min(first + block, self.num_draws)
                wanted = (stop - first) * num_clusters
                raw = cast(npt.NDArray[np.uint64], stream.random_raw((wanted - len(left) + 1) // 2))
                halves = np.concatenate([left, raw.astype("<u8").view("<u4")])
                drawn, left = halves[:wanted].astype(np.int64), halves[wanted:]
                chosen = ((drawn * num_clusters) >> 32).reshape(stop - first, num_clusters)
                chosen += np.arange(stop - first)[:, None] * num_clusters
                taken = np.bincount(chosen.ravel(), minlength=wanted).reshape(chosen.shape)
                counts[first:stop] = np.minimum(taken, 255)
            self._counts[place] = counts
        return self._counts[place]


def percentile_interval(draws: Floats, *, freedom: Freedom, level: float = 0.95) -> Interval:
    """Return the expanded percentile interval of bootstrap draws.

    Plain percentiles are too narrow for few clusters, as dividing by n and the normal quantile would
    be; the percentiles are moved outwards to make up for both.

    Source: Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 5.3.
    """
    clusters, strata = freedom
    if clusters <= strata:
        return float(draws.min()), float(draws.max())
    quantile = float(special.stdtrit(clusters - strata, 0.5 + level / 2))
    tail = float(special.ndtr(-quantile * np.sqrt(clusters / (clusters - strata))))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def unseen_exceptions(counts: Sequence[int], reaches: Sequence[float], *, level: float = 0.95) -> float:
    """Return how far a sum of means may lie from its estimate when no cluster was an exception.

    Resampling clusters that are all alike gives no width at all, yet a share p of exceptions stays
    unseen in n clusters with probability (1 - p)^n. All shares under which seeing none anywhere is not
    rarer than half of 1 - level are possible; the answer is the largest sum of reach x share among them.
    One group with reach 1 gives Clopper and Pearson's limit for 0 of n, about 3.7 / n; many small groups
    are not each taken at their worst, since they cannot all have hidden exceptions at once.

    Args:
        counts: clusters of each independent group.
        reaches: how far the sum would move if all clusters of a group were exceptions.

    Source: Clopper and Pearson, Biometrika 1934; Hanley and Lippman-Hand, "If Nothing Goes Wrong, Is
        Everything All Right?", JAMA 1983, for one group. For several, the largest sum on the same
        confidence set, by Lagrange: 1 - p is proportional to count / reach, and p is never negative.
    """
    groups = sorted((n / reach, n, reach) for n, reach in zip(counts, reaches, strict=True) if reach > 0)
    budget = -float(np.log((1 - level) / 2))
    best = 0.0
    for size in range(1, len(groups) + 1):
        chosen = groups[:size]
        total = sum(n for _, n, _ in chosen)
        scale = np.exp(-(budget + sum(n * np.log(ratio) for ratio, n, _ in chosen)) / total)
        if scale * chosen[-1][0] > 1:  # this group would get a negative share: it has none
            break
        best = sum(reach * (1 - scale * ratio) for ratio, _, reach in chosen)
    return float(best)
