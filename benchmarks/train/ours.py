"""This engine as it is used: `secondwind.training.loop.train` over a `Stream` of packed rows.

Rows are built in the background, metrics and times are written, the guard against NaN looks at every step;
attention is causal, since that is all that the peers have. `masks.py` races prefix against causal.
"""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers
from benchmarks.train.job import Job
from benchmarks.train.laps import Laps
from benchmarks.train.weights import network_of
from transformers import AutoTokenizer

from secondwind.data import Packer, Stream, packed_length
from secondwind.data.stream import RowSource
from secondwind.example import Example
from secondwind.model.load import LanguageModel, load
from secondwind.model.placement import placed
from secondwind.model.record import RECORD
from secondwind.runs import read_json
from secondwind.training.loop import train
from secondwind.training.records import StepReport
from secondwind.training.settings import TrainSettings
from secondwind.vocabulary import Vocabulary


class _EnoughError(Exception):
    """All steps of the job are done."""


class GivenExamples:
    """An `ExampleSource` that repeats a list of examples for ever."""

    def __init__(self, job: Job, vocabulary: Vocabulary) -> None:
        self._examples = [
            Example(np.asarray(inputs, np.int32), np.asarray(targets, np.int32), "given")
            for inputs, targets in job.pairs()
        ]
        self._lengths = np.array(
            [packed_length(len(one.inputs), len(one.targets), vocabulary) for one in self._examples]
        )

    def __len__(self) -> int:
        return len(self._examples)

    def lengths(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        return self._lengths[np.arange(start, stop) % len(self)]

    def __getitem__(self, index: int) -> Example:
        return self._examples[index % len(self)]

    def examples(self, indices: Sequence[int]) -> list[Example]:
        return [self[index] for index in indices]

    def identity(self) -> dict[str, Any]:
        return {"examples": "given"}


def race(job: Job, answer: Path) -> None:
    laps = Laps(job.device)
    model = loaded(job, "causal")
    source = GivenExamples(job, model.vocabulary)
    # A block of the packer is the whole list, so that each step sees every example once.
    stream = Stream(source, Packer(job.row_length, model.vocabulary, block_examples=len(source)), seed=1)
    batch_rows = next(row for row in range(1, len(source) + 1) if stream.examples(row)[0] >= len(source))
    stream.row(0)  # loads the compiled code
    laps.answer.versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    laps.begin()

    def border(report: StepReport) -> None:
        laps.answer.losses.append(report.loss)
        laps.border()

    run(model, stream, job, batch_rows, border)
    laps.answer.write(answer)


def loaded(job: Job, attention: Any) -> LanguageModel:
    """Return the model of a job on its device, with the backend that is proven there."""
    backend: Any = job.backend
    precision: Any = job.precision
    if not job.drawn:
        model = load(job.model, attention=attention)
    else:
        record = read_json(Path(job.model) / RECORD)
        tokenizer = AutoTokenizer.from_pretrained(job.model)
        vocabulary = Vocabulary.from_json(record["vocabulary"])
        model = LanguageModel(network_of(job), tokenizer, vocabulary, attention, "dense", job.model, record)
        # Nothing was proven yet, and on a CPU `auto` would keep what stands there.
        backend = "document" if (job.device, backend) == ("cpu", "auto") else backend
    return placed(model, job.device, backend=backend, precision=precision)


def run(
    model: LanguageModel,
    rows: RowSource,
    job: Job,
    batch_rows: int,
    progress: Callable[[StepReport], None],
) -> None:
    """Train for the steps of the job, in a folder that is thrown away.

    It is ended from within, a step before its end, where `train` would write a checkpoint.
    """
    settings = TrainSettings(
        steps=job.steps + 1,
        batch_rows=batch_rows,
        learning_rate=job.learning_rate,
        warmup=0.0,
        schedule="constant",
        micro_batch_rows=job.rows_per_pass,
        precision="bf16" if job.precision == "bf16" else "fp32",
    )

    def report(found: StepReport) -> None:
        progress(found)
        if found.step == job.steps:
            raise _EnoughError

    with tempfile.TemporaryDirectory() as folder, suppress(_EnoughError):
        train(model, rows, settings, Path(folder), progress=report)
