"""The attention function that the network's layers call, under the name "secondwind".

transformers' layers look the function up by name (`AttentionInterface`), so no model code is patched. What
the function needs to know of the batch travels as a keyword argument of the network's forward, its layout.
So two forwards never share one, and activation checkpointing, which replays layers during backward,
replays them with theirs.

    network(tokens [1, T], secondwind_layout=layout)
      each layer: packed_attention(query, key, value) -> layout.attend(...)      one class for each backend

Shape letters: T tokens of the batch, H heads, M keys or queries of a group, G groups, D head width.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from secondwind.errors import ModelError
from secondwind.example import Batch
from secondwind.model.attention.flat import Indices

PACKED_ATTENTION = "secondwind"  # the name under which transformers finds `packed_attention`


class Settings(NamedTuple):
    """What a layer asks for beside its heads.

    Args:
        window: a query sees keys at distances below this, on both sides; None: any distance.
        scaling: of the scores; None: one over the root of the head width.
        softcap: bound of the scores (Gemma 2).
        sinks: learned sinks, one score per head (GPT-OSS).
    """

    window: int | None = None
    scaling: float | None = None
    dropout: float = 0.0
    softcap: float | None = None
    sinks: Tensor | None = None


class Call(NamedTuple):
    """What one layer handed over: the shape of its heads, their precision, and its settings."""

    heads: int
    key_heads: int
    width: int
    value_width: int
    dtype: torch.dtype
    settings: Settings


class Layout(ABC):
    """Where each token of a batch goes in the attention layers; made once per batch, used by every layer.

    Args:
        tokens: int64[T], positions in the flattened batch [B * L] that are not padding.
    """

    check_documents: ClassVar[tuple[tuple[int, int], ...]] = ((0, 1), (2, 1), (3, 4))
    """Prefix length and number of targets of each document that the self-check lays out."""

    def __init__(self, tokens: Indices) -> None:
        self.tokens = tokens
        self.calls: list[Call] = []  # of the attention layers so far

    @classmethod
    def unsupported(cls, calls: Sequence[Call], device: torch.device) -> str | None:
        """Say why the layers that made these calls cannot be served on this device, or None.

        Only what costs nothing to find out; the rest is found by trying.
        """
        del calls, device
        return None

    @classmethod
    @abstractmethod
    def of(cls, batch: Batch, *, attention: str = "prefix", device: torch.device | str = "cpu") -> Self:
        """Lay out a batch.

        Raises:
            ExampleError: a segment lies in two pieces, or the batch is all padding.
        """

    @abstractmethod
    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        """Attend under the rule.

        Args:
            query: [1, H, T, D]; key and value may have fewer heads (GQA).

        Returns:
            [1, T, H, D]
        """

    def refuse_unused(self, model_type: str) -> None:
        """Raise if the network never asked for its attention: it used some other mask.

        Raises:
            ModelError: no call arrived since the layout was made.
        """
        if not self.calls:
            raise ModelError(
                f"a forward pass of '{model_type}' made 0 calls of the registered attention function, wanted "
                "at least 1. This architecture does not go through transformers' AttentionInterface, so its "
                "mask would silently be another. Load it with backend='dense'."
            )


# A compiler would follow the layout, which differs for every batch, and compile for every batch.
@torch.compiler.disable
def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    position_bias: Tensor | None = None,
    secondwind_layout: Layout | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend as the batch's layout says: the function that transformers' layers call.

    Without a layout (generation with a cache) the layer's 4-D mask is used as it is.

    Args:
        query: [1, H, T, D]; key and value may have fewer heads (GQA).
        attention_mask: None with a layout, else additive [B, 1, Q, K].
        softcap: bound of the scores (Gemma 2).
        s_aux: learned sinks, one score per head (GPT-OSS).

    Returns:
        [1, T, H, D], and None for the weights.

    Raises:
        ModelError: neither layout nor mask arrived, or the model adds a bias to its scores.
    """
    if position_bias is not None or (secondwind_layout is None and attention_mask is None):
        raise ModelError(
            f"{type(module).__name__} "
            + ("adds a position bias" if position_bias is not None else "received no layout and no mask")
            + "; its attention would silently be another. Load the model with backend='dense'."
        )
    settings = Settings(sliding_window, scaling, dropout, softcap, s_aux)
    with torch.autocast(query.device.type, enabled=False):
        query, key = query.to(value.dtype), key.to(value.dtype)
        if secondwind_layout is not None:
            secondwind_layout.calls.append(_call(query, key, value, settings))
            return secondwind_layout.attend(query, key, value, settings), None
        dtype = kernel_dtype(value)
        mask = None if attention_mask is None else attention_mask.to(dtype)
        output = attend(query.to(dtype), key.to(dtype), value.to(dtype), mask, settings)
    return output.transpose(1, 2).to(value.dtype), None


def _call(query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Call:
    return Call(query.shape[1], key.shape[1], query.shape[-1], value.shape[-1], value.dtype, settings)


def score_scale(query: Tensor, settings: Settings) -> float:
    """Return what scores are multiplied by."""
    return query.shape[-1] ** -0.5 if settings.scaling is None else settings.scaling


def kernel_dtype(value: Tensor) -> torch.dtype:
    """Return what PyTorch's attention kernels compute in.

    Those of the CPU are four times slower in bfloat16 than in float32 at these sizes (torch 2.13).
    """
    return torch.float32 if value.device.type == "cpu" else value.dtype


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, settings: Settings) -> Tensor:
    """Attend in [G, H, M, D] under a bool or additive mask [G, 1, Q, K]."""
    grouped = query.shape[1] != key.shape[1]
    if settings.softcap is not None or settings.sinks is not None:
        return attend_by_formula(query, *expand_heads(query, key, value), mask, settings)
    # On CUDA a mask together with enable_gqa falls back to the slow formula; on CPU it is the fastest.
    native = grouped and query.device.type == "cpu"
    if grouped and not native:
        key, value = expand_heads(query, key, value)
    return functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        dropout_p=settings.dropout,
        scale=settings.scaling,
        enable_gqa=native,
    )


def expand_heads(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Repeat the key and value heads until there are as many as query heads, [G, H, M, D]."""
    repeats = query.shape[1] // key.shape[1]
    return key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)


def attend_by_formula(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, settings: Settings
) -> Tensor:
    """Attend with soft-capped scores or learned sinks, which PyTorch's kernels do not know."""
    scores = query @ key.transpose(-1, -2) * score_scale(query, settings)
    if settings.softcap is not None:
        scores = torch.tanh(scores / settings.softcap) * settings.softcap
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    if settings.sinks is not None:
        sinks = settings.sinks.to(scores.dtype).reshape(1, -1, 1, 1).expand(*scores.shape[:3], 1)
        scores = torch.cat([scores, sinks], dim=-1)
    weights = scores.float().softmax(-1).to(value.dtype)[..., : key.shape[2]]
    return functional.dropout(weights, settings.dropout) @ value
