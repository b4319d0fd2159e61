"""What a stage writes down.

metrics.jsonl   one record a step, no times: a killed and resumed run gives the same bytes
timing.jsonl    one record a step as it was lived, repeated steps included
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from secondwind.example import Batch
from secondwind.flops import attention_pairs
from secondwind.runs import JsonLines

METRICS = "metrics.jsonl"
TIMING = "timing.jsonl"

Log = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class MicroBatch:
    """Some rows of a step, computed at once, and their numbers in the stream."""

    numbers: range
    rows: Batch


@dataclass(frozen=True)
class StepResult:
    """What one optimizer step gave.

    Args:
        step: counts from 1.
        loss: mean over the targets of all micro-batches.
        z_loss: what was added to it for the gradient, a mean too; None where it is off.
        grad_norm: before clipping.
        grad_norms: of each group of parameters, before clipping.
        micro_batch_rows: rows computed at once.
        sources: [loss sum, count] of each denoiser or task.
        blamed: numbers of the rows in micro-batches without a finite loss; all rows if there is none.
    """

    step: int
    loss: float
    grad_norm: float
    grad_norms: dict[str, float]
    learning_rate: float
    micro_batch_rows: int
    sources: dict[str, list[Any]]
    blamed: list[int]
    z_loss: float | None = None

    @property
    def is_finite(self) -> bool:
        """Say whether the update was made."""
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)

    def record(self, stage: str, counts: "Counts") -> dict[str, Any]:
        """Return the line for metrics.jsonl; tokens are those of the stage so far."""
        return {
            "stage": stage,
            "step": self.step,
            "loss": _finite(self.loss),
            **({} if self.z_loss is None else {"z_loss": _finite(self.z_loss)}),
            "grad_norm": _finite(self.grad_norm),
            "grad_norms": self.grad_norms if self.is_finite else {},
            "learning_rate": self.learning_rate,
            "micro_batch_rows": self.micro_batch_rows,
            "tokens": counts.tokens,
            "target_tokens": counts.target_tokens,
            "sources": self.sources if self.is_finite else {},
        }


@dataclass(frozen=True)
class Counts:
    """What has been trained on so far; a checkpoint carries it.

    Args:
        step: finished steps, skipped updates included.
        tokens: tokens that are not padding.
        target_tokens: predictions that carried loss.
        rows_tokens: tokens with padding.
        attention_pairs: (query, key) pairs of one layer that the mask allows: what attention costs.
        skipped: steps whose update was skipped because it was not finite.
        micro_batch_rows: rows computed at once where memory made them fewer than the settings say, else 0.
    """

    step: int = 0
    tokens: int = 0
    target_tokens: int = 0
    rows_tokens: int = 0
    attention_pairs: int = 0
    skipped: int = 0
    micro_batch_rows: int = 0

    def after(
        self, batch: Sequence[MicroBatch], result: StepResult, *, attention: str, settled: int
    ) -> "Counts":
        """Count one more step over these micro-batches.

        Args:
            attention: the mask they had.
            settled: rows computed at once as the settings say.
        """
        rows_of_step = sum(len(micro.numbers) for micro in batch)
        was_cut_smaller = result.micro_batch_rows < min(settled, rows_of_step)
        pairs = sum(
            attention_pairs(micro.rows.segment_ids, micro.rows.prefix_mask & (attention == "prefix"))
            for micro in batch
        )
        return replace(
            self,
            step=self.step + 1,
            tokens=self.tokens + sum(micro.rows.num_tokens for micro in batch),
            target_tokens=self.target_tokens + sum(micro.rows.num_targets for micro in batch),
            rows_tokens=self.rows_tokens + sum(micro.rows.tokens.size for micro in batch),
            attention_pairs=self.attention_pairs + pairs,
            skipped=self.skipped + (not result.is_finite),
            micro_batch_rows=result.micro_batch_rows if was_cut_smaller else 0,
        )


@dataclass(frozen=True)
class StepReport:
    """What a progress bar wants to know after each step.

    Args:
        steps: of the whole stage.
        loss: mean over the step's targets; not finite where the update was skipped.
        tokens: of the stage so far, without padding.
        seconds: of this step, without saving.
    """

    stage: str
    step: int
    steps: int
    loss: float
    learning_rate: float
    tokens: int
    seconds: float


@dataclass(frozen=True)
class TrainSummary:
    """What a finished stage was: no times, so that it is equal after a resume.

    Args:
        tokens: tokens that were not padding.
        target_tokens: predictions that carried loss.
        rows_tokens: tokens with padding; the padding share is 1 - tokens / rows_tokens.
        flops: forward and backward, with attention.
        final_loss: mean over the targets of the last step that was not skipped.
        skipped: updates skipped because they were not finite.
        micro_batch_rows: rows computed at once at the end, where memory made them fewer; else 0.
        sources: targets, share of all targets, and loss at the start and end of each denoiser or task.
    """

    steps: int
    tokens: int
    target_tokens: int
    rows_tokens: int
    flops: float
    final_loss: float
    skipped: int
    micro_batch_rows: int
    sources: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Timing:
    """How long a stage took, over all its sessions.

    Args:
        steps: steps computed, repeated ones included.
        seconds: spent in steps.
        save_seconds: spent in saving checkpoints.
        data_wait_seconds: spent in waiting for rows, outside of steps.
        tokens: computed on, without padding, repeated ones included.
        peak_memory_bytes: the most of any session.
    """

    steps: int
    seconds: float
    save_seconds: float
    data_wait_seconds: float
    tokens: int
    peak_memory_bytes: int

    @property
    def tokens_per_second(self) -> float:
        """Return the speed of training, waiting for rows included, saving not."""
        spent = self.seconds + self.data_wait_seconds
        return self.tokens / spent if spent else 0.0


def read_timing(folder: Path) -> Timing:
    """Sum up `timing.jsonl` of a stage's folder."""
    records = JsonLines(folder / TIMING).read()
    return Timing(
        steps=len(records),
        seconds=sum(record["seconds"] for record in records),
        save_seconds=sum(record["save_seconds"] for record in records),
        data_wait_seconds=sum(record["data_wait_seconds"] for record in records),
        tokens=sum(record["tokens"] for record in records),
        peak_memory_bytes=max((record["peak_memory_bytes"] for record in records), default=0),
    )


