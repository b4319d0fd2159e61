"""Every fault of every file that a killed run left: refused by name, or a verified fall-back, never silence.

    python -m tests.faults.checkpoints      file, fault, and what going on did with and without an older one

A run is killed behind its second checkpoint. One file is then harmed, and the same run goes on. A fall-back
must name the file and end with the bytes of an unbroken run; a refusal must name the file, twice the same.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from secondwind.errors import RunError
from secondwind.model.adapter import Adapter
from secondwind.training import checkpoint
from secondwind.training.loop import train
from secondwind.training.records import METRICS, StepReport
from tests.training.conftest import LORA, TinyRows, make_model, make_settings

KINDS: dict[str, Adapter | None] = {"full": None, "lora": LORA}
OLDER, NEWER, KILLED = 3, 6, 7


class Killed(BaseException):
    """Stands for kill -9."""


@dataclass(frozen=True)
class Outcome:
    """What going on did after one fault.

    Args:
        file: relative to the stage folder.
        with_older: with an older checkpoint beside the harmed one.
        alone: without.
        is_safe: whether both are among what is allowed.
    """

    kind: str
    file: str
    fault: str
    with_older: str
    alone: str
    is_safe: bool

    def line(self) -> str:
        """Return the outcome as a line of the table."""
        safe = "" if self.is_safe else "  NOT SAFE"
        return f"{self.kind:5} {self.file:36} {self.fault:10} {self.with_older:24} {self.alone}{safe}"


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    # In the middle of the part that is to be gone on from: of metrics too, the first records.
    place = len(content) // 4
    content[place] ^= 1
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


FAULTS: dict[str, Callable[[Path], None]] = {
    "truncated": _truncate,
    "bit flip": _flip,
    "deleted": Path.unlink,
    "emptied": lambda path: path.write_bytes(b"") and None,
}


def run_table(folder: Path, *, tell: Callable[[str], None]) -> list[Outcome]:
    """Try every fault on every file, for full and LoRA training, under `folder`."""
    torch.set_num_threads(1)
    found: list[Outcome] = []
    for kind, adapter in KINDS.items():
        _train(adapter, folder / kind / "unbroken")
        wanted = (folder / kind / "unbroken" / METRICS).read_bytes()
        both, only = folder / kind / "both", folder / kind / "only"
        _train(adapter, both, killed=KILLED)
        shutil.copytree(both, only)
        shutil.rmtree(only / "checkpoints" / f"step-{OLDER}")
        newer = f"checkpoints/step-{NEWER}"
        files = [METRICS, *(f"{newer}/{path.name}" for path in sorted((both / newer).iterdir()))]
        for file in files:
            for fault in FAULTS:
                outcome = _try(kind, file, fault, [both, only], wanted)
                tell(outcome.line())
                found.append(outcome)
    return found


def _try(kind: str, file: str, fault: str, runs: list[Path], wanted: bytes) -> Outcome:
    met = [_go_on(KINDS[kind], run, file, FAULTS[fault], wanted) for run in runs]
    # Metrics belong to all checkpoints, so an older one does not help.
    allowed = {"refused by name"} if file == METRICS else {f"fell back to step-{OLDER}"}
    is_safe = met[0] in allowed and met[1] == "refused by name"
    return Outcome(kind, file, fault, met[0], met[1], is_safe)


def _go_on(adapter: Adapter | None, run: Path, file: str, harm: Callable[[Path], None], wanted: bytes) -> str:
    """Harm one file of a copy of the run, go on with it, and say what happened."""
    copy = run.with_name("harmed")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run, copy)
    harm(copy / file)
    name, lines = Path(file).name, []
    try:
        _train(adapter, copy, log=lines.append)
    except RunError as error:
        try:
            _train(adapter, copy, log=lines.append)
        except RunError as again:
            is_named = name in str(error) and str(again) == str(error)
            return "refused by name" if is_named else f"refused: {error}"
        return "refused once, then trained"
    if (copy / METRICS).read_bytes() != wanted:
        return "TRAINED ON, OTHER NUMBERS"
    told = " ".join(lines)
    fell_back = "CHECKPOINT DAMAGED" in told and name in told and f"Going back to step-{OLDER}" in told
    return f"fell back to step-{OLDER}" if fell_back else "trained on in silence"


def _train(
    adapter: Adapter | None,
    folder: Path,
    *,
    killed: int | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> None:
    def die(report: StepReport) -> None:
        if report.step == killed:
            raise Killed

    try:
        train(make_model(adapter=adapter), TinyRows(), make_settings(), folder, progress=die, log=log)
    except Killed:
        assert sorted(path.name for path in checkpoint.list_checkpoints(folder / "checkpoints")) == [
            f"step-{OLDER}",
            f"step-{NEWER}",
        ]


def main() -> int:
    """Print the table; 1 if anything in it is not safe."""
    print(f"{'':5} {'file':36} {'fault':10} {'with an older checkpoint':24} without")
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run_table(Path(folder), tell=print)
    safe = sum(outcome.is_safe for outcome in outcomes)
    print(f"{safe} of {len(outcomes)} faults were refused by name or fell back to a verified checkpoint")
    return 0 if safe == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
