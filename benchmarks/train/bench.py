"""Race training against TRL, Hugging Face's Trainer and a loop written by hand, on the CPU.

On a GPU the same contenders run in `benchmarks/gpu.sh`.

    make bench-train                                  the environment of the peers, then the race
    python -m benchmarks.train.bench --rounds 3       more rounds
    python -m benchmarks.train.bench --quick          few examples, one round, bars not held: to try it out
    python -m benchmarks.train.bench --json           the figures alone

    ours          secondwind.training.loop.train over packed rows, causal mask
    TRL           SFTTrainer, packing=True
    HF Trainer    Trainer, examples padded to the longest of their batch
    bare loop     the limit: packed, attention per example, logits at targets alone, no bookkeeping
    masks         ours on rows of UL2R, under the prefix mask and under the causal one

All train the same model from the same weights on the same examples: each optimizer step sees every example
once, however it is packed, so all must report the same losses, and a race in which they differ is lost.
They take turns, each in a fresh process. Bars are held at one thread in processor time, by the best laps:
on a shared machine the others measure the neighbours. With two threads the clock counts, once, without bars.

Exit code 1 where ours is below a bar or losses differ, 2 where the peers are missing or one fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks.train import environment
from benchmarks.train.figures import (
    Entry,
    Figure,
    loss_faults,
    print_entries,
    print_figures,
    print_versions,
    ratios,
)
from benchmarks.train.job import Answer, Job
from benchmarks.train.materials import SMALL, make_examples, make_model

VOCABULARY = 32_000
_EXAMPLES, _QUICK_EXAMPLES = 16, 4
_PEERS = ("trl_trainer", "hf_trainer")
# Ours and the bare loop are so much faster that more of their steps cost little.
_STEPS = {"ours": 6, "bare": 6, "trl_trainer": 3, "hf_trainer": 3, "masks": 3}
_MASK_ROWS = 2  # a step of the masks' race


class Heat(NamedTuple):
    """Contenders in turns, under the same conditions."""

    title: str
    names: tuple[str, ...]
    rounds: int
    threads: int
    precision: str = "fp32"

    @property
    def has_bars(self) -> bool:
        """Tell whether bars are held here."""
        return self.threads == 1 and self.precision == "fp32"


def heats(rounds: int, *, quick: bool) -> Iterator[Heat]:
    """List what is run here; what cannot be is named."""
    names = ("ours", "trl_trainer", "hf_trainer", "bare")
    yield Heat("one thread, processor time", (*names, "masks"), 1 if quick else rounds, 1)
    if quick:
        return
    if (os.cpu_count() or 1) >= 2:
        yield Heat("two threads, by the clock", names, 1, 2)
    else:
        print("two threads: skipped, this machine has one core", file=sys.stderr)
    if fast_bf16():
        yield Heat("one thread, bf16 autocast, processor time", names, 1, 1, "bf16")
    else:
        print("bf16 autocast: skipped, this processor has no avx512_bf16 and no amx_bf16", file=sys.stderr)


def fast_bf16() -> bool:
    """Tell whether the processor computes in bf16, rather than imitating it."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


def run_heat(heat: Heat, job: Job, scratch: Path) -> dict[str, list[Answer]]:
    """Let all take their turns; return the answers of every contender, one for each round."""
    answers: dict[str, list[Answer]] = {}
    for _ in range(heat.rounds):
        for name in heat.names:
            told = replace(job, steps=_STEPS[name], threads=heat.threads, precision=heat.precision)
            if name == "masks":
                told = replace(told, rows_per_pass=_MASK_ROWS)
            for part, answer in ask(name, told, scratch).items():
                answers.setdefault(part, []).append(answer)
    return answers


def ask(name: str, job: Job, scratch: Path) -> dict[str, Answer]:
    """Run one contender in a process of its own; return its answer, or one for each mask."""
    python = environment.peer_python() if name in _PEERS else Path(sys.executable)
    told, answer = scratch / "job.json", scratch / "answer.json"
    job.write(told)
    quiet = {
        "OMP_NUM_THREADS": str(job.threads),
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_VISIBLE_DEVICES": "-1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
    }
    done = subprocess.run(
        [str(python), "-W", "ignore", "-m", "benchmarks.train.contender", name, str(told), str(answer)],
        cwd=environment.ROOT,
        env={**os.environ, **quiet},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        print(
            f"contender '{name}' ended with exit code {done.returncode}:\n{done.stdout[-3000:]}",
            file=sys.stderr,
        )
        raise SystemExit(2)
    if name == "masks":
        return {mask: Answer.read(scratch / f"answer.{mask}.json") for mask in ("prefix", "causal")}
    return {name: Answer.read(answer)}


def main() -> int:
    """Run the race."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="turns of each at one thread")
    parser.add_argument("--quick", action="store_true", help="few examples, one round, bars not held")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    told = parser.parse_args()
    if environment.peer_python() is None:
        print("no TRL and no Trainer. Make them: python -m benchmarks.train.environment", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        job = Job(model=f"{folder}/model", examples=f"{folder}/examples.json")
        make_model(Path(job.model), SMALL, vocabulary=VOCABULARY)
        number = _QUICK_EXAMPLES if told.quick else _EXAMPLES
        tokens, targets = make_examples(Path(job.examples), number, vocabulary=VOCABULARY)
        if not told.json:
            print(
                f"{number} examples a step, {tokens:,} tokens, {100 * targets / tokens:.1f} % targets; "
                f"vocabulary {VOCABULARY:,}; load {os.getloadavg()[0]:.1f}"
            )
        for heat in heats(told.rounds, quick=told.quick):
            answers = run_heat(heat, job, Path(folder))
            entries = [Entry.of(name, found, tokens, threads=heat.threads) for name, found in answers.items()]
            found = ratios(heat.title, entries, has_bars=heat.has_bars and not told.quick)
            faults += loss_faults(answers, precision=heat.precision)
            figures += found
            if not told.json:
                print_entries(heat.title, entries)
                print_versions(answers)
                print_figures(found)
    if told.json:
        print(json.dumps({"figures": [figure._asdict() for figure in figures], "faults": faults}, indent=1))
    for fault in faults:
        print(f"NOT THE SAME TRAINING: {fault}", file=sys.stderr)
    print(f"load {os.getloadavg()[0]:.1f} at the end", file=sys.stderr)
    return 0 if not faults and all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
