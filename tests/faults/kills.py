"""kill -9 at random points of a training run: what goes on must end with the same bytes.

    python -m tests.faults.kills --points 20      one line a point, for full and for LoRA training

A child process trains; its parent waits for a drawn number of steps and a drawn moment more, and kills it.
Another child goes on in the same folder. Losses, gradient norms and the final parameters are then compared,
bit for bit, with those of a run that nobody killed. Checkpoints are due at every third step of a tiny
model, so that many of the kills fall into a save.
"""

import argparse
import hashlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from secondwind.randomness import Draws, key
from secondwind.training import checkpoint
from secondwind.training.loop import train
from tests.training.conftest import LORA, TinyRows, make_model, make_settings

KINDS = {"full": None, "lora": LORA}
STEPS = 24
_LONGEST_WAIT_SECONDS = 0.04  # about two steps, or one save
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Kill:
    """What one kill met, and whether the resumed run ended as the unbroken one.

    Args:
        step: whole records in metrics.jsonl at the kill.
        left_over: names in the checkpoint folder at the kill, half-made ones included.
    """

    kind: str
    step: int
    left_over: tuple[str, ...]
    same_metrics: bool
    same_parameters: bool

    @property
    def is_exact(self) -> bool:
        """Say whether nothing differed."""
        return self.same_metrics and self.same_parameters

    def line(self) -> str:
        """Return the point as a line of the table."""
        left = " ".join(self.left_over) or "no checkpoint"
        return f"{self.kind:5} killed after step {self.step:2}  bit-equal: {self.is_exact}  left: {left}"


def run_points(num_points: int, *, seed: int, folder: Path, tell: Callable[[str], None]) -> list[Kill]:
    """Kill and resume `num_points` runs of each kind under `folder`."""
    torch.set_num_threads(1)
    found: list[Kill] = []
    for kind in KINDS:
        unbroken = folder / f"{kind}-unbroken"
        _wait(_start(kind, unbroken), wanted=0)
        for number in range(num_points):
            draws = Draws(key(seed, f"kill {kind}", number))
            step, share = draws.below(STEPS), draws.below(1000) / 1000
            killed = _kill(kind, folder / f"{kind}-{number}", unbroken, step, share * _LONGEST_WAIT_SECONDS)
            tell(killed.line())
            found.append(killed)
    return found


def _kill(kind: str, folder: Path, unbroken: Path, step: int, wait_seconds: float) -> Kill:
    child = _start(kind, folder, stays=True)
    patience = time.monotonic() + _PATIENCE_SECONDS
    while _num_records(folder) < step and time.monotonic() < patience:
        time.sleep(0.0005)
    time.sleep(wait_seconds)
    os.kill(child, signal.SIGKILL)
    _wait(child, wanted=-signal.SIGKILL)
    left = sorted(path.name for path in (folder / "checkpoints").glob("*"))
    records = _num_records(folder)
    _wait(_start(kind, folder), wanted=0)
    return Kill(
        kind=kind,
        step=records,
        left_over=tuple(left),
        same_metrics=(folder / "metrics.jsonl").read_bytes() == (unbroken / "metrics.jsonl").read_bytes(),
        same_parameters=(folder / "final").read_bytes() == (unbroken / "final").read_bytes(),
    )


def _num_records(folder: Path) -> int:
    path = folder / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _start(kind: str, folder: Path, *, stays: bool = False) -> int:
    """Train in a child process, which waits at its end to be killed if it `stays`; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        model = make_model(dropout=0.1, adapter=KINDS[kind])
        train(model, TinyRows(), make_settings(steps=STEPS), folder)
        digest = hashlib.sha256()
        for name, tensor in checkpoint.parameter_tensors(model.network).items():
            digest.update(name.encode() + tensor.numpy().tobytes())
        (folder / "final").write_text(digest.hexdigest())
        while stays:
            signal.pause()
        os._exit(0)
    except BaseException as error:
        print(f"child: {error!r}", file=sys.stderr, flush=True)
        os._exit(1)


def _wait(child: int, *, wanted: int) -> None:
    _, status = os.waitpid(child, 0)
    found = os.waitstatus_to_exitcode(status)
    if found != wanted:
        raise RuntimeError(f"a training process ended with {found}, wanted {wanted}")


def main() -> int:
    """Run the table from the command line; 1 if any point differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=20, help="kills of each kind of training")
    parser.add_argument("--seed", type=int, default=0, help="of the points")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kills = run_points(asked.points, seed=asked.seed, folder=Path(folder), tell=print)
    exact = sum(kill.is_exact for kill in kills)
    print(f"{exact} of {len(kills)} killed runs ended bit-equal to one that nobody killed")
    return 0 if exact == len(kills) else 1


if __name__ == "__main__":
    sys.exit(main())
