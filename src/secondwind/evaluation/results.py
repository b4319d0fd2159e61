"""What an evaluation found: items, subtasks, benchmarks, and how they fold into one another.

ItemResult (score of one item)
  -> SubtaskResult   mean over items, each with its weight
    -> BenchmarkResult   unweighted mean over subtasks, with an interval over items
      -> Results   benchmarks by key, and the parts that a whole normalised average would have
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from secondwind.evaluation.statistics import Interval, Strata, mean_interval, score_interval
from secondwind.evaluation.suite import Mode


@dataclass(frozen=True)
class ItemResult:
    """The score of one item.

    Args:
        group: items that share a passage or a story; empty where an item stands alone.
        score: in [0, 1]; for perplexity, nats per token.
        failure: why there was nothing to score, or None; a failure scores 0.
        weight: the item's share in its subtask's mean; for perplexity, the number of tokens.
    """

    id: str
    task: str
    group: str
    score: float
    failure: str | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class SubtaskResult:
    """The score of one subtask, over `n` items."""

    score: float
    n: int
    chance: float

    @property
    def normalised(self) -> float:
        """Return the score on the scale where guessing is 0 and perfection is 100; not clipped."""
        return 100.0 * (self.score - self.chance) / (1.0 - self.chance)


@dataclass(frozen=True)
class BenchmarkResult:
    """The score of one benchmark asked in one way.

    Args:
        attention: the mask it was asked with: prefix or causal.
        score: unweighted mean over subtasks.
        n: items asked.
        interval: 95 % over items, clustered by group, for this one model.
        failures: items that gave nothing to score.
        shortened: items whose prompt lost exemplars to fit the model's context.
        averaged: True where this score is a part of the normalised average of its view.
        note: what a reader of the score should know; empty for nothing.
    """

    name: str
    family: str
    mode: Mode
    attention: str
    method: str
    score: float
    n: int
    interval: Interval
    failures: int
    subtasks: Mapping[str, SubtaskResult]
    items: Sequence[ItemResult] = field(repr=False)
    shortened: int = 0
    averaged: bool = False
    note: str = ""

    @property
    def chance(self) -> float:
        """Return the score of random guessing: the mean over subtasks."""
        return float(np.mean([subtask.chance for subtask in self.subtasks.values()]))

    @property
    def lower_is_better(self) -> bool:
        """Tell whether a lower score is the better one."""
        return self.method == "perplexity"

    def to_json(self) -> dict[str, Any]:
        """Return the summary that `results.json` keeps."""
        summary = {
            "mode": self.mode,
            "attention": self.attention,
            "score": self.score,
            "n": self.n,
            "interval": list(self.interval),
            "failures": self.failures,
            "family": self.family,
            "chance": self.chance,
        }
        return summary | ({"note": self.note} if self.note else {})


@dataclass(frozen=True)
class Results:
    """All scores of one model, by key; the keys are those of `protocol.ScoreKey`, in the order of asking.

    Args:
        expected_parts: the parts of a whole normalised average, as FAMILY:MODE.
    """

    benchmarks: Mapping[str, BenchmarkResult]
    expected_parts: tuple[str, ...] = ()

    def __or__(self, other: "Results") -> "Results":
        """Join the results of two protocols of one model; on equal keys the right one wins."""
        parts = dict.fromkeys((*self.expected_parts, *other.expected_parts))
        return Results({**self.benchmarks, **other.benchmarks}, tuple(parts))

    def to_json(self) -> dict[str, Any]:
        """Return the summaries by key, as `results.json` keeps them."""
        return {key: benchmark.to_json() for key, benchmark in self.benchmarks.items()}


def strata_of(items: Sequence[ItemResult], scores: np.ndarray | None = None) -> Strata:
    """Arrange items for intervals: strata are tasks, clusters are groups.

    Args:
        scores: float64[N, columns] instead of the items' own scores, for several models at once.
    """
    columns = np.array([[item.score] for item in items]) if scores is None else scores
    groups = [item.group or f"\0{item.id}" for item in items]  # an item without a group is its own cluster
    return Strata.of(
        [item.task for item in items], groups, columns, np.array([item.weight for item in items], dtype=float)
    )


def summarise(
    items: Iterable[ItemResult],
    *,
    name: str,
    family: str,
    mode: Mode,
    attention: str,
    method: str,
    chances: Mapping[str, float],
    shortened: int = 0,
    averaged: bool = False,
    note: str = "",
) -> BenchmarkResult:
    """Fold the items of one benchmark into its score and interval."""
    kept = list(items)
    strata = strata_of(kept)
    means = strata.means()[:, 0]
    counts = Counter(item.task for item in kept)
    interval = mean_interval(strata) if method == "perplexity" else score_interval(strata)
    return BenchmarkResult(
        name=name,
        family=family,
        mode=mode,
        attention=attention,
        method=method,
        score=float(means.mean()),
        n=len(kept),
        interval=interval,
        failures=sum(item.failure is not None for item in kept),
        subtasks={
            task: SubtaskResult(float(mean), counts[task], chances.get(task, 0.0))
            for task, mean in zip(strata.names, means, strict=True)
        },
        items=kept,
        shortened=shortened,
        averaged=averaged,
        note=note,
    )
