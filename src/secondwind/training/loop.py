"""The training loop, on one page.

    for each step   rows of this step -> micro-batches -> loss over ALL their targets -> clip -> update
                    -> one line of metrics -> checkpoint where one is due

    stage folder/   metrics.jsonl   timing.jsonl   checkpoints/step-N/

The rows of the next steps are built in the background while one step trains.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch

from secondwind.data.prefetch import Prefetcher
from secondwind.data.stream import RowSource
from secondwind.errors import Paused
from secondwind.example import Batch, Row
from secondwind.flops import training_flops
from secondwind.model.load import LanguageModel
from secondwind.model.selfcheck import check_first_batch
from secondwind.model.size import frozen_size
from secondwind.runs import JsonLines
from secondwind.signals import log_to_stderr, stop_on_signals
from secondwind.training.average import ParameterAverage
from secondwind.training.gradients import Group, computing, gradient_record
from secondwind.training.guard import refuse_non_finite
from secondwind.training.network import training_mode
from secondwind.training.optimizer import make_optimizer
from secondwind.training.records import Counts, Log, StepReport, StepResult, TrainSummary, source_statistics
from secondwind.training.settings import TrainSettings, is_due
from secondwind.training.stage import StageFolder, Trained, stage_identity
from secondwind.training.step import numbers_of_step, take_step_in_memory


def train(
    model: LanguageModel,
    rows: RowSource,
    settings: TrainSettings,
    folder: Path,
    *,
    stage: str = "train",
    group: Group = str,
    progress: Callable[[StepReport], None] | None = None,
    log: Log = log_to_stderr,
) -> TrainSummary:
    """Train `model` in place on rows 0, 1, 2, ...; go on from the newest good checkpoint in `folder`.

    Killed at any instant and started again with a freshly loaded model, it gives the same metrics
    and the same parameters, bit by bit on a CPU with the same number of threads.

    Args:
        stage: a name for the metrics.
        group: from a source to what its gradients are counted under, for example a task's cluster.
        progress: called after every step and before its checkpoint, so whatever it writes about a step
            is there when a later run goes on behind that step. It must leave `rows` alone.
        log: gets the lines that must not be missed: fall-backs, skips, smaller micro-batches, signals.

    Raises:
        Paused: a signal asked to stop; a checkpoint of the last finished step was saved.
        NonFiniteLoss: the loss or gradient was NaN or infinite; the parameters are as before the step.
        ModelError: the architecture cannot do what the settings ask.
        RunError: checkpoints are damaged, or were made with other settings or rows; the disk is full; a
            single row does not fit into memory.
    """
    trained = Trained(
        model, make_optimizer(model.network, settings), ParameterAverage(model.network, settings)
    )
    place = StageFolder(folder, stage_identity(model, rows, settings, stage))
    counts = place.resume(trained, log=log)
    batches = (numbers_of_step(settings, step) for step in range(counts.step + 1, settings.steps + 1))
    with (
        stop_on_signals(log=log) as stop,
        torch.random.fork_rng(_accelerators(model)),
        training_mode(model.network, settings),
        Prefetcher(rows, batches) as prefetcher,
    ):
        for built in _checked(prefetcher, model, settings, counts.step + 1):
            began, tokens_before = time.perf_counter(), counts.tokens
            result, batch = take_step_in_memory(
                model,
                trained.optimizer,
                built,
                settings,
                counts.step + 1,
                fewer=counts.micro_batch_rows,
                log=log,
            )
            counts = counts.after(batch, result, attention=model.attention, settled=settings.micro_batch_rows)
            refuse_non_finite(result, settings, skipped=counts.skipped, log=log)
            trained.average.add(counts.step)
            looked = gradient_record(model, batch[0], settings, result, group=group)
            place.metrics.append(result.record(stage, counts) | looked)
            seconds = time.perf_counter() - began
            # Before the checkpoint: a run that goes on from it never makes this call again.
            if progress:
                progress(_report(stage, settings, result, counts, seconds=seconds))
            # Read once: a signal during the save waits for the next step or, behind the last, for the run.
            pausing = bool(stop)
            saving = time.perf_counter()
            if pausing or is_due(settings, counts.step):
                place.save(trained, counts, keep=settings.keep)
            lived = {
                "step": counts.step,
                "seconds": seconds,
                "save_seconds": time.perf_counter() - saving,
                "data_wait_seconds": prefetcher.waited_seconds,
                "tokens": counts.tokens - tokens_before,
                "peak_memory_bytes": _peak_memory(model),
            }
            place.timing.append(lived)
            if pausing:  # at the last step too: the stages behind this one must not start
                raise Paused(_paused(stop.signal_name, counts, settings, folder))
    trained.average.apply()
    return _summary(model, counts, place.metrics)


def _checked(
    batches: Iterable[Sequence[Row]], model: LanguageModel, settings: TrainSettings, step: int
) -> Iterator[Sequence[Row]]:
    """Yield batches; the first is held to the dense backend before."""
    for number, rows in enumerate(batches):
        if number == 0:
            with computing(model, settings, step, 0):
                check_first_batch(
                    model.network, Batch.stack(rows[:1]), attention=model.attention, backend=model.backend
                )
        yield rows


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


def _peak_memory(model: LanguageModel) -> int:
    """Return the most bytes that were in use at once so far, on the accelerator where there is one."""
    if model.device.type == "cuda":
        return torch.cuda.max_memory_allocated(model.device)
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes if sys.platform == "darwin" else kibibytes * 1024


def _summary(model: LanguageModel, counts: Counts, metrics: JsonLines) -> TrainSummary:
    records = metrics.read()
    losses = [record["loss"] for record in records if record["loss"] is not None]
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
            frozen=frozen_size(model.network),
        ),
        final_loss=losses[-1] if losses else float("nan"),
        skipped=counts.skipped,
        micro_batch_rows=counts.micro_batch_rows,
        sources=source_statistics(records),
    )
