"""Checks that a machine and a model can do what a study needs, each with what was found.

environment()    Python, libraries, CPU, memory, GPU, precision, free space
examine(MODEL)   loads; masks do not leak; sentinels restore; generation equals teacher forcing
"""

import os
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from secondwind.data import build_row
from secondwind.denoise import U_PALM, denoise, restore
from secondwind.errors import InputError, TooFewSentinels
from secondwind.example import Batch, Example
from secondwind.model.generate import generate
from secondwind.model.load import LanguageModel, load
from secondwind.model.loss import target_logits, target_loss
from secondwind.recipe import TrainingSection
from secondwind.study.ask import model_folder
from secondwind.study.settings import available_cpus, place, precision

_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")
_FREE_GIB = 1
_PROBE_TOKENS = 48
_TOLERANCE = 1e-4


class Check(NamedTuple):
    """One finding; `passed` is None where there is nothing to pass."""

    name: str
    passed: bool | None
    finding: str


def environment() -> list[Check]:
    """Report the machine and the libraries."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    free = shutil.disk_usage(".").free / 2**30
    wanted = "" if free > _FREE_GIB else f"; wanted more than {_FREE_GIB}: choose another folder with --out"
    return [
        Check("python", (3, 11) <= sys.version_info < (3, 14), f"{platform.python_version()} (3.11 to 3.13)"),
        Check("libraries", None, libraries),
        Check("CPU", None, f"{available_cpus()} threads, all used unless training.threads is set"),
        Check("memory", None, f"{_memory_bytes() / 2**30:.1f} GiB"),
        Check("GPU", None, _accelerator()),
        Check("precision", None, f"training.precision auto means {precision(TrainingSection())} here"),
        Check("free space", free > _FREE_GIB, f"{free:.1f} GiB in {Path.cwd()}{wanted}"),
    ]


def examine(name: str) -> list[Check]:
    """Check one model; the first failure to load ends the list."""
    try:
        model = place(load(model_folder(name), attention="causal"))
    except InputError as error:
        return [Check("loads", False, str(error))]
    found = [
        Check("loads", True, f"{model.network.config.model_type} on {model.device}, backend {model.backend}"),
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


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _accelerator() -> str:
    if not torch.cuda.is_available():
        return "none that torch can use; everything runs on the CPU"
    facts = torch.cuda.get_device_properties(0)
    more = torch.cuda.device_count() - 1
    unused = f"; {more} more, which a run does not use" if more else ""
    return f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB{unused}"


def _vocabulary(model: LanguageModel) -> Check:
    vocabulary = model.vocabulary
    bos = "no BOS" if vocabulary.bos is None else "BOS before every text"
    return Check(
        "vocabulary",
        None,
        f"{vocabulary.size:,} rows, {vocabulary.num_sentinels} sentinels (a study adopts as many as its "
        f"recipe needs), {len(vocabulary.fresh)} ids that the model has not seen, {bos}",
    )


def _probe(model: LanguageModel, length: int = _PROBE_TOKENS) -> np.ndarray:
    """Return ordinary tokens."""
    ordinary = [token for token in range(model.vocabulary.size) if token not in model.vocabulary.reserved]
    return np.asarray(ordinary, dtype=np.int32)[(np.arange(length) * 7) % min(len(ordinary), 250)]


def _sentinels(model: LanguageModel) -> Check:
    tokens = _probe(model)
    for denoiser, _ in U_PALM:
        try:
            example = denoise(tokens, denoiser, model.vocabulary, key=1)
        except TooFewSentinels as error:  # no fault of the model: a study adopts more
            return Check("sentinels", None, f"not checked: {error}")
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
