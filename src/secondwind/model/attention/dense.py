"""The `dense` backend: the rule as additive 4-D masks, under the network's own attention code.

Slow and simple: it is the oracle for the other backends, the way to generate with a cache, and the
fallback for architectures that do not go through transformers' AttentionInterface.
"""

import torch
from torch import Tensor
from transformers import PretrainedConfig

from secondwind.model.architecture import attention_layers
from secondwind.model.mask import allowed


def layer_windows(config: PretrainedConfig) -> dict[str, int | None]:
    """Return the attention window of each type of layer that the model has.

    Raises:
        ModelError: a layer type that cannot follow the rule (linear, chunked, sparse attention).
    """
    return dict(sorted(attention_layers(config)))


def dense_masks(
    config: PretrainedConfig,
    segment_ids: Tensor,
    prefix_mask: Tensor,
    *,
    dtype: torch.dtype = torch.float32,
    first_query: int = 0,
) -> Tensor | dict[str, Tensor]:
    """Render the rule as additive masks [B, 1, Q, K]: 0 where allowed, the lowest number elsewhere.

    Returns:
        One mask, or a mask for each layer type where the model mixes them.
    """
    masks: dict[str, Tensor] = {}
    for kind, window in layer_windows(config).items():
        visible = allowed(segment_ids, prefix_mask, window=window, first_query=first_query)[:, None]
        masks[kind] = torch.zeros(visible.shape, dtype=dtype, device=visible.device).masked_fill_(
            ~visible, torch.finfo(dtype).min
        )
    return masks if len(masks) > 1 else next(iter(masks.values()))
