"""Prove by a tiny experiment that a network follows the rule.

A probe row of two short segments is run once as it is and once per token with that token changed. The
logits that move must be those whose queries are allowed to see the token: no neighbour's, no earlier
target's, and all of the prefix's. And each segment must have the logits that it has alone, under the
network's own attention where that is causal. What a mask claims is not believed; what it does is measured.

Shape letters: V vocabulary.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from secondwind.errors import ModelError
from secondwind.example import Batch, Flags
from secondwind.model.architecture import attention_layers, causal_reason
from secondwind.model.attention.function import PACKED_ATTENTION
from secondwind.model.embeddings import table_rows
from secondwind.model.forward import Attention, kept_logits, to_network
from secondwind.model.mask import allowed

_SEGMENTS = (1, 1, 2, 2, 2, 2)
_POSITIONS = (0, 1, 0, 1, 2, 3)
_PREFIX = (True, False, True, True, False, False)
TOLERANCE = 1e-5  # of the largest logit: above float32 noise, far below any effect of a token
_ALONE_TOLERANCE = 1e-3  # of the largest logit: matrices of other shapes round otherwise, and layers add up
_CAUSAL_ADVICE = (
    "Use attention='causal' (in a recipe ul2r.attention: causal and flan.attention: causal), or choose "
    "another base model."
)


def probe_batch(num_rows: int, vocabulary_rows: int) -> Batch:
    """Build the probe; row r > 0 has token r - 1 changed."""
    tokens = np.tile(np.arange(1, 1 + len(_SEGMENTS)), (num_rows, 1))
    for row in range(1, num_rows):
        tokens[row, row - 1] += len(_SEGMENTS)

    def repeated(values: tuple[int, ...], kind: type) -> np.ndarray:
        return np.tile(np.asarray(values, dtype=kind), (num_rows, 1))

    return Batch(
        tokens=(tokens % vocabulary_rows).astype(np.int32),
        segment_ids=repeated(_SEGMENTS, np.int32),
        positions=repeated(_POSITIONS, np.int32),
        prefix_mask=repeated(_PREFIX, np.bool_),
        loss_mask=np.zeros(tokens.shape, dtype=np.bool_),
    )


@torch.no_grad()
def prove_mask(
    network: PreTrainedModel, attention: Attention, *, backend: Literal["dense", "unpacked"] = "dense"
) -> Tensor:
    """Check by experiment that the network follows the rule; return the probe's logits [6, V].

    Args:
        backend: `dense` is about its obedience to a 4-D mask, `unpacked` about its own causal attention.

    Raises:
        ModelError: the network takes no such mask, does not honour it, or packed examples do not have the
            logits that they have alone.
    """
    if attention == "prefix":
        _refuse_only_causal(network, backend)
        # Only its own causal attention can witness how a network counts positions (RoBERTa's start at 2).
        prove_mask(network, "causal")
    size = len(_SEGMENTS)
    batch = probe_batch(size + 1, table_rows(network))
    everywhere = np.ones_like(batch.loss_mask)
    training = network.training
    try:
        network.eval()  # dropout would move logits by itself
        flat = kept_logits(network, batch, everywhere, attention=attention, backend=backend).float()
        logits = flat.unflatten(0, (size + 1, size))
        alone = torch.cat([_alone(network, batch, segment, attention, backend) for segment in (1, 2)])
    except ModelError:
        raise
    except Exception as error:  # foreign code fails in its own ways where it knows no 4-D mask
        how, takes = "under an explicit attention mask", "a 4-D mask and position ids"
        if backend == "unpacked":
            how, takes = "without any mask", "token ids alone"
        raise ModelError(
            f"'{network.config.model_type}' cannot run {how}: {error!r}. Wanted a decoder that takes "
            f"{takes}. Choose another base model."
        ) from error
    finally:
        network.train(training)
    _refuse_other_mask(network, batch, logits, attention, backend)
    _refuse_other_context(network, logits[0], alone, attention)
    return logits[0]


def _refuse_only_causal(network: PreTrainedModel, backend: str) -> None:
    reason = causal_reason(network.config)
    if reason is None and backend == "unpacked":
        reason = "takes no mask of ours and runs under its own causal attention"
    if reason is not None:
        raise ModelError(
            f"'{network.config.model_type}' {reason}, so it cannot attend to a prefix in both directions. "
            f"{_CAUSAL_ADVICE}"
        )


def _alone(
    network: Any, batch: Batch, segment: int, attention: Attention, backend: Literal["dense", "unpacked"]
) -> Tensor:
    """Return the logits of one segment of the probe in a row of its own."""
    where = batch.segment_ids[0] == segment
    if attention == "causal":
        tokens = to_network(batch.tokens[:1, where], network)
        with own_attention(network):
            return network(input_ids=tokens, use_cache=False).logits[0].float()
    row = Batch(
        tokens=batch.tokens[:1, where],
        segment_ids=np.ones((1, int(where.sum())), dtype=np.int32),
        positions=batch.positions[:1, where],
        prefix_mask=batch.prefix_mask[:1, where],
        loss_mask=batch.loss_mask[:1, where],
    )
    return kept_logits(network, row, row.segment_ids > 0, attention=attention, backend=backend).float()


def _refuse_other_mask(
    network: PreTrainedModel, batch: Batch, logits: Tensor, attention: Attention, backend: str
) -> None:
    """Raise where a token moved a logit that may not see it, or did not move one that may."""
    moved = (logits[1:] - logits[:1]).abs().amax(-1) > TOLERANCE * logits.abs().max()  # [token, query]
    segments, prefix = batch.segment_ids[0], batch.prefix_mask[0] & (attention == "prefix")
    visible = to_network(allowed(segments, prefix).T, network)
    leaks = moved & ~visible
    blind = torch.zeros_like(leaks)
    if backend == "dense":  # what a network of its own sees of the past is its own business
        blind = to_network(reach(network.config, segments, prefix).T, network) & ~moved
    if leaks.any() or blind.any():
        token, query = (leaks if leaks.any() else blind).nonzero()[0].tolist()
        what = "an explicit mask for " if backend == "dense" else ""
        raise ModelError(
            f"'{network.config.model_type}' does not honour {what}{attention} attention: in a "
            f"row of two examples, token {token} {'moved' if leaks.any() else 'did not move'} the prediction "
            f"at token {query}. Recurrent layers, ALiBi and built-in causal masks do that. {_CAUSAL_ADVICE}"
        )


@contextmanager
def own_attention(network: PreTrainedModel) -> Generator[None]:
    """Let a network attend by its own code for a while, whatever backend it is settled on."""
    settled = network.config._attn_implementation
    try:
        if settled == PACKED_ATTENTION:
            network.set_attn_implementation("eager")
        yield
    finally:
        if settled == PACKED_ATTENTION:
            network.set_attn_implementation(settled)


def causal_only(network: PreTrainedModel) -> str | None:
    """Say why a network can only look back, by its configuration or by experiment; else None."""
    try:
        prove_mask(network, "prefix")
    except ModelError as refusal:
        return str(refusal).split(". ")[0]
    return None


def reach(config: Any, segment_ids: np.ndarray, prefix_mask: Flags) -> Flags:
    """Tell which predictions each token can move, through all layers, each under its window.

    Returns:
        bool[L, L], query by token.

    Raises:
        ModelError: a layer type that cannot follow the rule.
    """
    reached = np.eye(len(segment_ids), dtype=np.bool_)
    for _, window in attention_layers(config):
        reached = allowed(segment_ids, prefix_mask, window=window) @ reached
    return reached


def _refuse_other_context(
    network: PreTrainedModel, packed: Tensor, alone: Tensor, attention: Attention
) -> None:
    difference = float((packed - alone).abs().max() / packed.abs().max())
    if not difference <= _ALONE_TOLERANCE:  # NaN is no agreement
        raise ModelError(
            f"'{network.config.model_type}' gives packed examples other logits than alone under {attention} "
            f"attention: they differ by {difference:.1e} of the largest, wanted at most "
            f"{_ALONE_TOLERANCE:.0e}. Its windows, positions or biases do not follow the rule. "
            f"{_CAUSAL_ADVICE}"
        )
