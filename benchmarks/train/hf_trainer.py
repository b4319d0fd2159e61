"""Hugging Face's `Trainer` as most scripts use it: examples padded to the longest of their batch.

Its collator is `DataCollatorForSeq2Seq`, which pads ids with the pad token and labels with -100.
"""

import tempfile
from pathlib import Path
from typing import Any

import torch
import transformers
from benchmarks.train.job import BETAS, CLIP, EPSILON, Job
from benchmarks.train.laps import Laps
from benchmarks.train.weights import network_of
from transformers import (
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

# Its name since transformers 5.23, and before.
_NAMES = ("activation_checkpointing", "gradient_checkpointing")
_CHECKPOINTING = next(name for name in _NAMES if name in TrainingArguments.__dataclass_fields__)


def race(job: Job, answer: Path) -> None:
    laps = Laps(job.device)
    network = network_of(job)
    records = labelled(job)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=network,
            args=TrainingArguments(**settings(job, folder, job.examples_per_pass, len(records))),
            data_collator=DataCollatorForSeq2Seq(AutoTokenizer.from_pretrained(job.model)),
            train_dataset=records,  # type: ignore[arg-type]
            callbacks=[Borders(laps)],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    laps.answer.versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    laps.answer.write(answer)


class Borders(TrainerCallback):
    """Tells the stop-watch of training's begin, of each finished step, and of its loss."""

    def __init__(self, laps: Laps) -> None:
        self._laps = laps

    def on_train_begin(self, *_: object, **__: object) -> None:
        self._laps.begin()

    def on_step_end(self, *_: object, **__: object) -> None:
        self._laps.border()

    def on_log(self, *_: object, logs: dict[str, Any], **__: object) -> None:
        if "loss" in logs:
            self._laps.answer.losses.append(float(logs["loss"]))


def labelled(job: Job) -> list[dict[str, list[int]]]:
    """Return the examples with labels, -100 where no loss is due."""
    return [
        {"input_ids": inputs + targets, "labels": [-100] * len(inputs) + targets}
        for inputs, targets in job.pairs()
    ]


def settings(job: Job, folder: str, items_per_pass: int, num_items: int) -> dict[str, Any]:
    """Return the arguments of Trainer under which each optimizer step sees every item once."""
    return {
        "output_dir": folder,
        "max_steps": job.steps,
        "per_device_train_batch_size": items_per_pass,
        "gradient_accumulation_steps": -(-num_items // items_per_pass),
        "learning_rate": job.learning_rate,
        "lr_scheduler_type": "constant",
        "optim": "adamw_torch_fused",
        "adam_beta1": BETAS[0],
        "adam_beta2": BETAS[1],
        "adam_epsilon": EPSILON,
        "weight_decay": 0.0,
        "max_grad_norm": CLIP,
        "bf16": job.precision == "bf16",
        _CHECKPOINTING: False,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": job.device == "cuda",
        "use_cpu": job.device == "cpu",
        "seed": 1,
    }
