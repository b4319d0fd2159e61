"""From the recipe's sections to the loop's settings, and from its steps to the monitor."""

import os
from collections.abc import Callable
from typing import Any, Literal, cast

import torch

from secondwind.model.load import LanguageModel
from secondwind.recipe import FlanSection, PretrainSection, TrainingSection, Ul2rSection
from secondwind.study.monitor import Monitor
from secondwind.training import TrainSettings
from secondwind.training.records import StepReport

# A micro-batch of about this many tokens keeps two CPU cores or a small GPU busy within a few GiB.
_MICRO_BATCH_TOKENS = 8192


StageSection = PretrainSection | Ul2rSection | FlanSection


def train_settings(
    section: StageSection, training: TrainingSection, *, steps: int, seed: int
) -> TrainSettings:
    """Combine a stage's section with the recipe's training section."""
    micro = training.micro_batch_rows
    if micro == "auto":
        micro = min(section.batch_rows, max(1, _MICRO_BATCH_TOKENS // section.row_length))
    return TrainSettings(
        steps=steps,
        batch_rows=section.batch_rows,
        learning_rate=section.learning_rate,
        warmup=section.warmup,
        schedule=section.schedule,
        final_share=training.final_share,
        micro_batch_rows=micro,
        checkpoint_every=training.checkpoint_every,
        keep=training.keep,
        on_non_finite=training.on_non_finite,
        optimizer=training.optimizer,
        weight_decay=training.weight_decay,
        clip=training.clip,
        seed=seed,
        precision=precision(training),
    )


def precision(training: TrainingSection) -> Literal["bf16", "fp32"]:
    """Resolve `auto`: bf16 where the hardware multiplies it, else fp32."""
    if training.precision != "auto":
        return training.precision
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    # mkldnn calls bf16 supported wherever it can emulate it, at an eighth of fp32's speed.
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if native else "fp32"


def place(model: LanguageModel) -> LanguageModel:
    """Move a model to the accelerator, where there is one, and return it."""
    if torch.cuda.is_available():
        cast(Any, model.network).to("cuda")  # its stub forgets that a device is accepted
    return model


def use_threads(training: TrainingSection) -> int:
    """Set the CPU threads of the run, which its results depend on, and return their number."""
    threads = training.threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    return threads


def watch(monitor: Monitor, *, after: Callable[[int], None] = lambda _: None) -> Callable[[StepReport], None]:
    """Return a callback for the loop that tells the monitor, then calls `after` with the step."""

    def tell(report: StepReport) -> None:
        speed = f"{report.tokens / 1e3:.0f}k tokens  loss {report.loss:.3f}"
        monitor.progress(report.stage, report.step, report.steps, speed)
        after(report.step)

    return tell
