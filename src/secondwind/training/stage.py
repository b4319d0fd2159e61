"""The folder of a stage: metrics, times and checkpoints, and what a stage goes on with.

    STAGE/   metrics.jsonl   timing.jsonl   checkpoints/step-N/

A checkpoint knows the hash of the metrics up to its step, so that nothing goes on behind changed ones.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch.optim import Optimizer

from secondwind.data.stream import RowSource
from secondwind.errors import RunError
from secondwind.model.load import LanguageModel
from secondwind.runs import JsonLines, sync_file
from secondwind.training import checkpoint
from secondwind.training.average import ParameterAverage
from secondwind.training.records import METRICS, TIMING, Counts, Log
from secondwind.training.settings import TrainSettings, fixed_settings


@dataclass(frozen=True, eq=False)
class Trained:
    """What training changes and a checkpoint holds."""

    model: LanguageModel
    optimizer: Optimizer
    average: ParameterAverage


@dataclass(frozen=True, eq=False)
class StageFolder:
    """Where a stage writes, and what must be equal in a run that goes on in it.

    Args:
        identity: JSON-ready; see `stage_identity`.
    """

    path: Path
    identity: Mapping[str, Any]
    _running: "_RunningHash" = field(init=False)

    def __post_init__(self) -> None:
        """Start the hash of the metrics."""
        object.__setattr__(self, "_running", _RunningHash(self.path / METRICS))

    @property
    def metrics(self) -> JsonLines:
        """Return the log of what was computed."""
        return JsonLines(self.path / METRICS)

    @property
    def timing(self) -> JsonLines:
        """Return the log of how long it took."""
        return JsonLines(self.path / TIMING)

    @property
    def checkpoints(self) -> Path:
        """Return the folder of the checkpoints."""
        return self.path / "checkpoints"

    def resume(self, trained: Trained, *, log: Log) -> Counts:
        """Restore the newest good checkpoint, if any, and cut the metrics back to its step.

        Raises:
            RunError: damaged or foreign checkpoints; metrics that are not what they were.
        """
        checkpoint.remove_staged(self.checkpoints)
        newest = checkpoint.newest_verified(self.checkpoints, log=log)
        if newest is None:
            known = len(self.metrics.read())
            if known:
                log(f"{self.path} has metrics of {known} steps and no checkpoint: it starts anew.")
            self.metrics.cut_back(0)
            return Counts()
        state = checkpoint.read_state(newest)
        checkpoint.refuse_other_identity(newest, state["identity"], self.identity)
        counts = Counts(**state["counts"])
        self._refuse_changed_metrics(newest, counts.step, state["metrics_sha256"])
        checkpoint.restore(newest, network=trained.model.network, optimizer=trained.optimizer)
        trained.average.restore(checkpoint.read_average(newest))
        self.metrics.cut_back(counts.step)
        return counts

    def save(self, trained: Trained, counts: Counts, *, keep: int) -> None:
        """Save a checkpoint behind a finished step.

        Raises:
            RunError: the disk is full or not writable; earlier checkpoints are untouched.
        """
        # Metrics first: a checkpoint must never be newer than the metrics on the disk.
        sync_file(self.path / METRICS)
        checkpoint.save(
            self.checkpoints,
            counts.step,
            network=trained.model.network,
            optimizer=trained.optimizer,
            average=trained.average.tensors(),
            state={
                "counts": asdict(counts),
                "identity": self.identity,
                "metrics_sha256": self._running.of_whole_file(),
            },
            keep=keep,
        )

    def _metrics_sha256(self, num_records: int) -> str:
        lines = (self.path / METRICS).read_bytes().split(b"\n")[:num_records]
        return hashlib.sha256(b"\n".join(lines)).hexdigest()

    def _refuse_changed_metrics(self, newest: Path, num_records: int, wanted: str) -> None:
        found, advice = len(self.metrics.read()), f"delete {self.path} to train this stage from its start"
        if found < num_records:
            raise RunError(
                f"{self.metrics.path} holds {found} whole records, but {newest.name} wants {num_records}. "
                f"Restore the file from a copy, or {advice}."
            )
        if self._metrics_sha256(num_records) != wanted:
            raise RunError(
                f"{self.metrics.path} was changed: its first {num_records} records have another sha256 than "
                f"{newest.name} knows. Restore the file from a copy, or {advice}."
            )


class _RunningHash:
    """The sha256 of a growing log, its last line feed left out; each byte is read once."""

    def __init__(self, path: Path) -> None:
        self._path, self._digest, self._read = path, hashlib.sha256(), 0

    def of_whole_file(self) -> str:
        """Read what is new and return the hash of everything."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            new = file.read()[:-1]  # the line feed of the last record comes with the next one
        self._digest.update(new)
        self._read += len(new)
        return self._digest.hexdigest()


def stage_identity(
    model: LanguageModel, rows: RowSource, settings: TrainSettings, stage: str
) -> dict[str, Any]:
    """Return what must be equal in a run that goes on from a checkpoint."""
    told = {
        "stage": stage,
        "attention": model.attention,
        "backend": model.backend,  # another one would round otherwise
        "rows": rows.identity(),
        "settings": fixed_settings(settings),
    }
    frozen = checkpoint.frozen_sha256(model.network)
    return told if frozen is None else told | {"adapter": model.record.get("adapter"), "frozen": frozen}
