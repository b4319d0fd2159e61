"""Checks that a machine and a model can do what a study needs, each with what was found.

environment()    Python, libraries, threads, arithmetic, free space
examine(MODEL)   loads; masks do not leak; sentinels restore; generation equals teacher forcing
"""

import importlib.util
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np
import torch

from secondwind.data import build_row
from secondwind.denoise import U_PALM, denoise, required_sentinels, restore
from secondwind.errors import InputError
from secondwind.example import Batch, Example
from secondwind.model.generate import generate
from secondwind.model.load import LanguageModel, load
from secondwind.model.loss import target_logits, target_loss
from secondwind.recipe import TrainingSection
from secondwind.study.ask import model_folder
from secondwind.study.settings import precision

_EXTRAS = {"lora": "peft", "ray": "ray", "serve": "fastapi", "trackers": "tensorboard"}
_PROBE_TOKENS = 48
_TOLERANCE = 1e-4


class Check(NamedTuple):
    """One finding; `passed` is None where there is nothing to pass."""

    name: str
    passed: bool | None
    finding: str


def environment() -> list[Check]:
    """Report the machine and the libraries."""
    threads = len(os.sched_getaffinity(0))
    free = shutil.disk_usage(".").free / 2**30
    cuda = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    found = [
        Check("python", (3, 11) <= _python() < (3, 14), platform.python_version()),
        *(Check(name, True, version(name)) for name in ("torch", "transformers", "tokenizers", "numpy")),
        Check("CPU threads", None, str(threads)),
        Check("GPU", None, cuda),
        Check("training arithmetic", None, precision(TrainingSection())),
        Check("free space", free > 1, f"{free:.0f} GiB here"),
    ]
    return found + [_extra(name, module) for name, module in _EXTRAS.items()]


def examine(name: str) -> list[Check]:
    """Check one model; the first failure to load ends the list."""
    try:
        model = load(model_folder(name), attention="causal")
    except InputError as error:
        return [Check("loads", False, str(error))]
    found = [
        Check("loads", True, f"{model.network.config.model_type}, backend {model.backend}"),
        _vocabulary(model),
        _sentinels(model),
        _packing(model),
    ]
    for attention in ("causal", "prefix"):
        try:
            view = model.with_attention(attention)
        except InputError as error:
            found.append(
                Check(f"{attention} attention", None if attention == "prefix" else False, str(error))
            )
            continue
        found += [Check(f"{attention} attention", True, "no leak on the probe row"), _generation(view)]
    return found


def _python() -> tuple[int, int]:
    major, minor, *_ = platform.python_version_tuple()
    return int(major), int(minor)


def _extra(name: str, module: str) -> Check:
    if importlib.util.find_spec(module) is None:
        return Check(f"extra {name}", None, f"not installed: pip install 'secondwind[{name}]'")
    try:
        return Check(f"extra {name}", True, f"{module} {version(module)}")
    except PackageNotFoundError:
        return Check(f"extra {name}", True, module)


def _vocabulary(model: LanguageModel) -> Check:
    vocabulary = model.vocabulary
    wanted = required_sentinels([denoiser for denoiser, _ in U_PALM], 1024)
    bos = "not used" if vocabulary.bos is None else "used"
    return Check(
        "vocabulary",
        None,
        f"{vocabulary.size} rows, {vocabulary.num_sentinels} sentinels (U-PaLM's mixture needs {wanted} at "
        f"windows of 1,024), {len(vocabulary.fresh)} fresh ids, BOS {bos}",
    )


def _probe(model: LanguageModel, length: int = _PROBE_TOKENS) -> np.ndarray:
    """Return ordinary tokens."""
    ordinary = [token for token in range(model.vocabulary.size) if token not in model.vocabulary.reserved]
    return np.asarray(ordinary, dtype=np.int32)[(np.arange(length) * 7) % min(len(ordinary), 250)]


def _sentinels(model: LanguageModel) -> Check:
    tokens = _probe(model)
    for denoiser, _ in U_PALM:
        example = denoise(tokens, denoiser, model.vocabulary, key=1)
        if restore(example, model.vocabulary).tolist() != tokens.tolist():
            return Check("sentinels", False, f"an example of {denoiser.name} does not restore its text")
    return Check("sentinels", True, "an example of every U-PaLM denoiser restores its text")


def _packing(model: LanguageModel) -> Check:
    """Compare the scores of two examples packed together with those of each alone."""
    tokens = _probe(model)
    examples = [Example(tokens[:9], tokens[9:20], "probe"), Example(tokens[20:23], tokens[23:40], "probe")]
    together = _nats(model, examples)
    alone = np.concatenate([_nats(model, [example]) for example in examples])
    gap = float(np.abs(together - alone).max())
    return Check("packing", gap < _TOLERANCE, f"packed and alone differ by {gap:.1e} nats")


def _nats(model: LanguageModel, examples: list[Example]) -> np.ndarray:
    """Return the loss of every target of one packed row."""
    length = sum(len(e.inputs) + len(e.targets) + 1 for e in examples)
    row = build_row(examples, row_length=length, vocabulary=model.vocabulary)
    with torch.no_grad():
        return target_loss(model, Batch.stack([row])).per_target.float().cpu().numpy()


def _generation(model: LanguageModel) -> Check:
    """Check that every greedily generated token is the most likely one under teacher forcing."""
    inputs = _probe(model, 12)
    output = generate(model, [inputs], max_new_tokens=8)[0]
    name = f"generation, {model.attention}"
    if len(output) == 0:
        return Check(name, None, "the model ends at once on the probe; nothing to compare")
    row = build_row(
        [Example(inputs, output, "probe")],
        row_length=len(inputs) + len(output) + 1,
        vocabulary=model.vocabulary,
    )
    with torch.no_grad():
        logits = target_logits(model, Batch.stack([row]))
    chosen = logits.gather(1, torch.as_tensor(output, dtype=torch.long, device=logits.device)[:, None])[:, 0]
    gap = float((logits.max(dim=1).values - chosen).max())
    return Check(name, gap < _TOLERANCE, f"{len(output)} tokens, teacher forcing within {gap:.1e}")
