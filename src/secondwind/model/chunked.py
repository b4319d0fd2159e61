"""What is computed from logits, some positions at a time, so that a large vocabulary needs little memory.

    kept positions   p0 p1 p2 p3 p4 p5 p6          N = 7; all logits would be [7, V]
    chunks           p0 p1 p2 | p3 p4 | p5 p6      [n, V] lives only while its terms are computed

The body runs once, and its last hidden states are caught. Then the root forward runs once a chunk, with
a body that hands those states over: so the output layer, an adapter on it, the model's own scaling and
soft-capping, and the hooks of sharding are what they always are. Where gradients are wanted, a chunk's
logits are computed again in the backward pass.

Gradients made in the forward pass would spare that second product, but go past the hooks of sharding,
and need to know every parameter that a model uses behind its body.

Shape letters: N kept positions, n those of a chunk, V vocabulary, D width.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from secondwind.example import Batch
from secondwind.model.embeddings import table_rows
from secondwind.model.forward import LAYOUTS, kept_logits, to_network
from secondwind.model.load import LanguageModel
from secondwind.model.proof import TOLERANCE, probe_batch

# Of a chunk's logits as float32; some three such arrays are alive at once. Chunks are cut equal, so that
# they are above half of it, 32 MiB in bf16: what is larger glibc gives back to the system as it is freed.
# Each chunk adds its gradient to that of the output table. An accelerator, which computes so much faster
# than it moves bytes, needs more positions to make up for that.
_MAX_LOGITS_BYTES, _MAX_LOGITS_BYTES_OF_ACCELERATORS = 2**27, 2**29

Terms = Callable[[Tensor, Tensor], Tensor]  # of logits [n, V] and targets [n]: [..., n]

_bodies: WeakKeyDictionary[PreTrainedModel, nn.Module | None] = WeakKeyDictionary()


class States(NamedTuple):
    """What a network's body gives: the last hidden states [N, D], and the type of its output."""

    hidden: Tensor
    kind: Any


