"""Checkpoints that are whole or absent, verified before use, and refused where they do not belong.

    checkpoints/
      step-400/                     complete: appears by one rename
        parameters.safetensors        each parameter that trains, once; tied ones under their first name
        optimizer.safetensors         exp_avg/NAME, exp_avg_sq/NAME, step/NAME
        average.safetensors           sums of parameters, near the end of a stage that averages them
        state.json                    counts, and the identity of the run: settings and rows
        manifest.json                 size and sha256 of each file, and a seal over the manifest itself
      damaged-step-600/             failed its hashes; kept for inspection, never used
      .step-800.tmp/                was being written when the process died; removed at the next start

No pickle is written or read.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from secondwind.errors import RunError
from secondwind.runs import canonical_json, differences, file_sha256, fingerprint, read_json, staged_folder
from secondwind.training.optimizer import optimizer_tensors, restore_optimizer
from secondwind.training.records import Log

PARAMETERS = "parameters.safetensors"
OPTIMIZER = "optimizer.safetensors"
AVERAGE = "average.safetensors"
STATE = "state.json"
MANIFEST = "manifest.json"
FILES = (PARAMETERS, OPTIMIZER, STATE)  # AVERAGE only where there is one

_NAME = re.compile(r"step-(\d+)")
_SPARE_BYTES = 1 << 20  # headers, JSON files and folder entries


def save(
    folder: Path,
    step: int,
    *,
    network: nn.Module,
    optimizer: Optimizer,
    average: Mapping[str, Tensor],
    state: Mapping[str, Any],
    keep: int,
) -> Path:
    """Save a checkpoint as `folder/step-N`, then remove all but the newest `keep`.

    Args:
        average: sums of parameters, given back by `read_average`; without any there is no such file.
        state: JSON-ready; given back by `read_state`.

    Raises:
        RunError: the disk is full or not writable; earlier checkpoints are untouched.
    """
    tensors = {
        PARAMETERS: parameter_tensors(network),
        OPTIMIZER: optimizer_tensors(network, optimizer),
    }
    if average:
        tensors[AVERAGE] = dict(average)
    final = folder / f"step-{step}"
    with staged_folder(final, write_errors=(SafetensorError,)) as staged:
        _refuse_full_disk(staged, tensors)
        for name, parts in tensors.items():
            save_file({key: tensor.contiguous() for key, tensor in parts.items()}, staged / name)
        (staged / STATE).write_text(canonical_json(state), encoding="utf-8")
        (staged / MANIFEST).write_text(_manifest(step, staged), encoding="utf-8")
    rotate(folder, keep=keep)
    return final


def rotate(folder: Path, *, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints, if at least one of those is verified."""
    checkpoints = list_checkpoints(folder)
    kept, old = checkpoints[:keep], checkpoints[keep:]
    if old and any(damage(checkpoint) is None for checkpoint in kept):
        for checkpoint in old:
            # Renamed first: a half-removed folder must not look like a checkpoint.
            doomed = checkpoint.rename(folder / f".{checkpoint.name}.tmp")
            shutil.rmtree(doomed, ignore_errors=True)


def newest_verified(folder: Path, *, log: Log) -> Path | None:
    """Return the newest checkpoint whose files are all as they were written, or None if there is none.

    Newer damaged ones are named in the log and set aside as `damaged-step-N`.

    Raises:
        RunError: there are checkpoints, and all are damaged.
    """
    damaged: list[tuple[Path, str]] = []
    for checkpoint in list_checkpoints(folder):
        fault = damage(checkpoint)
        if fault is None:
            for other, what in damaged:
                log(f"CHECKPOINT DAMAGED: {other}: {what}. Going back to {checkpoint.name}.")
                aside = folder / f"damaged-{other.name}"
                shutil.rmtree(aside, ignore_errors=True)
                other.rename(aside)
            return checkpoint
        damaged.append((checkpoint, fault))
    if damaged:
        found = "; ".join(f"{checkpoint.name}: {what}" for checkpoint, what in damaged)
        raise RunError(
            f"all {len(damaged)} checkpoints in {folder} are damaged ({found}); wanted at least one whole "
            "one. Restore the folder from a copy, or delete it to train this stage from its start."
        )
    return None


