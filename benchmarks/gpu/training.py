"""Train one size in bf16 and tell speed, share of the matrix rate and memory, as lines of JSON.

    python -m benchmarks.gpu.training --size 0.6B --contender ul2r [--dry-run]

    ul2r        this engine on rows of UL2R under the prefix mask: the goals for the matrix rate are about it
    ours        this engine on examples like Natural Instructions, causal
    trl         SFTTrainer on the same examples, packed, with FlashAttention 2 where that is installed, else
                PyTorch's attention, of few rows at once: its mask grows with the square of their tokens
    trl-flex    the same with FlexAttention

Operations are those that training needs: logits at targets alone, attention by pairs that the mask allows.
"""

import argparse
import importlib.util
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
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
    """Train on the examples with TRL and the attention that it is usually run with."""
    if importlib.util.find_spec("flash_attn") is not None and job.device == "cuda":
        return _with_trl(replace(job, peer_attention="flash_attention_2"), scratch)
    return _with_trl(replace(job, rows_per_pass=min(_DENSE_ROWS, job.rows_per_pass)), scratch)


def trl_flex(job: Job, scratch: Path) -> dict[str, Any]:
    """Train on the examples with TRL and FlexAttention."""
    return _with_trl(replace(job, peer_attention="flex_attention"), scratch)


def _with_trl(job: Job, scratch: Path) -> dict[str, Any]:
    from benchmarks.train import trl_trainer as contender

    return _on_examples(contender.race, job, scratch) | {"attention": job.peer_attention}


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


CONTENDERS = {"ul2r": ul2r, "ours": ours, "trl": trl, "trl-flex": trl_flex}
_DENSE_ROWS = 4


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
        except Exception as error:
            if told.contender in ("ul2r", "ours"):
                raise
            # A peer that cannot run here is a finding, not a fault of this run.
            found |= {"skipped": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
