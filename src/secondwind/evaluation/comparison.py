"""Compare models: the normalised average, paired differences, and contrasts of a study's arms.

    part MMLU:direct     mean over subtasks of 100 (score - chance) / (1 - chance), not clipped
    normalised average   unweighted mean of the parts, 0 = guessing, 100 = perfect

    contrast             sum over arms of sign x score, for example (d - c) - (b - a)
      interval_items     resamples items: "these checkpoints, other questions"
      interval_seeds     t over training seeds: "the method, trained again"

Source: normalised average after FLAN 2022, arXiv:2210.11416, section 2.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from secondwind.errors import DataError
from secondwind.evaluation.results import BenchmarkResult, Results, strata_of
from secondwind.evaluation.statistics import (
    Floats,
    Freedom,
    Interval,
    Resampler,
    Strata,
    half_width_without_spread,
    mcnemar,
    percentile_interval,
    seeds_interval,
)

NORMALIZED_AVERAGE = "normalized_average"

_SAME = 1e-6  # draws of equal models differ by rounding

Signs = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class NormalizedAverage:
    """The normalised average of one model.

    Args:
        value: 0 = guessing, 100 = perfect; None where no part was asked.
        parts: FAMILY:MODE to its normalised score.
        missing: parts that a whole average would have and this one lacks.
        interval: 95 % over items.
    """

    value: float | None
    parts: Mapping[str, float]
    missing: tuple[str, ...] = ()
    interval: Interval | None = None

    @property
    def partial(self) -> bool:
        """Tell whether parts are missing."""
        return bool(self.missing)

    def to_json(self) -> dict[str, Any]:
        """Return the form that `results.json` keeps."""
        return {
            "value": self.value,
            "interval": None if self.interval is None else list(self.interval),
            "parts": dict(self.parts),
            "missing": list(self.missing),
        }


@dataclass(frozen=True)
class Difference:
    """A paired difference of two models on one benchmark, second minus first.

    Args:
        effect: in score units.
        interval: 95 % over items, paired.
        wins: items on which the second model scored higher.
        losses: items on which the first model scored higher.
        p_value: exact McNemar test; None where scores are not all 0 or 1.
    """

    effect: float
    interval: Interval
    n: int
    wins: int
    losses: int
    p_value: float | None


@dataclass(frozen=True)
class AverageDifference:
    """A paired difference of two normalised averages, in points; `n` items in all."""

    effect: float
    interval: Interval
    n: int


@dataclass(frozen=True)
class Comparison:
    """All paired differences between two models, and that of their normalised averages."""

    benchmarks: Mapping[str, Difference]
    normalized_average: AverageDifference | None


@dataclass(frozen=True)
class ContrastResult:
    """One contrast on one benchmark, or on the normalised average.

    Args:
        effect: mean over training seeds.
        interval_seeds: None with a single seed.
        n: items.
    """

    name: str
    benchmark: str
    effect: float
    interval_items: Interval
    interval_seeds: Interval | None
    n: int

    def to_json(self) -> dict[str, Any]:
        """Return the form that `results.json` keeps."""
        seeds = None if self.interval_seeds is None else list(self.interval_seeds)
        return {
            "name": self.name,
            "benchmark": self.benchmark,
            "effect": self.effect,
            "interval_items": list(self.interval_items),
            "interval_seeds": seeds,
            "n": self.n,
        }


@dataclass(frozen=True, eq=False)
class _Paired:
    """One benchmark, or the average of several, for those of K models that were asked it.

    Args:
        models: which of the K models, in the order of the columns.
        scores: float64[columns].
        draws: float64[draws, columns].
        strata: the items, for the interval where nothing differed; None for an average.
    """

    models: tuple[int, ...]
    scores: Floats
    draws: Floats
    freedom: Freedom
    n: int
    strata: Strata | None = None

    def effect(self, signs: Floats) -> float:
        """Return the signed sum of scores; `signs` is float64[K]."""
        return float(self.scores @ signs[list(self.models)])

    def interval(self, signs: Floats) -> Interval:
        """Return the 95 % interval of the effect over items."""
        draws = self.draws @ signs[list(self.models)]
        if self.strata is not None and self.strata.bounded and np.ptp(draws) < _SAME:
            effect, half = self.effect(signs), half_width_without_spread(self.strata)
            return effect - half, effect + half
        return percentile_interval(draws, freedom=self.freedom)

    def covers(self, signs: Floats) -> bool:
        """Tell whether every model with a sign was asked."""
        return set(np.flatnonzero(signs).tolist()) <= set(self.models)


def normalized_average(results: Results, *, seed: int = 0) -> NormalizedAverage:
    """Average the normalised parts of one model, and say what is missing."""
    averaged = {key: result for key, result in results.benchmarks.items() if result.averaged}
    parts = _parts(averaged)
    missing = tuple(part for part in results.expected_parts if part not in parts)
    if not parts:
        return NormalizedAverage(None, {}, missing)
    paired = _measure([Results(averaged)], Resampler(seed))[NORMALIZED_AVERAGE]
    interval = paired.interval(np.ones(1))
    return NormalizedAverage(float(np.mean(list(parts.values()))), parts, missing, interval)


def compare(a: Results, b: Results, *, seed: int = 0) -> Comparison:
    """Compare two models on the benchmarks that both were asked; effects are b minus a.

    Raises:
        DataError: a benchmark was asked with different items.
    """
    measured = _measure([a, b], Resampler(seed))
    signs = np.array([-1.0, 1.0])
    differences: dict[str, Difference] = {}
    average: AverageDifference | None = None
    for key, paired in measured.items():
        if not paired.covers(signs):
            continue
        effect, interval = paired.effect(signs), paired.interval(signs)
        if paired.strata is None:
            average = AverageDifference(effect, interval, paired.n)
            continue
        first, second = (_item_scores(results.benchmarks[key]) for results in (a, b))
        wins, losses = int((second > first).sum()), int((second < first).sum())
        p_value = mcnemar(wins, losses) if paired.strata.binary else None
        differences[key] = Difference(effect, interval, paired.n, wins, losses, p_value)
    return Comparison(differences, average)


def contrasts(
    arms: Mapping[str, Mapping[int, Results]], wanted: Mapping[str, Signs], *, seed: int = 0
) -> list[ContrastResult]:
    """Compute named contrasts of a study's arms; all share one draw of the items.

    An arm with a single seed, such as the base, stands against every seed of the others.

    Args:
        arms: arm to training seed to results.
        wanted: contrast name to its signed arms, as in `{"ul2r - base": [("ul2r", 1), ("base", -1)]}`.

    Raises:
        DataError: arms were asked different items, or share no seed.
    """
    columns = [(arm, number) for arm, by_seed in arms.items() for number in by_seed]
    measured = _measure([arms[arm][number] for arm, number in columns], Resampler(seed))
    found: list[ContrastResult] = []
    for name, signs in wanted.items():
        seeds = _common_seeds(name, {arm: list(arms[arm]) for arm, _ in signs})
        by_seed = np.zeros((len(seeds), len(columns)))
        for arm, sign in signs:
            for row, number in enumerate(seeds):
                chosen = number if number in arms[arm] else next(iter(arms[arm]))
                by_seed[row, columns.index((arm, chosen))] += sign
        mean = by_seed.mean(0)
        for key, paired in measured.items():
            if paired.covers(mean):
                spread = seeds_interval([paired.effect(row) for row in by_seed])
                found.append(
                    ContrastResult(name, key, paired.effect(mean), paired.interval(mean), spread, paired.n)
                )
    return found


def _common_seeds(name: str, seeds: Mapping[str, Sequence[int]]) -> list[int]:
    several = [set(numbers) for numbers in seeds.values() if len(numbers) > 1]
    shared = set.intersection(*several) if several else {next(iter(next(iter(seeds.values()))))}
    if not shared:
        raise DataError(
            f"contrast '{name}' needs a training seed that its arms share, got "
            + "; ".join(f"{arm}: {list(numbers)}" for arm, numbers in seeds.items())
            + ". Train the missing seeds, or leave the contrast out."
        )
    return sorted(shared)


def _measure(models: Sequence[Results], resampler: Resampler) -> dict[str, _Paired]:
    """Score and resample every benchmark for the models that were asked it, and their normalised average."""
    measured: dict[str, _Paired] = {}
    parts: dict[str, list[_Paired]] = {}
    for key in dict.fromkeys(key for model in models for key in model.benchmarks):
        asked = tuple(place for place, model in enumerate(models) if key in model.benchmarks)
        results = [models[place].benchmarks[key] for place in asked]
        strata = _paired_strata(results, key)
        means, draws, n = strata.means(), resampler.means(strata), results[0].n
        measured[key] = _Paired(asked, means.mean(0), draws.mean(1), strata.freedom, n, strata)
        if len(asked) == len(models) and all(result.averaged for result in results):
            chance = np.array([results[0].subtasks[task].chance for task in strata.names])
            scores, moved = _normalised(means, chance), _normalised(draws, chance)
            part = f"{results[0].family}:{results[0].mode}"
            parts.setdefault(part, []).append(_Paired(asked, scores, moved, strata.freedom, n))
    if parts:
        measured[NORMALIZED_AVERAGE] = _mean([_mean(part) for part in parts.values()])
    return measured


def _normalised(means: Floats, chance: Floats) -> Floats:
    """Put [..., S, K] means of subtasks on the scale of guessing and perfection, and average them."""
    scale = 100 / (1 - chance) / len(chance)
    return np.einsum("...sk,s->...k", means, scale) - float(scale @ chance)


def _mean(parts: Sequence[_Paired]) -> _Paired:
    """Average several measures of the same models, draw by draw."""
    clusters, strata = zip(*(part.freedom for part in parts), strict=True)
    return _Paired(
        parts[0].models,
        np.mean([part.scores for part in parts], axis=0),
        np.mean([part.draws for part in parts], axis=0),
        Freedom(sum(clusters), sum(strata)),
        sum(part.n for part in parts),
    )


def _parts(benchmarks: Mapping[str, BenchmarkResult]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for result in benchmarks.values():
        mean = float(np.mean([subtask.normalised for subtask in result.subtasks.values()]))
        values.setdefault(f"{result.family}:{result.mode}", []).append(mean)
    return {part: float(np.mean(found)) for part, found in values.items()}


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
    return strata_of(first.items, np.stack([_item_scores(result) for result in results], axis=1))


def _item_scores(result: BenchmarkResult) -> Floats:
    return np.array([item.score for item in result.items], dtype=np.float64)