def damage(checkpoint: Path) -> str | None:
    """Say what is wrong with a checkpoint's files, or return None if they are as they were written."""
    try:
        text = (checkpoint / MANIFEST).read_text(encoding="utf-8")
        manifest = json.loads(text)
        if canonical_json(manifest) != text or manifest["seal"] != _seal(manifest):
            return f"{MANIFEST} was changed"
        if manifest["step"] != _step(checkpoint):
            return f"{MANIFEST} belongs to step {manifest['step']}"
        for name in (*FILES, *sorted({*manifest["files"]} - {*FILES})):
            size, wanted = (checkpoint / name).stat().st_size, manifest["files"][name]
            if size != wanted["bytes"]:
                return f"{name} has {size} bytes, wanted {wanted['bytes']}"
            if file_sha256(checkpoint / name) != wanted["sha256"]:
                return f"{name} has another sha256 than was written"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except OSError as error:
        return f"cannot be read: {error}"
    except (ValueError, KeyError, TypeError):
        return f"{MANIFEST} cannot be read"
    return None


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Return what was given to `save` as `state`."""
    return read_json(checkpoint / STATE)


def read_average(checkpoint: Path) -> dict[str, Tensor]:
    """Return what was given to `save` as `average`. Verify the checkpoint first."""
    path = checkpoint / AVERAGE
    return load_file(path) if path.exists() else {}


def restore(checkpoint: Path, *, network: nn.Module, optimizer: Optimizer) -> None:
    """Put parameters and optimizer state back, in place. Verify the checkpoint first.

    Raises:
        RunError: the checkpoint holds other parameters than this model has.
    """
    stored = load_file(checkpoint / PARAMETERS)
    own = parameter_tensors(network)
    shapes, wanted = _shapes(stored), _shapes(own)
    if shapes != wanted:
        raise RunError(
            f"the checkpoint {checkpoint} belongs to another model: {differences(shapes, wanted)}. "
            "Go on with the model it was made with, or choose another folder with --out."
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(stored[name])
    restore_optimizer(network, optimizer, load_file(checkpoint / OPTIMIZER))


def refuse_other_identity(checkpoint: Path, made_with: Any, wanted: Any) -> None:
    """Raise if a checkpoint was made with other settings or rows than the run that would go on from it.

    Raises:
        RunError: lists every difference.
    """
    changed = differences(made_with, wanted)
    if changed:
        raise RunError(
            f"the checkpoint {checkpoint} was made with other settings: {changed}. "
            "Go on with the settings it was made with, or choose another folder with --out."
        )


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoint folders, newest first, whole or not."""
    found = [path for path in folder.glob("step-*") if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=_step, reverse=True)


def remove_staged(folder: Path) -> None:
    """Remove what a killed process left half-written or half-removed."""
    for leftover in folder.glob(".step-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def parameter_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Return each parameter that trains and each saved buffer once, sharing memory with the network."""
    parameters = network.named_parameters()
    tensors = {name: parameter.detach() for name, parameter in parameters if parameter.requires_grad}
    tied = {name for name, _ in network.named_parameters(remove_duplicate=False)}
    buffers = {name: tensor for name, tensor in network.state_dict().items() if name not in tied}
    return tensors | buffers


def frozen_sha256(network: nn.Module) -> str | None:
    """Hash the parameters that do not train, which no checkpoint holds; None where all train."""
    digest, found = hashlib.sha256(), False
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            found = True
            digest.update(name.encode())
            # As bytes: numpy has no bf16.
            digest.update(parameter.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest() if found else None


def _refuse_full_disk(folder: Path, tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
    needed = _SPARE_BYTES + sum(t.nbytes for parts in tensors.values() for t in parts.values())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(f"it needs {needed:,} bytes, and {free:,} bytes are free")


def _manifest(step: int, folder: Path) -> str:
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": file_sha256(path)} for path in folder.iterdir()
    }
    manifest = {"files": files, "step": step}
    return canonical_json({**manifest, "seal": _seal(manifest)})


def _seal(manifest: Mapping[str, Any]) -> str:
    return fingerprint({"files": manifest["files"], "step": manifest["step"]})


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step-"))


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    return {name: f"{tuple(tensor.shape)} {tensor.dtype}" for name, tensor in tensors.items()}
