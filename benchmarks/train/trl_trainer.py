"""TRL's `SFTTrainer` with packing, its default strategy (best fit decreasing, padding-free).

In its favour: token ids and labels are handed to it, gradient checkpointing, which it turns on by itself, is
off, and what it makes of the data set is in memory before the first measurement.
"""

import tempfile
from pathlib import Path

import torch
import transformers
import trl
from benchmarks.train.hf_trainer import Borders, labelled, settings
from benchmarks.train.job import Job
from benchmarks.train.laps import Laps
from benchmarks.train.weights import network_of
from datasets import Dataset
from transformers import AutoTokenizer


def race(job: Job, answer: Path) -> None:
    laps = Laps(job.device)
    network = network_of(job)
    records = Dataset.from_list(labelled(job))
    num_rows = len(trl.pack_dataset(records, job.row_length, "bfd"))
    with tempfile.TemporaryDirectory() as folder:
        trainer = trl.SFTTrainer(
            model=network,
            args=trl.SFTConfig(
                **settings(job, folder, job.rows_per_pass, num_rows),
                packing=True,
                packing_strategy="bfd",
                max_length=job.row_length,
            ),
            processing_class=AutoTokenizer.from_pretrained(job.model),
            train_dataset=records,
            callbacks=[Borders(laps)],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        assert len(trainer.train_dataset) == num_rows  # type: ignore[arg-type]
        trainer.train()
    laps.answer.versions = {
        "trl": trl.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }
    laps.answer.write(answer)
