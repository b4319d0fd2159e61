"""Hold a backend to the dense one, on the machine and the network at hand, before anything depends on it.

    heads      the backend alone: which keys each query weighs is read out of it, forward and backward, cell
               by cell, and compared with the rule; then outputs and gradients with the plain formula
    network    the probe row through the network: logits, and gradients at the embeddings
    batch      the same with the first rows that are trained on, some 500 tokens of them

Kernels are compiled for each machine, and some were wrong in silence. Reading the weights back is exact in
any precision: where the values are 1 at one key and 0 elsewhere, outputs are that key's weights, and a
weight of 0 means unseen.

Shape letters: T tokens, H heads, D head width, N kept positions, V vocabulary.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from secondwind.errors import ModelError
from secondwind.example import Batch, Flags
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.attention.function import Call, Layout, Settings, attend_by_formula, expand_heads
from secondwind.model.embeddings import table_rows
from secondwind.model.forward import LAYOUTS, Attention, Backend, kept_logits, to_network
from secondwind.model.mask import allowed
from secondwind.model.proof import own_attention, probe_batch

# The largest difference that rounding explains, as a share of the largest number compared.
_HEADS_LIMIT = {torch.float32: 1e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}
_NETWORK_LIMIT = 1e-4  # in float32
_NOISE = 3.0  # in half precision: as many times further from float32 than the dense backend is
_LEAST_HALF_LIMIT = 1e-2  # where the dense backend happens to come out close
_NUM_COMPARED = 32  # positions of the first batch whose logits are compared


class Observed(NamedTuple):
    """Logits [N, V], and the gradient [T, width] of a fixed sum of them at the embeddings."""

    logits: Tensor
    gradient: Tensor


class Reference(NamedTuple):
    """What the dense backend gives in float32, and how far from it rounding alone may lead."""

    exact: Observed
    limit: float


class Comparison(NamedTuple):
    """How far a backend is from the dense one, as a share of the largest number, and how far it may be."""

    difference: float
    limit: float

    @property
    def passed(self) -> bool:
        """Tell whether rounding explains the difference; NaN is no number to pass with."""
        return self.difference <= self.limit


class _Heads(NamedTuple):
    query: Tensor  # [1, H, T, D]
    key: Tensor
    value: Tensor


def record_calls(network: PreTrainedModel) -> list[Call]:
    """Return what the network's layers hand to the attention function when they train.

    Every exception of foreign code passes through: it may refuse unknown names and arguments in its own way.
    """
    batch = probe_batch(1, table_rows(network))
    layout = DocumentLayout.of(batch, attention="causal", device=network.device)
    devices = [network.device] if network.device.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(devices), _mode(network, training=True):
        network(
            input_ids=to_network(batch.tokens, network),
            position_ids=to_network(batch.positions, network),
            use_cache=False,
            secondwind_layout=layout,
        )
    return layout.calls


def heads_problem(kind: type[Layout], call: Call, device: torch.device) -> str | None:
    """Read a backend's attention back and compare it with the rule; say what is wrong, or None."""
    batch = _documents(kind.check_documents)
    num_tokens = batch.tokens.shape[1]
    window = call.settings.window
    # A window that is wider than the documents here would never be seen at work.
    window = None if window is None else min(window, num_tokens // 3)
    sinks = None if call.settings.sinks is None else call.settings.sinks.detach()
    settings = call.settings._replace(window=window, dropout=0.0, sinks=sinks)
    heads = _random_heads(call, num_tokens, device)
    rule = allowed(batch.segment_ids[0], batch.prefix_mask[0], window=window)
    layout = kind.of(batch, device=device)
    limit = _HEADS_LIMIT.get(call.dtype, _HEADS_LIMIT[torch.float32])
    visible = torch.from_numpy(rule).to(device)
    wanted = _weights_by_formula(heads, visible, settings)
    read = _weights_read_back(layout, heads, settings)
    for name, found in zip(("", "in its backward pass "), read, strict=True):
        wrong = ((found > 0) != visible).nonzero()
        if len(wrong):
            query, key = wrong[0].tolist()
            sees = "hides" if rule[query, key] else "shows"
            return f"{name}it {sees} key {key} {'from' if rule[query, key] else 'to'} query {query}"
        difference = float((found - wanted).abs().max())
        if not difference <= limit:
            return f"{name}its attention weights differ from the formula's by {difference:.1e}"
    return _gradients_problem(layout, heads, visible, settings, limit)


def reference(network: PreTrainedModel, batch: Batch, keep: Flags, *, attention: Attention) -> Reference:
    """Compute logits, and their gradients at the embeddings, under the dense backend in float32.

    In half precision, where that is the caller's, two right ways differ by rounding; how much is measured by
    the dense backend in both precisions.
    """
    device = network.device.type
    with own_attention(network):  # ours would be held to itself
        with torch.autocast(device, enabled=False):
            exact = _observe(network, batch, keep, attention=attention, backend="dense")
        if not torch.is_autocast_enabled(device):
            return Reference(exact, _NETWORK_LIMIT)
        rounded = _observe(network, batch, keep, attention=attention, backend="dense")
    return Reference(exact, max(_LEAST_HALF_LIMIT, _NOISE * _distance(rounded, exact)))


def compare(
    network: PreTrainedModel,
    batch: Batch,
    keep: Flags,
    *,
    attention: Attention,
    backend: Backend,
    wanted: Reference,
) -> Comparison:
    """Compare a backend with the dense one, in the caller's precision."""
    found = _observe(network, batch, keep, attention=attention, backend=backend)
    return Comparison(_distance(found, wanted.exact), wanted.limit)


def check_first_batch(
    network: PreTrainedModel,
    batch: Batch,
    *,
    attention: Attention,
    backend: Backend,
    most_tokens: int = 512,
) -> None:
    """Compare a backend with the dense one on rows that are about to be trained on; leaves no gradient.

    Args:
        most_tokens: of the first row that are looked at, so that the cost stays that of a short row.

    Raises:
        ModelError: they differ by more than rounding.
    """
    if backend not in LAYOUTS:
        return  # dense is what the others are held to
    head = _head(batch, most_tokens)
    keep = np.zeros_like(head.loss_mask)
    keep[0, np.linspace(0, keep.shape[1] - 1, _NUM_COMPARED).astype(np.int64)] = True
    wanted = reference(network, head, keep, attention=attention)
    found = compare(network, head, keep, attention=attention, backend=backend, wanted=wanted)
    if not found.passed:
        raise ModelError(
            f"backend '{backend}' differs from 'dense' on the first rows by {found.difference:.1e} of the "
            f"largest logit or gradient, wanted at most {found.limit:.1e}. Training would follow another "
            "mask than the recipe's. Set model.backend to dense, and report it with the output of "
            "`secondwind doctor`."
        )


def _head(batch: Batch, most_tokens: int) -> Batch:
    """Cut the first row behind its first tokens."""
    size = slice(0, min(most_tokens, int(np.count_nonzero(batch.segment_ids[0]))))
    return Batch(
        tokens=batch.tokens[:1, size],
        segment_ids=batch.segment_ids[:1, size],
        positions=batch.positions[:1, size],
        prefix_mask=batch.prefix_mask[:1, size],
        loss_mask=batch.loss_mask[:1, size],
    )


def _observe(
    network: PreTrainedModel, batch: Batch, keep: Flags, *, attention: Attention, backend: Backend
) -> Observed:
    """Run forward and backward down to the embeddings only: no gradient of a parameter is ever made."""
    embedded: list[Tensor] = []

    def restart(module: Any, inputs: Any, output: Tensor) -> Tensor:
        del module, inputs
        embedded.append(output.detach().requires_grad_())
        return embedded[-1]

    hook: Any = network.get_input_embeddings().register_forward_hook(restart)
    try:
        with torch.enable_grad(), _mode(network, training=False):
            logits = kept_logits(network, batch, keep, attention=attention, backend=backend).float()
            signs = torch.arange(logits.numel(), device=logits.device).view_as(logits).sin()
            gradients = torch.autograd.grad((logits * signs).sum(), embedded)
    finally:
        hook.remove()
    gradient = torch.cat([part.flatten(0, -2) for part in gradients]).float()
    if len(gradient) == batch.tokens.size:  # the dense backend computes padding too
        gradient = gradient[to_network(batch.segment_ids.ravel() > 0, network)]
    return Observed(logits.detach(), gradient)


def _distance(found: Observed, wanted: Observed) -> float:
    pairs = zip(found, wanted, strict=True)
    # By numpy, whose largest of NaN and a number is NaN.
    return float(np.max([float((one - other).abs().max() / other.abs().max()) for one, other in pairs]))


@contextmanager
def _mode(network: PreTrainedModel, *, training: bool) -> Iterator[None]:
    before = network.training
    network.train(training)
    try:
        yield
    finally:
        network.train(before)


def _documents(sizes: tuple[tuple[int, int], ...]) -> Batch:
    """Lay out documents of (prefix length, number of targets) in one row."""
    lengths = np.array([sum(size) for size in sizes])
    positions = np.concatenate([np.arange(length) for length in lengths])[None].astype(np.int32)
    return Batch(
        tokens=np.zeros_like(positions),
        segment_ids=np.repeat(np.arange(1, len(sizes) + 1), lengths)[None].astype(np.int32),
        positions=positions,
        prefix_mask=positions < np.repeat([prefix for prefix, _ in sizes], lengths),
        loss_mask=np.zeros(positions.shape, dtype=np.bool_),
    )


def _random_heads(call: Call, num_tokens: int, device: torch.device) -> _Heads:
    """Draw heads whose scores are of size 1, whatever the layer scales them by: no weight underflows."""
    generator = torch.Generator().manual_seed(1)

    def drawn(num_heads: int, width: int) -> Tensor:
        return torch.randn(1, num_heads, num_tokens, width, generator=generator)

    scaling = call.width**-0.5 if call.settings.scaling is None else call.settings.scaling
    size = (scaling * call.width**0.5) ** -0.5
    query, key = size * drawn(call.heads, call.width), size * drawn(call.key_heads, call.width)
    value = drawn(call.key_heads, call.value_width)
    return _Heads(*(heads.to(device=device, dtype=call.dtype) for heads in (query, key, value)))


def _weights_by_formula(heads: _Heads, visible: Tensor, settings: Settings) -> Tensor:
    """Return the weights [T, T] of the first head."""
    ones = torch.eye(len(visible), device=visible.device)[None, None]
    query, key = heads.query[:, :1].float(), heads.key[:, :1].float()
    sinks = None if settings.sinks is None else settings.sinks[:1]
    return attend_by_formula(query, key, ones, visible, settings._replace(sinks=sinks))[0, 0]


def _weights_read_back(layout: Layout, heads: _Heads, settings: Settings) -> tuple[Tensor, Tensor]:
    """Return the weights [T, T] that a backend gives the first head, and those its backward pass uses.

    All heads get the first one's queries and keys, so that each can show the weights of other keys: the
    value at key k is 1 in one of the columns, and so is the gradient of the output at query q.
    """
    num_tokens, num_heads = heads.query.shape[2], heads.query.shape[1]
    every = num_heads // heads.key.shape[1]
    query, key = heads.query[:, :1].expand_as(heads.query), heads.key[:, :1].expand_as(heads.key)
    if settings.sinks is not None:
        settings = settings._replace(sinks=settings.sinks[:1].expand(num_heads))
    shape = heads.value.shape[1], heads.value.shape[3]  # key heads and their width: the columns of a pass
    num_passes = -(-num_tokens // (shape[0] * shape[1]))
    ones = torch.eye(num_tokens, num_passes * shape[0] * shape[1]).to(heads.value)
    weights: list[Tensor] = []
    of_backward: list[Tensor] = []
    for block in ones.view(num_tokens, num_passes, *shape).unbind(1):
        value = block.transpose(0, 1)[None].contiguous().requires_grad_()
        output = layout.attend(query, key, value, settings)[0]  # [T, H, D]
        gradient = torch.zeros_like(output)
        gradient[:, ::every] = block
        (at_value,) = torch.autograd.grad(output, value, gradient)
        weights.append(output.detach()[:, ::every].flatten(1))
        of_backward.append(at_value[0].transpose(0, 1).flatten(1))
    forward, backward = (torch.cat(parts, dim=1)[:, :num_tokens].float() for parts in (weights, of_backward))
    return forward, backward.T


def _gradients_problem(
    layout: Layout, heads: _Heads, visible: Tensor, settings: Settings, limit: float
) -> str | None:
    """Compare outputs and gradients of random values with the formula's, computed in float32."""
    _, num_heads, num_tokens, _ = heads.query.shape
    generator = torch.Generator().manual_seed(2)
    weights = torch.randn(num_tokens, num_heads, heads.value.shape[-1], generator=generator).to(heads.query)

    def differentiated(parts: _Heads, output: Tensor) -> list[Tensor]:
        gradients = torch.autograd.grad((output * weights.to(output)).sum(), parts)
        return [output.detach(), *gradients]

    ours = _Heads(*(part.clone().requires_grad_() for part in heads))
    exact = _Heads(*(part.float().clone().requires_grad_() for part in heads))
    found = differentiated(ours, layout.attend(ours.query, ours.key, ours.value, settings)[0])
    formula = attend_by_formula(exact.query, *expand_heads(*exact), visible, settings)
    wanted = differentiated(exact, formula[0].transpose(0, 1))
    for name, one, other in zip(("outputs", "query", "key", "value"), found, wanted, strict=True):
        difference = float((one.float() - other).abs().max() / other.abs().max())
        if not difference <= limit:
            what = name if name == "outputs" else f"gradients at the {name}"
            return f"its {what} differ from the formula's by {difference:.1e}"
    return None
