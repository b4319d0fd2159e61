"""What `auto` came to in this run: decided at its first start, and kept for as long as it is gone on with.

RUN/resolved.json   {"device": "cpu", "threads": 2, "precision": "fp32", "micro_batch_rows": {"flan": 32}}

Each of these changes the last digits of what training computes. A run that goes on under fewer CPUs, on
another machine or with a later version therefore uses what it began with, and says what that costs here;
where it cannot, it is refused.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from secondwind.errors import RunError
from secondwind.recipe import Recipe, TrainingSection
from secondwind.runs import canonical_json, read_json, write_atomically
from secondwind.study.monitor import Monitor
from secondwind.study.settings import (
    Device,
    Precision,
    available_cpus,
    device,
    micro_batch_rows,
    multiplies_bf16,
    precision,
)

_FILE = "resolved.json"


@dataclass(frozen=True)
class Resolved:
    """The settings of a run that its recipe may leave open.

    Args:
        device: what models are computed on.
        threads: CPU threads.
        precision: compute type of training.
        micro_batch_rows: rows per forward pass, by the section that sets a stage.
    """

    device: Device
    threads: int
    precision: Precision
    micro_batch_rows: Mapping[str, int]

    def training(self, recipe: Recipe, section: str) -> TrainingSection:
        """Return the recipe's training section for one section's stages, with nothing left to `auto`."""
        settled = {
            "threads": self.threads,
            "precision": self.precision,
            "micro_batch_rows": self.micro_batch_rows[section],
        }
        return recipe.training.model_copy(update=settled)


def resolve(recipe: Recipe) -> Resolved:
    """Decide what the recipe leaves open, from its sizes and from this machine."""
    sections = {"pretrain": recipe.pretrain, "ul2r": recipe.ul2r, "flan": recipe.flan}
    return Resolved(
        device=device(),
        threads=recipe.training.threads or available_cpus(),
        precision=precision(recipe.training),
        micro_batch_rows={
            name: micro_batch_rows(section, recipe.training)
            for name, section in sections.items()
            if section is not None
        },
    )


def settle(recipe: Recipe, out: Path, monitor: Monitor, *, begun: bool) -> Resolved:
    """Return the settings that a run began with, or decide and keep them; then use its threads.

    Args:
        begun: whether anything in `out` was computed already.

    Raises:
        RunError: the run began on a kind of device that is not here, or resolved.json is damaged.
    """
    path, found = out / _FILE, resolve(recipe)
    if begun and path.exists():
        kept = _read(path)
        _refuse_other_device(kept, found, out)
        # A section that the recipe has gained since is new work: nothing was computed with it yet.
        found = replace(kept, micro_batch_rows={**found.micro_batch_rows, **kept.micro_batch_rows})
    write_atomically(path, canonical_json(asdict(found)))
    _announce(found, monitor)
    torch.set_num_threads(found.threads)
    return found


def _read(path: Path) -> Resolved:
    stored: dict[str, Any] = read_json(path)
    try:
        return Resolved(**stored)
    except TypeError as error:
        raise RunError(
            f"{path} is damaged: {error}. Restore it, or delete it to decide anew; what is computed from "
            "then on may differ in its last digits."
        ) from error


def _refuse_other_device(kept: Resolved, found: Resolved, out: Path) -> None:
    if kept.device == found.device:
        return
    advice = "Hide the accelerator (CUDA_VISIBLE_DEVICES=)" if kept.device == "cpu" else "Go on where one is"
    raise RunError(
        f"{out} was begun on '{kept.device}', and computing here is on '{found.device}'; the numbers would "
        f"be others. {advice}, or choose another folder with --out."
    )


def _announce(settled: Resolved, monitor: Monitor) -> None:
    """Say what is kept although this machine would not choose it."""
    if settled.threads > available_cpus():
        monitor.say(
            f"note: {settled.threads} threads on {available_cpus()} CPUs is slow; it is kept, since the "
            "results depend on the number of threads"
        )
    if settled.precision == "bf16" and not multiplies_bf16():
        monitor.say("note: this machine emulates bf16, several times slower than fp32; it is kept")