def merge_sources(parts: Sequence[Mapping[str, tuple[float, int]]]) -> dict[str, list[Any]]:
    """Add up the loss sums and counts of each source over micro-batches, by name."""
    merged: dict[str, list[Any]] = {}
    for part in parts:
        for name, (total, count) in part.items():
            so_far = merged.setdefault(name, [0.0, 0])
            so_far[0] += float(total)
            so_far[1] += int(count)
    return dict(sorted(merged.items()))


def source_statistics(
    records: Sequence[Mapping[str, Any]], *, group: Callable[[str], str] = str
) -> dict[str, dict[str, Any]]:
    """Sum up a stage's metrics by source: targets, their share, and loss in its first and last tenth.

    A loss is null where that tenth of the steps met no target of the source.

    Args:
        group: from a source to what it is counted under, for example a task's cluster.
    """
    tenth = max(1, len(records) // 10)
    whole = _by_group(records, group)
    first, last = _by_group(records[:tenth], group), _by_group(records[-tenth:], group)
    everything = sum(count for _, count in whole.values())
    return {
        name: {
            "target_tokens": count,
            "target_share": count / everything,
            "first_loss": _mean(first.get(name)),
            "last_loss": _mean(last.get(name)),
        }
        for name, (_, count) in whole.items()
    }


def _by_group(records: Sequence[Mapping[str, Any]], group: Callable[[str], str]) -> dict[str, list[Any]]:
    return merge_sources(
        [{group(name): tuple(found)} for record in records for name, found in record["sources"].items()]
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _mean(summed: Sequence[Any] | None) -> float | None:
    return summed[0] / summed[1] if summed else None
