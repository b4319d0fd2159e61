"""Train one size in bf16 and tell speed, share of the matrix rate and memory, as lines of JSON.

    python -m benchmarks.gpu.training --size 0.6B --contender ours|ul2r|trl [--dry-run]

    ul2r    this engine on rows of UL2R under the prefix mask: what the goals for the matrix rate are about
    ours    this engine on examples like Natural Instructions, causal
    trl     SFTTrainer on the same examples, packed

Operations are those that training needs: logits at targets alone, attention by pairs that the mask allows.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.gpu.materials import job_of, timed
from benchmarks.gpu.sizes import SIZES
from benchmarks.train.job import Answer, Job
from benchmarks.train.laps import Laps
from benchmarks.train.masks import ul2r_rows
from benchmarks.train.ours import loaded, run

from secondwind.example import Batch
from secondwind.flops import attention_pairs, training_flops
from secondwind.training.records import StepReport


def ul2r(job: Job, _scratch: Path) -> dict[str, Any]:
    """Train on rows of UL2R; return the median rate over the timed steps."""
    laps = Laps(job.device)
    model = loaded(job, "prefix")
    rows = ul2r_rows(job, model.vocabulary)
    batch_rows, size = 2 * job.rows_per_pass, model.size()
    tokens: list[int] = []
    operations: list[float] = []
    for step in range(job.steps):
        batch = Batch.stack(rows.rows(range(step * batch_rows, (step + 1) * batch_rows)))
        tokens.append(batch.num_tokens)
        operations.append(
            training_flops(
                size,
                tokens=batch.num_tokens,
                target_tokens=batch.num_targets,
                attention_pairs=attention_pairs(batch.segment_ids, batch.prefix_mask),
            )
        )
    laps.begin()

    def border(report: StepReport) -> None:
        laps.answer.losses.append(report.loss)
        laps.border()

    run(model, rows, job, batch_rows, border)
    seconds = timed(laps.answer.wall_seconds)
    return _told(laps.answer, median(a / b for a, b in zip(timed(tokens), seconds, strict=True))) | {
        "flops_per_second": median(a / b for a, b in zip(timed(operations), seconds, strict=True)),
        "backend": model.backend,
    }


def ours(job: Job, scratch: Path) -> dict[str, Any]:
    """Train on the examples with this engine."""
    from benchmarks.train import ours as contender

    return _on_examples(contender.race, job, scratch)


def trl(job: Job, scratch: Path) -> dict[str, Any]:
    """Train on the examples with TRL, if it is there."""
    from benchmarks.train import trl_trainer as contender

    return _on_examples(contender.race, job, scratch)


def _on_examples(race: Callable[[Job, Path], None], job: Job, scratch: Path) -> dict[str, Any]:
    race(job, scratch / "answer.json")
    answer = Answer.read(scratch / "answer.json")
    tokens = sum(len(inputs) + len(targets) for inputs, targets in job.pairs())
    return _told(answer, tokens / median(timed(answer.wall_seconds)))


def _told(answer: Answer, tokens_per_second: float) -> dict[str, Any]:
    return {
        "tokens_per_second": tokens_per_second,
        "extra_peak_bytes": answer.extra_peak_bytes,
        "losses": answer.losses,
    }


CONTENDERS = {"ul2r": ul2r, "ours": ours, "trl": trl}


def main() -> None:
    """Run one contender and print its line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--contender", choices=CONTENDERS, required=True)
    parser.add_argument("--dry-run", action="store_true")
    told = parser.parse_args()
    found: dict[str, Any] = {"part": "training", "size": told.size, "contender": told.contender}
    with tempfile.TemporaryDirectory() as scratch:
        job = job_of(told.size, Path(scratch), dry=told.dry_run)
        try:
            found |= CONTENDERS[told.contender](job, Path(scratch))
        except ModuleNotFoundError as error:
            found |= {"skipped": f"no module '{error.name}' here"}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
