"""Measure several models on the same items and the same draws of them.

    columns          base-1  ul2r-1  ul2r-2
    signs              -1      .5      .5          a contrast: the mean of the seeds, less the base
    mmlu              scores, and 2000 draws of them, per column
    normalized_average                             the same for the mean of the parts of one view

Source: joining distances of independent terms (MOVER) after Zou and Donner, Statistics in Medicine 2008.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from secondwind.errors import DataError
from secondwind.evaluation.protocol import ScoreKey, View
from secondwind.evaluation.results import BenchmarkResult, Results, strata_of
from secondwind.evaluation.statistics import (
    Floats,
    Freedom,
    Interval,
    Resampler,
    Strata,
    percentile_interval,
    unseen_exceptions,
)

NORMALIZED_AVERAGE = "normalized_average"

_SAME = 1e-9  # of a group's reach: clusters that differ by less differ by rounding


def average_name(view: View) -> str:
    """Name the normalised average of a view: `normalized_average`, `normalized_average@causal`."""
    return str(ScoreKey(NORMALIZED_AVERAGE, view=view))


@dataclass(frozen=True, eq=False)
class _Stratum:
    """One stratum's part in a measure.

    Args:
        rates: float64[C, columns], the mean score of each cluster.
        share: what the measure gains per unit of the stratum's mean.
    """

    name: str
    rates: Floats
    share: float


@dataclass(frozen=True, eq=False)
class Paired:
    """One benchmark, or the average of several, for those of K models that were asked it.

    Args:
        models: which of the K models, in the order of the columns.
        scores: float64[columns].
        draws: float64[draws, columns].
        strata: what it is made of, where scores lie in [0, 1]; else nothing.
        binary: True where every score is 0 or 1; None for an average.
    """

    models: tuple[int, ...]
    scores: Floats
    draws: Floats
    freedom: Freedom
    n: int
    strata: tuple[_Stratum, ...]
    binary: bool | None = None

    def effect(self, signs: Floats) -> float:
        """Return the signed sum of scores; `signs` is float64[K]."""
        return float(self.scores @ signs[list(self.models)])

    def interval(self, signs: Floats) -> Interval:
        """Return the 95 % interval of the effect over items.

        What has spread is resampled; what has none is open to exceptions that were not seen. The two
        come from different items, so their distances from the effect are joined as those of
        independent terms (MOVER).
        """
        low, high = percentile_interval(self.draws @ signs[list(self.models)], freedom=self.freedom)
        below, above = self._unseen(signs[list(self.models)])
        if below == above == 0:
            return low, high
        effect = self.effect(signs)
        return (
            effect - float(np.hypot(max(0.0, effect - low), below)),
            effect + float(np.hypot(max(0.0, high - effect), above)),
        )

    def covers(self, signs: Floats) -> bool:
        """Tell whether every model with a sign was asked."""
        return set(np.flatnonzero(signs).tolist()) <= set(self.models)

    def _unseen(self, signs: Floats) -> tuple[float, float]:
        """Return how far exceptions may move the effect down and up; `signs` is float64[columns].

        Strata of one name and size are the same items asked in several ways: drawn together above,
        they are one group here. Scores lie in [0, 1], which bounds what an exception can do.
        """
        groups: dict[tuple[str, int], list[_Stratum]] = {}
        for stratum in self.strata:
            groups.setdefault((stratum.name, len(stratum.rates)), []).append(stratum)
        least, most = float(signs[signs < 0].sum()), float(signs[signs > 0].sum())
        counts: list[int] = []
        reaches: list[tuple[float, float]] = []
        for (_, count), strata in groups.items():
            share = sum(stratum.share for stratum in strata)
            values = np.sum([stratum.share * (stratum.rates @ signs) for stratum in strata], axis=0)
            if np.ptp(values) <= _SAME * share:
                counts.append(count)
                reaches.append((float(values[0]) - share * least, share * most - float(values[0])))
        below, above = (unseen_exceptions(counts, [pair[side] for pair in reaches]) for side in (0, 1))
        return below, above


def measure(models: Sequence[Results], resampler: Resampler) -> dict[str, Paired]:
    """Score and resample every benchmark for the models that were asked it, and their normalised averages."""
    measured: dict[str, Paired] = {}
    views: dict[View, dict[str, list[Paired]]] = {}
    for key in dict.fromkeys(key for model in models for key in model.benchmarks):
        asked = tuple(place for place, model in enumerate(models) if key in model.benchmarks)
        results = [models[place].benchmarks[key] for place in asked]
        strata = _paired_strata(results, key)
        means, draws, n = strata.means(), resampler.means(strata), results[0].n
        even = np.full(len(strata.names), 1 / len(strata.names))
        measured[key] = Paired(
            asked, means.mean(0), draws.mean(1), strata.freedom, n, _shares(strata, even), strata.binary
        )
        if len(asked) == len(models) and all(result.averaged for result in results):
            chance = np.array([results[0].subtasks[task].chance for task in strata.names])
            scores, moved = _normalised(means, chance), _normalised(draws, chance)
            part = f"{results[0].family}:{results[0].mode}"
            shares = _shares(strata, even * 100 / (1 - chance))
            made = Paired(asked, scores, moved, strata.freedom, n, shares)
            views.setdefault(ScoreKey.parse(key).view, {}).setdefault(part, []).append(made)
    for view, parts in views.items():
        measured[average_name(view)] = _mean([_mean(part) for part in parts.values()])
    return measured


def _shares(strata: Strata, shares: Floats) -> tuple[_Stratum, ...]:
    """Put each stratum's clusters beside its share; unbounded scores have no bound on exceptions."""
    if not strata.bounded:
        return ()
    return tuple(
        _Stratum(name, sums / weights[:, None], float(share))
        for name, sums, weights, share in zip(strata.names, strata.sums, strata.weights, shares, strict=True)
    )


def _normalised(means: Floats, chance: Floats) -> Floats:
    """Put [..., S, K] means of subtasks on the scale of guessing and perfection, and average them."""
    scale = 100 / (1 - chance) / len(chance)
    return np.einsum("...sk,s->...k", means, scale) - float(scale @ chance)


def _mean(parts: Sequence[Paired]) -> Paired:
    """Average several measures of the same models, draw by draw."""
    clusters, strata = zip(*(part.freedom for part in parts), strict=True)
    return Paired(
        parts[0].models,
        np.mean([part.scores for part in parts], axis=0),
        np.mean([part.draws for part in parts], axis=0),
        Freedom(sum(clusters), sum(strata)),
        sum(part.n for part in parts),
        tuple(replace(s, share=s.share / len(parts)) for part in parts for s in part.strata),
    )


def _paired_strata(results: Sequence[BenchmarkResult], key: str) -> Strata:
    """Stack the models' scores by item; the items must be the same."""
    first = results[0]
    places = [(item.task, item.id) for item in first.items]
    for result in results[1:]:
        if [(item.task, item.id) for item in result.items] != places:
            raise DataError(
                f"benchmark '{key}' was asked with different items: {first.n} and {result.n}, not the same "
                "ones in the same order. Evaluate both models with the same suite, limit and seed."
            )
    return strata_of(first.items, np.stack([item_scores(result) for result in results], axis=1))


def item_scores(result: BenchmarkResult) -> Floats:
    """Return the scores of a benchmark's items: float64[N]."""
    return np.array([item.score for item in result.items], dtype=np.float64)
