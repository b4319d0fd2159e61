"""The training loop, on one page.

    for each step   rows of this step -> micro-batches -> loss over ALL their targets -> clip -> update
                    -> one line of metrics -> checkpoint where one is due

    stage folder/   metrics.jsonl   timing.jsonl   checkpoints/step-N/

Loss of a step = sum over its targets / number of its targets, counted over the whole batch, so that
rows with few targets weigh no more in one cut into micro-batches than in another.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from secondwind.data.stream import RowSource
from secondwind.errors import Paused, RunError
from secondwind.example import Batch
from secondwind.flops import training_flops
from secondwind.model.load import LanguageModel
from secondwind.model.loss import per_source, target_loss
from secondwind.randomness import key
from secondwind.runs import JsonLines, sync_file
from secondwind.signals import log_to_stderr, stop_on_signals
from secondwind.training import checkpoint
from secondwind.training.guard import refuse_non_finite
from secondwind.training.optimizer import clip_gradients, make_optimizer, set_learning_rate
from secondwind.training.records import (
    METRICS,
    TIMING,
    Counts,
    Log,
    MicroBatch,
    StepReport,
    StepResult,
    TrainSummary,
    merge_sources,
)
from secondwind.training.settings import FREE_TO_CHANGE, TrainSettings, learning_rate

_CHECKPOINTS = "checkpoints"


def train(
    model: LanguageModel,
    rows: RowSource,
    settings: TrainSettings,
    folder: Path,
    *,
    stage: str = "train",
    progress: Callable[[StepReport], None] | None = None,
    log: Log = log_to_stderr,
) -> TrainSummary:
    """Train `model` in place on rows 0, 1, 2, ...; go on from the newest good checkpoint in `folder`.

    Killed at any instant and started again with a freshly loaded model, it gives the same metrics
    and the same parameters, bit by bit on a CPU with the same number of threads.

    Args:
        stage: a name for the metrics.
        progress: called after every step and before its checkpoint, so whatever it writes about a step
            is there when a later run goes on behind that step.
        log: gets the lines that must not be missed: fall-backs, skips, signals.

    Raises:
        Paused: a signal asked to stop; a checkpoint of the last finished step was saved.
        NonFiniteLoss: the loss or gradient was NaN or infinite; the parameters are as before the step.
        RunError: checkpoints are damaged, or were made with other settings or rows; the disk is full.
    """
    optimizer = make_optimizer(model.network, settings)
    metrics, timing = JsonLines(folder / METRICS), JsonLines(folder / TIMING)
    identity = _identity(model, rows, settings, stage)
    counts = _resume(folder, model, optimizer, metrics, identity=identity, log=log)
    model.network.train()
    with stop_on_signals(log=log) as stop, torch.random.fork_rng(_accelerators(model)):
        while counts.step < settings.steps:
            began = time.perf_counter()
            batch = _batch(rows, settings, counts.step + 1)
            result = take_step(model, optimizer, batch, settings, counts.step + 1)
            counts = counts.after(batch, prefix=model.attention == "prefix", updated=result.is_finite)
            refuse_non_finite(result, settings, skipped=counts.skipped, log=log)
            metrics.append(result.record(stage, counts))
            seconds = time.perf_counter() - began
            # Before the checkpoint: a run that goes on from it never makes this call again.
            if progress:
                progress(_report(stage, settings, result, counts, seconds=seconds))
            # Read once: a signal during the save waits for the next step or, behind the last, for the run.
            pausing = bool(stop)
            saving = time.perf_counter()
            if pausing or counts.step % settings.checkpoint_every == 0 or counts.step == settings.steps:
                _save(folder, model, optimizer, counts, identity=identity, keep=settings.keep)
            save_seconds = time.perf_counter() - saving
            timing.append(_timing(counts.step, batch, seconds=seconds, save_seconds=save_seconds))
            if pausing:  # at the last step too: the stages behind this one must not start
                raise Paused(_paused(stop.signal_name, counts, settings, folder))
    model.network.eval()
    return _summary(model, counts, metrics)


def take_step(
    model: LanguageModel,
    optimizer: Optimizer,
    batch: Sequence[MicroBatch],
    settings: TrainSettings,
    step: int,
) -> StepResult:
    """Make one update from all micro-batches, or none if loss or gradient is not finite."""
    optimizer.zero_grad()
    num_targets = sum(micro.rows.num_targets for micro in batch)
    total = 0.0
    sources: list[Mapping[str, tuple[float, int]]] = []
    blamed: list[int] = []
    for number, micro in enumerate(batch):
        # Dropout, where a model has any, is keyed like all randomness here, so no state is saved.
        torch.manual_seed(key(settings.seed, "dropout", step, number))
        with torch.autocast(model.device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
            loss = target_loss(model, micro.rows)
        (loss.total / num_targets).backward()
        total += loss.total.item()
        sources.append(per_source(loss, micro.rows))
        if not torch.isfinite(loss.total):
            blamed.extend(micro.numbers)
    grad_norm = clip_gradients(model.network, settings.clip)
    everyone = [number for micro in batch for number in micro.numbers]
    result = StepResult(
        step=step,
        loss=total / num_targets,
        grad_norm=grad_norm,
        learning_rate=learning_rate(settings, step),
        sources=merge_sources(sources),
        blamed=blamed or everyone,
    )
    if result.is_finite:
        set_learning_rate(optimizer, result.learning_rate)
        optimizer.step()
    return result


def _batch(rows: RowSource, settings: TrainSettings, step: int) -> list[MicroBatch]:
    """Build the rows of step 1, 2, ... in pieces of at most `micro_batch_rows`."""
    numbers = range((step - 1) * settings.batch_rows, step * settings.batch_rows)
    built = rows.rows(numbers)
    cuts = range(0, settings.batch_rows, settings.micro_batch_rows)
    pieces = [slice(cut, cut + settings.micro_batch_rows) for cut in cuts]
    return [MicroBatch(numbers[piece], Batch.stack(built[piece])) for piece in pieces]


def _identity(model: LanguageModel, rows: RowSource, settings: TrainSettings, stage: str) -> dict[str, Any]:
    """Return what must be equal in a run that goes on from a checkpoint."""
    fixed = {name: value for name, value in asdict(settings).items() if name not in FREE_TO_CHANGE}
    return {"stage": stage, "attention": model.attention, "rows": rows.fingerprint(), "settings": fixed}


def _resume(
    folder: Path,
    model: LanguageModel,
    optimizer: Optimizer,
    metrics: JsonLines,
    *,
    identity: Mapping[str, Any],
    log: Log,
) -> Counts:
    """Restore the newest good checkpoint, if any, and cut the metrics back to its step."""
    checkpoint.remove_staged(folder / _CHECKPOINTS)
    newest = checkpoint.newest_verified(folder / _CHECKPOINTS, log=log)
    if newest is None:
        metrics.cut_back(0)
        return Counts()
    state = checkpoint.read_state(newest)
    checkpoint.refuse_other_identity(newest, state["identity"], identity)
    counts = Counts(**state["counts"])
    found = len(metrics.read())
    if found < counts.step:
        raise RunError(
            f"{metrics.path} holds {found} whole records, but {newest.name} wants {counts.step}. Restore the "
            f"file from a copy, or delete {folder} to train this stage from its start."
        )
    checkpoint.restore(newest, network=model.network, optimizer=optimizer)
    metrics.cut_back(counts.step)
    return counts


def _save(
    folder: Path,
    model: LanguageModel,
    optimizer: Optimizer,
    counts: Counts,
    *,
    identity: Mapping[str, Any],
    keep: int,
) -> None:
    # Metrics first: a checkpoint must never be newer than the metrics on the disk.
    sync_file(folder / METRICS)
    checkpoint.save(
        folder / _CHECKPOINTS,
        counts.step,
        network=model.network,
        optimizer=optimizer,
        state={"counts": asdict(counts), "identity": identity},
        keep=keep,
    )


def _timing(step: int, batch: Sequence[MicroBatch], *, seconds: float, save_seconds: float) -> dict[str, Any]:
    num_tokens = sum(micro.rows.num_tokens for micro in batch)
    return {"step": step, "seconds": seconds, "save_seconds": save_seconds, "tokens": num_tokens}


def _paused(signal_name: str, counts: Counts, settings: TrainSettings, folder: Path) -> str:
    return (
        f"{signal_name}: stopped after step {counts.step} of {settings.steps}, with a checkpoint "
        f"in {folder}. Run the same command to go on."
    )


def _report(
    stage: str, settings: TrainSettings, result: StepResult, counts: Counts, *, seconds: float
) -> StepReport:
    return StepReport(
        stage=stage,
        step=counts.step,
        steps=settings.steps,
        loss=result.loss,
        learning_rate=result.learning_rate,
        tokens=counts.tokens,
        seconds=seconds,
    )


def _accelerators(model: LanguageModel) -> list[torch.device]:
    """Return the devices whose random state must be put back, besides the CPU."""
    return [] if model.device.type == "cpu" else [model.device]


def _summary(model: LanguageModel, counts: Counts, metrics: JsonLines) -> TrainSummary:
    losses = [record["loss"] for record in metrics.read() if record["loss"] is not None]
    return TrainSummary(
        steps=counts.step,
        tokens=counts.tokens,
        target_tokens=counts.target_tokens,
        rows_tokens=counts.rows_tokens,
        flops=training_flops(
            model.size(),
            tokens=counts.tokens,
            target_tokens=counts.target_tokens,
            attention_pairs=counts.attention_pairs,
        ),
        final_loss=losses[-1] if losses else float("nan"),
        skipped=counts.skipped,
    )
