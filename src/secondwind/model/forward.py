"""Run a network over a packed batch: one way in, whatever the backend.

    flat       [B, L] without padding -> [1, T]      the backend's layout goes to the attention layers
    dense      [B, L] as it is                       4-D masks [B, 1, L, L] for the attention layers
    unpacked   each document a row of its own        no masks at all; causal attention alone

The root forward is called, with `logits_to_keep`, so that sharded models and the models' own scaling and
soft-capping of logits hold, and logits exist only where somebody asked for them.

Shape letters: B rows, L row length, T tokens, N kept positions, V vocabulary.
"""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from secondwind.errors import ExampleError, ModelError
from secondwind.example import Batch, Flags
from secondwind.model.architecture import position_limit
from secondwind.model.attention.dense import dense_masks
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.attention.flex import FlexLayout
from secondwind.model.attention.function import Layout
from secondwind.model.attention.unpacked import unpack
from secondwind.model.attention.varlen import VarlenLayout

Attention = Literal["prefix", "causal"]
Backend = Literal["dense", "document", "flex", "varlen", "unpacked"]

LAYOUTS: dict[Backend, type[Layout]] = {  # of the backends that take a flat batch
    "document": DocumentLayout,
    "flex": FlexLayout,
    "varlen": VarlenLayout,
}


def kept_logits(
    network: PreTrainedModel, batch: Batch, keep: Flags, *, attention: Attention, backend: Backend
) -> Tensor:
    """Return the logits [N, V] at the kept positions, row by row.

    Args:
        keep: bool[B, L], True where logits are wanted; never at padding.

    Raises:
        ExampleError: logits are wanted at padding, or a segment lies in pieces.
        ModelError: a segment is longer than the model's positions, or the mask did not reach the model.
    """
    if (keep & (batch.segment_ids == 0)).any():
        raise ExampleError("logits were asked for at padding positions, wanted tokens only. Check loss_mask.")
    refuse_long(network, int(batch.positions.max()) + 1)
    if backend in LAYOUTS:
        layout = LAYOUTS[backend].of(batch, attention=attention, device=network.device)
        return _flat_logits(network, batch, keep, layout)
    if backend == "unpacked":
        return _unpacked_logits(network, batch, keep, attention)
    return _dense_logits(network, batch, keep, attention)


def refuse_long(network: PreTrainedModel, num_positions: int) -> None:
    """Raise if a segment needs more positions than the model has.

    Raises:
        ModelError: names both numbers.
    """
    limit = position_limit(network.config)
    if limit is not None and num_positions > limit:
        raise ModelError(
            f"an example of {num_positions} tokens needs more positions than '{network.config.model_type}' "
            f"has: {limit}. Lower row_length, or shorten the input."
        )


def to_network(array: np.ndarray, network: PreTrainedModel) -> Tensor:
    """Copy ids or flags to the network's device; ids become int64."""
    tensor = torch.from_numpy(np.ascontiguousarray(array)).to(network.device)
    return tensor if tensor.dtype == torch.bool else tensor.long()


def _flat_logits(network: Any, batch: Batch, keep: Flags, layout: Layout) -> Tensor:
    kept = np.flatnonzero(keep.ravel()[layout.tokens])
    output = network(
        input_ids=to_network(batch.tokens.ravel()[layout.tokens][None], network),
        position_ids=to_network(batch.positions.ravel()[layout.tokens][None], network),
        use_cache=False,
        logits_to_keep=to_network(kept, network),
        secondwind_layout=layout,
    )
    layout.refuse_unused(network.config.model_type)
    return output.logits[0]


def _dense_logits(network: Any, batch: Batch, keep: Flags, attention: Attention) -> Tensor:
    prefix = batch.prefix_mask if attention == "prefix" else np.zeros_like(batch.prefix_mask)
    segments, prefixes = to_network(batch.segment_ids, network), to_network(prefix, network)
    columns = np.flatnonzero(keep.any(axis=0))
    output = network(
        input_ids=to_network(batch.tokens, network),
        position_ids=to_network(batch.positions, network),
        attention_mask=dense_masks(network.config, segments, prefixes, dtype=network.dtype),
        use_cache=False,
        # One set of columns for all rows: masks of [B, L] need transformers 5.20 or later.
        logits_to_keep=to_network(columns, network),
    )
    return output.logits[to_network(keep[:, columns], network)]


def _unpacked_logits(network: Any, batch: Batch, keep: Flags, attention: Attention) -> Tensor:
    if attention != "causal":
        raise ModelError(
            f"'{network.config.model_type}' runs unpacked, under its own causal attention, and got "
            f"attention='{attention}'. Use attention='causal'."
        )
    parts: list[Tensor] = []
    places: list[np.ndarray] = []
    for group in unpack(batch, keep):
        columns = np.flatnonzero(group.keep.any(axis=0))
        output = network(
            input_ids=to_network(group.tokens, network),
            use_cache=False,
            logits_to_keep=to_network(columns, network),
        )
        parts.append(output.logits[to_network(group.keep[:, columns], network)])
        places.append(group.places)
    return torch.cat(parts)[to_network(np.argsort(np.concatenate(places)), network)]
