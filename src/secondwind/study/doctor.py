"""Checks that a model can do what a study needs, each with what was found on the model itself.

examine(MODEL)    loads; sentinels restore; for each attention: masks do not leak, packed is as alone,
                  generation equals teacher forcing; the causal loss is the model's own; an export is the same
"""

import gc
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from secondwind.data import build_row
from secondwind.denoise import U_PALM, denoise, restore
from secondwind.errors import InputError, TooFewSentinels
from secondwind.example import Batch, Example, Flags, Tokens
from secondwind.model.decoding import END
from secondwind.model.export import export
from secondwind.model.forward import kept_logits, to_network
from secondwind.model.generate import decode
from secondwind.model.load import LanguageModel, load
from secondwind.model.loss import target_logits, target_loss
from secondwind.model.mask import allowed
from secondwind.model.proof import TOLERANCE, own_attention, reach
from secondwind.model.single import prompt, single_rows
from secondwind.study.ask import model_folder
from secondwind.study.checks import Check
from secondwind.study.settings import place

_PROBE_TOKENS = 48
_TOLERANCE = 1e-4  # nats per token, or of the largest logit
_PROMPTS = (slice(0, 3), slice(3, 4), slice(4, 15))  # of the probe: lengths 3, 1 and 11
_STEPS = 8


class Examined(NamedTuple):
    """What was found about one model.

    Args:
        family: its model_type; empty where it did not load.
        backend: how its attention is rendered, and why so.
        checks: in the order in which they were made.
    """

    name: str
    family: str
    backend: str
    reason: str
    checks: list[Check]


def examine(name: str) -> Examined:
    """Check one model; a failure to load is the only check then."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        try:
            model = place(load(model_folder(name), attention="causal"))
        except InputError as error:
            return Examined(name, "", "", "", [Check("loads", False, str(error))])
        family: str = model.network.config.model_type
        found = Examined(name, family, model.backend, model.backend_reason, _checks(model))
        problem = _refuse_export(model, folder)
        logits = _probe_logits(model) if problem is None else None
        if logits is not None:
            export(model, folder, record={})
        del model  # the exported one takes its place in memory
        gc.collect()
        found.checks.append(
            Check("export", None, f"not checked: {problem}") if logits is None else _reloaded(folder, logits)
        )
    return found


def _checks(model: LanguageModel) -> list[Check]:
    where = f"on {model.device}, backend {model.backend}"
    why = f" ({model.backend_reason})" if model.backend_reason else ""
    found = [
        Check("loads", True, f"{model.network.config.model_type} {where}{why}"),
        _vocabulary(model),
        _sentinels(model),
        _own_loss(model),
    ]
    for attention in ("causal", "prefix"):
        try:
            view = model.with_attention(attention)
        except InputError as error:
            passed = None if attention == "prefix" else False
            found.append(Check(f"{attention} attention", passed, str(error)))
            continue
        found += [_mask(view), _packing(view), _generation(view)]
    return found


def _vocabulary(model: LanguageModel) -> Check:
    vocabulary = model.vocabulary
    bos = "no BOS" if vocabulary.bos is None else "BOS before every text"
    return Check(
        "vocabulary",
        None,
        f"{vocabulary.size:,} rows, {vocabulary.num_sentinels} sentinels (a study adopts as many as its "
        f"recipe needs), {len(vocabulary.fresh)} ids that the model has not seen, {bos}",
    )


def _probe(model: LanguageModel, length: int = _PROBE_TOKENS) -> Tokens:
    """Return ordinary tokens."""
    ordinary = [token for token in range(model.vocabulary.size) if token not in model.vocabulary.reserved]
    return np.asarray(ordinary, dtype=np.int32)[(np.arange(length) * 7) % min(len(ordinary), 250)]


@torch.no_grad()
def _probe_logits(model: LanguageModel) -> Tensor:
    """Return the logits of every target of one packed row."""
    return target_logits(model, _packed(model, _probe_examples(model)))


def _probe_examples(model: LanguageModel) -> list[Example]:
    tokens = _probe(model)
    return [Example(tokens[:9], tokens[9:20], "probe"), Example(tokens[20:23], tokens[23:40], "probe")]


def _packed(model: LanguageModel, examples: Sequence[Example]) -> Batch:
    """Return one row of whole examples, without padding."""
    bos = 0 if model.vocabulary.bos is None else 1
    length = sum(len(e.inputs) + len(e.targets) + bos for e in examples)
    return Batch.stack([build_row(examples, row_length=length, vocabulary=model.vocabulary)])


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


@torch.no_grad()
def _own_loss(model: LanguageModel) -> Check:
    """Compare the loss of a causal row with what the model's own code says of the same tokens."""
    batch = _packed(model, [Example(np.empty(0, np.int32), _probe(model), "probe")])
    ours = target_loss(model, batch)
    network: Any = model.network
    tokens = to_network(batch.tokens, network)
    with own_attention(network):
        own = float(network(input_ids=tokens, labels=tokens, use_cache=False).loss)
    gap = abs(float(ours.total) / ours.count - own)
    return Check("own loss", gap < _TOLERANCE, f"{own:.4f} nats by its own code; ours differs by {gap:.1e}")


