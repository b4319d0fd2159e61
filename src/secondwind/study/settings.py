"""From the recipe's sections to the loop's settings, and from its steps to the monitor.

What the recipe leaves to `auto` is decided here; `resolved.py` keeps the decisions of a run.
"""

import os
from collections.abc import Callable
from typing import Any, Literal, cast

import torch

from secondwind.model.load import LanguageModel
from secondwind.recipe import FlanSection, PretrainSection, TrainingSection, Ul2rSection
from secondwind.study.monitor import Monitor
from secondwind.training import TrainSettings
from secondwind.training.records import StepReport

StageSection = PretrainSection | Ul2rSection | FlanSection
Device = Literal["cpu", "cuda"]
Precision = Literal["bf16", "fp32"]

# A micro-batch of about this many tokens keeps two CPU cores or a small GPU busy within a few GiB.
_MICRO_BATCH_TOKENS = 8192


def train_settings(
    section: StageSection, training: TrainingSection, *, steps: int, seed: int
) -> TrainSettings:
    """Combine a stage's section with the training section, in which nothing is left to `auto`."""
    assert training.micro_batch_rows != "auto" and training.precision != "auto"
    return TrainSettings(
        steps=steps,
        batch_rows=section.batch_rows,
        learning_rate=section.learning_rate,
        warmup=section.warmup,
        schedule=section.schedule,
        final_share=training.final_share,
        micro_batch_rows=training.micro_batch_rows,
        checkpoint_every=training.checkpoint_every,
        keep=training.keep,
        on_non_finite=training.on_non_finite,
        optimizer=training.optimizer,
        weight_decay=training.weight_decay,
        clip=training.clip,
        seed=seed,
        precision=training.precision,
    )


def micro_batch_rows(section: StageSection, training: TrainingSection) -> int:
    """Resolve `auto`: as many rows as a forward pass of a fixed number of tokens holds."""
    if training.micro_batch_rows != "auto":
        return training.micro_batch_rows
    return min(section.batch_rows, max(1, _MICRO_BATCH_TOKENS // section.row_length))


def precision(training: TrainingSection) -> Precision:
    """Resolve `auto`: bf16 where the hardware multiplies it, else fp32."""
    if training.precision != "auto":
        return training.precision
    return "bf16" if multiplies_bf16() else "fp32"


def multiplies_bf16() -> bool:
    """Tell whether the hardware multiplies bf16 itself; it can be emulated everywhere."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # mkldnn calls bf16 supported wherever it can emulate it, at an eighth of fp32's speed.
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def device() -> Device:
    """Return where models are put: on the accelerator, where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def place(model: LanguageModel) -> LanguageModel:
    """Move a model to the accelerator, where there is one, and return it."""
    if device() == "cuda":
        cast(Any, model.network).to("cuda")  # its stub forgets that a device is accepted
    return model


def available_cpus() -> int:
    """Count the CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def watch(monitor: Monitor, *, after: Callable[[int], None] = lambda _: None) -> Callable[[StepReport], None]:
    """Return a callback for the loop that tells the monitor, then calls `after` with the step."""

    def tell(report: StepReport) -> None:
        speed = f"{report.tokens / 1e3:.0f}k tokens  loss {report.loss:.3f}"
        monitor.progress(report.stage, report.step, report.steps, speed)
        after(report.step)

    return tell
