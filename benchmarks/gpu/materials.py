"""What the parts of a GPU run share: the job of a size, with its folder and its examples."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu.sizes import SIZES
from benchmarks.train.job import Job
from benchmarks.train.materials import make_examples, make_outline

WARM_STEPS, TIMED_STEPS = 3, 8
_PASSES = 2  # of an optimizer step
_MEAN_EXAMPLE = 220  # tokens


def job_of(size: str, folder: Path, *, dry: bool) -> Job:
    """Write outline and examples, the same ones for every contender of this size; return the job."""
    chosen = SIZES[size]
    make_outline(folder / "model", chosen.config, vocabulary=chosen.vocabulary)
    number = _PASSES * chosen.rows_per_pass * chosen.row_length // _MEAN_EXAMPLE
    make_examples(folder / "examples.json", number, vocabulary=chosen.vocabulary)
    return Job(
        model=str(folder / "model"),
        examples=str(folder / "examples.json"),
        steps=2 if dry else WARM_STEPS + TIMED_STEPS,
        row_length=chosen.row_length,
        rows_per_pass=chosen.rows_per_pass,
        learning_rate=1e-4,
        device="cpu" if dry else "cuda",
        precision="bf16",
        drawn=True,
    )


def timed(laps: Sequence[float]) -> Sequence[float]:
    """Leave out the steps in which kernels are chosen and compiled."""
    return laps[min(WARM_STEPS, len(laps) - 1) :]