@torch.no_grad()
def _mask(model: LanguageModel) -> Check:
    """Change one token after the other, and see which predictions move."""
    tokens = _probe(model)
    row = _packed(
        model, [Example(tokens[:5], tokens[5:9], "probe"), Example(tokens[9:12], tokens[12:17], "probe")]
    )
    size, other = row.tokens.shape[1], tokens[-1]
    variants = np.tile(row.tokens, (size + 1, 1))
    variants[np.arange(1, size + 1), np.arange(size)] = np.where(row.tokens[0] == other, tokens[0], other)
    copies: dict[str, Any] = {
        name: np.tile(getattr(row, name), (size + 1, 1))
        for name in ("segment_ids", "positions", "prefix_mask", "loss_mask")
    }
    batch = Batch(variants, **copies)
    logits = kept_logits(
        model.network, batch, batch.segment_ids > 0, attention=model.attention, backend=model.backend
    ).unflatten(0, (size + 1, size))
    moved = ((logits[1:] - logits[:1]).abs().amax(-1) > TOLERANCE * logits.abs().max()).T.cpu().numpy()
    prefix = row.prefix_mask[0] & (model.attention == "prefix")
    return _judge(model, moved, row.segment_ids[0], prefix)


def _judge(model: LanguageModel, moved: Flags, segments: Tokens, prefix: Flags) -> Check:
    name, size = f"{model.attention} attention", len(moved)
    if model.backend == "unpacked":
        # What a network sees of the past by its own code is its own business.
        wrong = moved & ~allowed(segments, prefix) | ~moved & np.eye(size, dtype=np.bool_)
        good = f"unpacked: none of {size} tokens moves an earlier prediction, or one of another example"
    else:
        wrong = moved != reach(model.network.config, segments, prefix)
        good = f"each of {size} tokens moves exactly the predictions that may see it"
        if prefix.any():
            good += ", earlier ones of its prefix too"
    if not wrong.any():
        return Check(name, True, good)
    query, token = np.argwhere(wrong)[0]
    did = "moves" if moved[query, token] else "does not move"
    return Check(name, False, f"token {token} {did} the prediction at token {query} of a row of two examples")


def _packing(model: LanguageModel) -> Check:
    """Compare the scores of two examples packed together with those of each alone."""
    examples = _probe_examples(model)
    together = _nats(model, examples)
    alone = np.concatenate([_nats(model, [example]) for example in examples])
    gap = float(np.abs(together - alone).max())
    name = f"packing, {model.attention}"
    return Check(name, gap < _TOLERANCE, f"packed and alone differ by {gap:.1e} nats")


@torch.no_grad()
def _nats(model: LanguageModel, examples: Sequence[Example]) -> np.ndarray:
    """Return the loss of every target of one packed row."""
    return target_loss(model, _packed(model, examples)).per_target.float().cpu().numpy()


@torch.no_grad()
def _generation(model: LanguageModel) -> Check:
    """Decode prompts of three lengths together, with the cache, and compare with one pass over each."""
    tokens = _probe(model)
    inputs = [tokens[part] for part in _PROMPTS]
    targets = [tokens[15 + _STEPS * row : 15 + _STEPS * (row + 1)] for row in range(len(inputs))]
    seen: list[Tensor] = []

    def force(logits: Tensor, step: int) -> list[int]:
        seen.append(logits)
        return [END if step == _STEPS - 1 else int(target[step]) for target in targets]

    decode(model, [prompt(tokens, model.vocabulary) for tokens in inputs], choose=force)
    gaps: list[float] = []
    for row, (given, target) in enumerate(zip(inputs, targets, strict=True)):
        expected = target_logits(model, single_rows([Example(given, target, "probe")], model.vocabulary))
        decoded = torch.stack([logits[row] for logits in seen])
        gaps.append(float((decoded - expected).abs().max() / expected.abs().max()))
    return Check(
        f"generation, {model.attention}",
        max(gaps) < _TOLERANCE,
        f"{len(inputs)} prompts decoded together, {_STEPS} tokens each: within {max(gaps):.1e} of teacher "
        "forcing",
    )


def _refuse_export(model: LanguageModel, folder: Path) -> str | None:
    """Say why no export is tried, or None."""
    needed = 4 * sum(parameter.numel() for parameter in model.network.parameters())
    free = _free_bytes(folder.parent)
    if free > 2 * needed:
        return None
    return f"it needs {2 * needed / 2**30:.1f} GiB in {folder.parent.parent}, {free / 2**30:.1f} are free"


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _reloaded(folder: Path, expected: Tensor) -> Check:
    """Load an export and compare its logits with those from before."""
    try:
        model = place(load(folder, attention="causal"))
    except InputError as error:
        return Check("export", False, f"what was written does not load: {error}")
    logits = _probe_logits(model)
    gap = float((logits - expected).abs().max() / expected.abs().max())
    return Check("export", gap < _TOLERANCE, f"written, loaded again: logits within {gap:.1e}")
