"""Compare models: the normalised average, paired differences, and contrasts of a study's arms.

    part MMLU:direct     mean over subtasks of 100 (score - chance) / (1 - chance), not clipped
    normalised average   unweighted mean of the parts, 0 = guessing, 100 = perfect

    contrast             sum over arms of sign x score, for example (d - c) - (b - a)
      interval_items     resamples items: "these checkpoints, other questions"
      interval_seeds     t over training seeds: "the method, trained again"

Averages are made within a view: `normalized_average`, `normalized_average@causal`, and so on.

Source: normalised average after FLAN 2022, arXiv:2210.11416, section 2.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from secondwind.errors import DataError
from secondwind.evaluation.paired import average_name, item_scores, measure
from secondwind.evaluation.protocol import TRAINED, ScoreKey, View, headline_view
from secondwind.evaluation.results import BenchmarkResult, Results
from secondwind.evaluation.statistics import Interval, Resampler, mcnemar, seeds_interval

Signs = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class NormalizedAverage:
    """The normalised average of one model in one view.

    Args:
        value: 0 = guessing, 100 = perfect; None where no part was asked.
        parts: FAMILY:MODE to its normalised score.
        missing: parts that a whole average would have and this one lacks.
        interval: 95 % over items.
        others: the averages of the other views, beside the headline's.
    """

    value: float | None
    parts: Mapping[str, float]
    missing: tuple[str, ...] = ()
    interval: Interval | None = None
    view: View = TRAINED
    others: tuple["NormalizedAverage", ...] = ()

    @property
    def partial(self) -> bool:
        """Tell whether parts are missing."""
        return bool(self.missing)

    @property
    def name(self) -> str:
        """Return the name that contrasts of this average carry as their benchmark."""
        return average_name(self.view)

    def to_json(self) -> dict[str, Any]:
        """Return the form that `results.json` keeps."""
        return self._plain() | {
            "benchmark": self.name,
            "others": {other.name: other._plain() for other in self.others},
        }

    def _plain(self) -> dict[str, Any]:
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
    """All paired differences between two models, and those of their normalised averages by name."""

    benchmarks: Mapping[str, Difference]
    averages: Mapping[str, AverageDifference]


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

    @staticmethod
    def from_json(found: Mapping[str, Any]) -> "ContrastResult":
        """Read what `to_json` wrote."""
        seeds = found["interval_seeds"]
        return ContrastResult(
            found["name"],
            found["benchmark"],
            found["effect"],
            (found["interval_items"][0], found["interval_items"][1]),
            None if seeds is None else (seeds[0], seeds[1]),
            found["n"],
        )


def normalized_average(results: Results, *, seed: int = 0) -> NormalizedAverage:
    """Average the normalised parts of one model in the headline view, the other views beside it."""
    averaged = {key: result for key, result in results.benchmarks.items() if result.averaged}
    by_view: dict[View, dict[str, BenchmarkResult]] = {}
    for key, result in averaged.items():
        by_view.setdefault(ScoreKey.parse(key).view, {})[key] = result
    if not averaged:
        return NormalizedAverage(None, {}, results.expected_parts)
    measured = measure([Results(averaged)], Resampler(seed))
    averages: dict[View, NormalizedAverage] = {}
    for view, asked in by_view.items():
        parts = _parts(asked)
        missing = tuple(part for part in results.expected_parts if part not in parts)
        interval = measured[average_name(view)].interval(np.ones(1))
        averages[view] = NormalizedAverage(
            float(np.mean(list(parts.values()))), parts, missing, interval, view
        )
    first = averages.pop(headline_view(averaged))
    return replace(first, others=tuple(averages.values()))


def compare(a: Results, b: Results, *, seed: int = 0) -> Comparison:
    """Compare two models on the benchmarks that both were asked; effects are b minus a.

    Raises:
        DataError: a benchmark was asked with different items.
    """
    measured = measure([a, b], Resampler(seed))
    signs = np.array([-1.0, 1.0])
    differences: dict[str, Difference] = {}
    averages: dict[str, AverageDifference] = {}
    for key, paired in measured.items():
        if not paired.covers(signs):
            continue
        effect, interval = paired.effect(signs), paired.interval(signs)
        if paired.binary is None:
            averages[key] = AverageDifference(effect, interval, paired.n)
            continue
        first, second = (item_scores(results.benchmarks[key]) for results in (a, b))
        wins, losses = int((second > first).sum()), int((second < first).sum())
        p_value = mcnemar(wins, losses) if paired.binary else None
        differences[key] = Difference(effect, interval, paired.n, wins, losses, p_value)
    return Comparison(differences, averages)


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
    measured = measure([arms[arm][number] for arm, number in columns], Resampler(seed))
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


def _parts(benchmarks: Mapping[str, BenchmarkResult]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for result in benchmarks.values():
        mean = float(np.mean([subtask.normalised for subtask in result.subtasks.values()]))
        values.setdefault(f"{result.family}:{result.mode}", []).append(mean)
    return {part: float(np.mean(found)) for part, found in values.items()}