def max_positions(network: PreTrainedModel) -> int:
    """Return how many positions may have logits at once; sizes alone decide."""
    on_cpu = network.device.type == "cpu"
    limit = _MAX_LOGITS_BYTES if on_cpu else _MAX_LOGITS_BYTES_OF_ACCELERATORS
    return max(1, limit // (4 * table_rows(network)))


def kept_terms(model: LanguageModel, batch: Batch, terms: Terms) -> Tensor:
    """Compute terms of the logits at a batch's loss positions, in chunks where those would be large.

    Args:
        terms: from logits [n, V] and targets [n] to [..., n]; each position by itself.

    Returns:
        [..., N], row by row.

    Raises:
        ModelError: a segment is too long for the model, or the mask did not reach it.
    """
    network, keep = model.network, batch.loss_mask
    targets = to_network(batch.tokens[:, 1:][keep[:, :-1]], network)
    num_chunks = -(-len(targets) // max_positions(network))
    # Ranks have targets of their own, but a sharded network only runs on all of them: each rank looks for
    # the body at its first loss.
    body = body_of(model) if num_chunks > 1 or _has_ranks() else None
    if num_chunks < 2 or body is None:
        whole = kept_logits(network, batch, keep, attention=model.attention, backend=model.backend)
        return terms(whole, targets)
    states = last_states(model, batch, body)

    def of_chunk(hidden: Tensor, wanted: Tensor) -> Tensor:
        with _uncached_autocast(network.device.type):
            return terms(logits_of(network, body, States(hidden, states.kind)), wanted)

    chunks = zip(states.hidden.tensor_split(num_chunks), targets.tensor_split(num_chunks), strict=True)
    if not torch.is_grad_enabled():
        return torch.cat([of_chunk(*chunk) for chunk in chunks], dim=-1)
    parts = [cast(Tensor, checkpoint(of_chunk, *chunk, use_reentrant=False)) for chunk in chunks]
    return torch.cat(parts, dim=-1)


def last_states(model: LanguageModel, batch: Batch, body: nn.Module) -> States:
    """Run the network without its output layer; return the body's last states at the loss positions."""
    headless = _Headless(model.network, body)
    hidden = kept_logits(
        cast(PreTrainedModel, headless),
        batch,
        batch.loss_mask,
        attention=model.attention,
        backend=model.backend,
    )
    return States(hidden, headless.kind)


def logits_of(network: PreTrainedModel, body: nn.Module, states: States) -> Tensor:
    """Return the logits [n, V] that the network makes of last hidden states [n, D]."""
    output = states.kind(last_hidden_state=states.hidden[None])
    with _standing_in(body, lambda *_, **__: output):
        # Of the ids, which the body would have read, only the number counts.
        ids = torch.zeros((1, len(states.hidden)), dtype=torch.long, device=states.hidden.device)
        return cast(Any, network)(input_ids=ids, use_cache=False).logits[0]


def body_of(model: LanguageModel) -> nn.Module | None:
    """Find the part of a network whose last hidden states are all that its logits are made of.

    That they are is measured, once for each network, on a row of six tokens. None: no part is; what a
    network computes behind its body may need more than states, or its body may not be called as a whole.
    """
    if model.network not in _bodies:
        _bodies[model.network] = next(
            (body for body in _candidates(model.network) if _proven(model, body)), None
        )
    return _bodies[model.network]


def _has_ranks() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _candidates(network: Any) -> list[nn.Module]:
    """Return what may be the body, the likeliest first; some architectures do not say."""
    named = [network.get_decoder(), network.base_model, *network.children()]
    return [body for body in dict.fromkeys(named) if body is not None and body is not network]


@torch.no_grad()
def _proven(model: LanguageModel, body: nn.Module) -> bool:
    network = model.network
    # Where the body lies does not depend on the backend, and some take no float32.
    model = replace(model, backend="dense") if model.backend in LAYOUTS else model
    batch = probe_batch(1, table_rows(network))
    batch.loss_mask[:] = True
    training = network.training
    try:
        network.eval()  # dropout would move logits by itself
        with torch.autocast(network.device.type, enabled=False):
            whole = kept_logits(
                network, batch, batch.loss_mask, attention=model.attention, backend=model.backend
            )
            states = last_states(model, batch, body)
            # Backwards, so that logits which depend on more than their own state give themselves away.
            made = logits_of(network, body, states._replace(hidden=states.hidden.flip(0))).flip(0)
    except Exception:  # foreign code fails in its own ways where it wants more than states
        return False
    finally:
        network.train(training)
    return bool((whole - made).abs().max() <= TOLERANCE * whole.abs().max())


class _Headless:
    """A network whose logits are the last hidden states of its body."""

    def __init__(self, network: Any, body: nn.Module) -> None:
        self._network, self._body = network, body
        self.kind: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def __call__(self, *, logits_to_keep: Tensor, **inputs: Any) -> SimpleNamespace:
        caught: list[Any] = []
        hook = self._body.register_forward_hook(lambda _, __, output: caught.append(output))
        try:
            self._network(**inputs, logits_to_keep=logits_to_keep[:0])
        finally:
            hook.remove()
        (output,) = caught
        self.kind = type(output)
        return SimpleNamespace(logits=output.last_hidden_state[:, logits_to_keep])


@contextmanager
def _standing_in(body: nn.Module, forward: Callable[..., Any]) -> Generator[None]:
    """Let a module compute something else; its hooks still run."""
    own = vars(body).get("forward")
    body.forward = forward
    try:
        yield
    finally:
        del body.forward
        if own is not None:
            body.forward = own


@contextmanager
def _uncached_autocast(device_type: str) -> Generator[None]:
    """Keep no cast copy of a table over chunks: their gradients are then summed in the table's precision."""
    enabled, dtype = torch.is_autocast_enabled(device_type), torch.get_autocast_dtype(device_type)
    with torch.autocast(device_type, dtype, enabled=enabled, cache_enabled=False):
        yield
