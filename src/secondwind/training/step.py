"""One update: micro-batches, their gradients, the guard against too little memory, the optimizer.

    rows of the step   0 1 2 3 4 5       micro_batch_rows 4:  0 1 2 3 | 4 5
                                         out of memory:       0 1 | 2 3 | 4 5      the same sum

Loss of a step = sum over its targets / number of its targets, counted over the whole batch, so that
rows with few targets weigh no more in one cut into micro-batches than in another.
"""

import gc
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.optim import Optimizer

from secondwind.errors import RunError
from secondwind.example import Batch, Row
from secondwind.model.load import LanguageModel
from secondwind.model.loss import per_source, target_loss
from secondwind.training.gradients import computing, gradient_norms
from secondwind.training.optimizer import clip_gradients, set_learning_rate
from secondwind.training.records import Log, MicroBatch, StepResult, merge_sources
from secondwind.training.settings import TrainSettings, learning_rate

# What PyTorch's allocator of the CPU says; an accelerator's raises a type of its own.
_CPU_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory")


class _Accumulated(NamedTuple):
    """What the backward passes of a step gave; the gradients lie in the network."""

    loss: float
    z_loss: float | None
    sources: dict[str, list[Any]]
    blamed: list[int]


def numbers_of_step(settings: TrainSettings, step: int) -> range:
    """Return the numbers of the rows of step 1, 2, ..."""
    return range((step - 1) * settings.batch_rows, step * settings.batch_rows)


def cut(rows: Sequence[Row], numbers: range, micro_batch_rows: int) -> list[MicroBatch]:
    """Cut the rows of a step into pieces of at most `micro_batch_rows`."""
    pieces = [slice(start, start + micro_batch_rows) for start in range(0, len(rows), micro_batch_rows)]
    return [MicroBatch(numbers[piece], Batch.stack(rows[piece])) for piece in pieces]


def take_step(
    model: LanguageModel,
    optimizer: Optimizer,
    batch: Sequence[MicroBatch],
    settings: TrainSettings,
    step: int,
) -> StepResult:
    """Make one update from all micro-batches, or none if loss or gradient is not finite."""
    accumulated = _accumulate(model, optimizer, batch, settings, step)
    norms = gradient_norms(model.network)
    grad_norm = clip_gradients(model.network, settings.clip)
    everyone = [number for micro in batch for number in micro.numbers]
    result = StepResult(
        step=step,
        loss=accumulated.loss,
        z_loss=accumulated.z_loss,
        grad_norm=grad_norm,
        grad_norms=norms,
        learning_rate=learning_rate(settings, step),
        micro_batch_rows=batch[0].rows.tokens.shape[0],
        sources=accumulated.sources,
        blamed=accumulated.blamed or everyone,
    )
    if result.is_finite:
        set_learning_rate(optimizer, result.learning_rate)
        _update(optimizer, step)
    return result


def _update(optimizer: Optimizer, step: int) -> None:
    """Let the optimizer step; out of memory there, some parameters may be updated and others not."""
    try:
        optimizer.step()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise RunError(
            f"memory ran out while step {step} updated the parameters ({str(error).splitlines()[0]}): the "
            "update is half made. Set training.optimizer to adafactor or model.adapter to {type: lora}, "
            "free memory, and run again: training goes on from its last checkpoint."
        ) from error


def take_step_in_memory(
    model: LanguageModel,
    optimizer: Optimizer,
    rows: Sequence[Row],
    settings: TrainSettings,
    step: int,
    *,
    fewer: int,
    log: Log,
) -> tuple[StepResult, list[MicroBatch]]:
    """Make one update; while memory is too small, halve the micro-batches and begin the step again.

    Args:
        fewer: rows at once where memory has made them fewer than the settings say; else 0.

    Returns:
        The step, and the micro-batches that it was made in.

    Raises:
        RunError: a single row does not fit.
    """
    micro_batch_rows = fewer or settings.micro_batch_rows
    while True:
        batch = cut(rows, numbers_of_step(settings, step), micro_batch_rows)
        try:
            return take_step(model, optimizer, batch, settings, step), batch
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            met = str(error).splitlines()[0]
        # Behind the handler: until then the error holds on to every tensor of the failed pass.
        _free(optimizer)
        if micro_batch_rows == 1:
            raise RunError(
                f"step {step} does not fit into memory with one row of {len(rows[0].tokens)} tokens at once "
                f"({met}). Set training.activation_checkpointing to true or model.adapter to {{type: lora}}, "
                "lower row_length, or take a larger machine."
            )
        micro_batch_rows = min(micro_batch_rows, len(rows)) // 2
        log(
            f"OUT OF MEMORY in step {step}: from here on {micro_batch_rows} rows are computed at once; the "
            "batch, and so what is learned, stays the same. Set training.micro_batch_rows to begin so."
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory ran out, on an accelerator or on the CPU."""
    told = str(error)
    return isinstance(error, torch.OutOfMemoryError) or any(sign in told for sign in _CPU_OUT_OF_MEMORY)


def _accumulate(
    model: LanguageModel,
    optimizer: Optimizer,
    batch: Sequence[MicroBatch],
    settings: TrainSettings,
    step: int,
) -> _Accumulated:
    optimizer.zero_grad()
    num_targets = sum(micro.rows.num_targets for micro in batch)
    total, z_total = 0.0, 0.0
    sources: list[Mapping[str, tuple[float, int]]] = []
    blamed: list[int] = []
    for number, micro in enumerate(batch):
        with computing(model, settings, step, number):
            loss = target_loss(model, micro.rows, z_loss=settings.z_loss)
        (loss.optimised / num_targets).backward()
        total += loss.total.item()
        z_total += 0.0 if loss.z_total is None else loss.z_total.item()
        sources.append(per_source(loss, micro.rows))
        if not torch.isfinite(loss.optimised):
            blamed.extend(micro.numbers)
    return _Accumulated(
        loss=total / num_targets,
        z_loss=z_total / num_targets if settings.z_loss else None,
        sources=merge_sources(sources),
        blamed=blamed,
    )


def _free(optimizer: Optimizer) -> None:
    optimizer.zero_grad()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
