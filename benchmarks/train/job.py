"""What every contender is told and what it tells back. Standard library only: read in both environments.

job.json       {"model": "...", "examples": "...", "steps": 3, "threads": 1, ...}
answer.json    {"losses": [10.4, ...], "cpu_seconds": [...], "wall_seconds": [...], "extra_peak_bytes": ...}
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """The same training for everyone: every optimizer step sees every example once.

    Args:
        model: a folder that all load their weights from.
        examples: a JSON file of [inputs, targets] pairs of token ids.
        steps: optimizer steps; the first is the warm-up and is not timed.
        row_length: tokens in a packed row.
        rows_per_pass: packed rows computed at once.
        examples_per_pass: padded examples computed at once, by those who pad.
        precision: fp32, or bf16 autocast over fp32 parameters.
        turns: how often the two masks take turns, where two are compared in one process.
        drawn: weights are drawn on the device; the folder has a configuration and a tokenizer alone.
        backend: how this engine renders its mask.
        peer_attention: what transformers calls the attention of those who use its own.
    """

    model: str
    examples: str
    steps: int = 3
    threads: int = 1
    row_length: int = 1024
    rows_per_pass: int = 4
    examples_per_pass: int = 8
    learning_rate: float = 1e-3
    device: str = "cpu"
    precision: str = "fp32"
    turns: int = 2
    drawn: bool = False
    backend: str = "auto"
    peer_attention: str = "sdpa"

    @classmethod
    def read(cls, path: Path) -> "Job":
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    def pairs(self) -> list[tuple[list[int], list[int]]]:
        """Return the examples: inputs and targets of each."""
        return [
            (inputs, targets)
            for inputs, targets in json.loads(Path(self.examples).read_text(encoding="utf-8"))
        ]


# What everyone trains with, so that the losses of all can be compared step by step.
BETAS = (0.9, 0.95)
EPSILON = 1e-8
CLIP = 1.0


@dataclass
class Answer:
    """What a contender measured, one entry per optimizer step, the warm-up included.

    Args:
        losses: mean over the step's targets, before its update; empty where they say nothing.
        tokens: of the step, where the steps differ; empty where every step has those of the job.
        extra_peak_bytes: most memory in training, above what was resident when it began.
        peak_is_clean: whether the peak was counted from the start of training, imports left out.
        versions: of what took part.
    """

    losses: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    wall_seconds: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    extra_peak_bytes: int = 0
    peak_is_clean: bool = True
    start_seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Answer":
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
