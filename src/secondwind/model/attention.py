"""The `document` backend: exact attention inside documents only, without a mask over the whole row.

Padding is removed and all rows of a batch become one row [1, T]. In the attention layers alone, the
documents are laid out side by side, those of similar length in one padded group, and each group is one
call of PyTorch's attention under the rule's small mask. Everything else in the network sees [1, T].

    row 0   a a a a a b b . .        T = 5 + 2 + 4 + 5 = 16 tokens
    row 1   c c c c d d d d d        group 1: a d c   3 documents x 5 slots, 1 slot empty
                                     group 2: b       1 document  x 2 slots

What a layer needs travels as a keyword argument of the network's forward. So two forwards never share
a layout, and activation checkpointing, which replays layers during backward, replays them with theirs.

Shape letters: T tokens of the batch, S slots of all groups, G documents of a group, M their padded
length, H heads, D head width.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from secondwind.errors import ExampleError, ModelError
from secondwind.example import Batch, Tokens
from secondwind.model.mask import allowed

DOCUMENT_ATTENTION = "secondwind_document"  # the name under which transformers finds `document_attention`
MAX_EMPTY_SHARE = (
    0.15  # of a group: half of it costs more in calls than it saves, twice as much in empty slots
)
MAX_MASK_CELLS = 2**24  # of a group's mask: 64 MiB as float32, which is what CPU kernels turn it into

Indices = npt.NDArray[np.int64]


class Group(NamedTuple):
    """Documents of similar length: slots start .. start + G * M - 1."""

    start: int
    segment_ids: Tensor  # [G, M], 1 for tokens, 0 for empty slots
    prefix_mask: Tensor  # [G, M]

    @property
    def stop(self) -> int:
        """Return the first slot behind the group."""
        return self.start + self.segment_ids.numel()


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each token of a batch goes in the attention layers; made once per batch, used by every layer.

    Args:
        tokens: int64[T], positions in the flattened batch [B * L] that are not padding.
        slots: int64[S], the token that fills each slot; empty slots name token 0 and are never read.
        homes: int64[T], the slot of each token.
        empty: int64[E], the slots without a token.
        windows: the window of each attention call so far; its length counts the calls.
    """

    tokens: Indices
    slots: Tensor
    homes: Tensor
    empty: Tensor
    groups: tuple[Group, ...]
    windows: list[int | None] = field(default_factory=list[int | None])
    _masks: dict[tuple[int, int | None], Tensor] = field(default_factory=dict[tuple[int, int | None], Tensor])

    @classmethod
    def of(cls, batch: Batch, *, attention: str = "prefix", device: torch.device | str = "cpu") -> Self:
        """Lay out a batch.

        Raises:
            ExampleError: a segment lies in two pieces, or the batch is all padding.
        """
        tokens, starts, lengths = find_documents(batch.segment_ids)
        prefix = batch.prefix_mask.ravel()[tokens] & (attention == "prefix")
        homes = np.empty(len(tokens), dtype=np.int64)
        slots: list[Indices] = []
        empty: list[Indices] = []
        groups: list[Group] = []
        start = 0
        for documents in plan_groups(lengths):
            offsets = np.arange(int(lengths[documents[0]]))
            filled = offsets < lengths[documents, None]
            source = np.where(filled, starts[documents, None] + offsets, 0)
            homes[source[filled]] = start + np.flatnonzero(filled)
            slots.append(source.ravel())
            empty.append(start + np.flatnonzero(~filled))
            groups.append(
                Group(
                    start,
                    torch.from_numpy(filled.astype(np.int32)).to(device),
                    torch.from_numpy(prefix[source] & filled).to(device),
                )
            )
            start += filled.size
        return cls(
            tokens=tokens,
            slots=torch.from_numpy(np.concatenate(slots)).to(device),
            homes=torch.from_numpy(homes).to(device),
            empty=torch.from_numpy(np.concatenate(empty)).to(device),
            groups=tuple(groups),
        )

    def mask(self, number: int, window: int | None) -> Tensor:
        """Return the rule for one group, bool[G, 1, M, M]; computed once, kept for the other layers."""
        if (number, window) not in self._masks:
            group = self.groups[number]
            visible = allowed(group.segment_ids, group.prefix_mask, window=window)
            self._masks[number, window] = visible[:, None]
        return self._masks[number, window]

    def refuse_unused(self, model_type: str) -> None:
        """Raise if the network never asked for its attention: it used some other mask.

        Raises:
            ModelError: no call arrived since the layout was made.
        """
        if not self.windows:
            raise ModelError(
                f"a forward pass of '{model_type}' made 0 calls of the registered attention function, wanted "
                "at least 1. This architecture does not go through transformers' AttentionInterface, so its "
                "mask would silently be another. Load it with backend='dense'."
            )


def find_documents(segment_ids: Tokens) -> tuple[Indices, Indices, Indices]:
    """Find the documents of a batch.

    Returns:
        The positions of tokens in the flattened batch, int64[T]; the first token and the length of each
        document, int64[documents], as indices into those.

    Raises:
        ExampleError: a segment lies in two pieces, or the batch is all padding.
    """
    row_length = segment_ids.shape[1]
    tokens = np.flatnonzero(segment_ids.ravel())
    if len(tokens) == 0:
        raise ExampleError("a batch holds padding only, wanted at least 1 token. Drop empty rows.")
    row, segment = tokens // row_length, segment_ids.ravel()[tokens]
    breaks = (np.diff(row) != 0) | (np.diff(segment) != 0) | (np.diff(tokens) != 1)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    names = np.stack([row[starts], segment[starts]], axis=1)
    pieces, counts = np.unique(names, axis=0, return_counts=True)
    if (counts > 1).any():
        broken = pieces[counts > 1][0]
        raise ExampleError(
            f"segment {broken[1]} of row {broken[0]} lies in {counts.max()} pieces, wanted one run of "
            "tokens. Build rows with secondwind.data.pack.build_row, which keeps each example together."
        )
    return tokens, starts, np.diff(np.append(starts, len(tokens)))


def plan_groups(lengths: Indices) -> list[Indices]:
    """Put documents of similar length together, longest first, with few empty slots.

    Args:
        lengths: int64[documents], in tokens.

    Returns:
        Groups of document numbers; the first document of a group is its longest.
    """
    order = np.argsort(-lengths, kind="stable")
    groups: list[Indices] = []
    first, longest, filled = 0, int(lengths[order[0]]), 0
    for place, document in enumerate(order):
        size = place - first + 1
        room = size * longest
        too_empty = room - filled - int(lengths[document]) > MAX_EMPTY_SHARE * room
        if size > 1 and (too_empty or room * longest > MAX_MASK_CELLS):
            groups.append(order[first:place])
            first, longest, filled = place, int(lengths[document]), 0
        filled += int(lengths[document])
    groups.append(order[first:])
    return groups


class _ToSlots(torch.autograd.Function):
    """[T, H, D] -> [S, H, D]. Each token has one slot, so backward gathers too: CPU scatters are slow."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, layout: Layout) -> Tensor:
        ctx.layout = layout
        return values.index_select(0, layout.slots)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].index_select(0, ctx.layout.homes), None


class _FromSlots(torch.autograd.Function):
    """[S, H, D] -> [T, H, D]: the transpose of `_ToSlots`."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, layout: Layout) -> Tensor:
        ctx.layout = layout
        return values.index_select(0, layout.homes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].index_select(0, ctx.layout.slots).index_fill_(0, ctx.layout.empty, 0.0), None


def document_attention(
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
    """Attend within documents: the function that transformers' layers call, with its fixed signature.

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
    settings = _Settings(scaling, dropout, softcap, s_aux)
    # CPU kernels are four times slower in bfloat16 than in float32 at these sizes (torch 2.13).
    dtype = torch.float32 if query.device.type == "cpu" else value.dtype
    with torch.autocast(query.device.type, enabled=False):
        query, key = query.to(value.dtype), key.to(value.dtype)
        if secondwind_layout is not None:
            output = _attend_documents(
                query, key, value, secondwind_layout, window=sliding_window, dtype=dtype, settings=settings
            )
        else:
            mask = None if attention_mask is None else attention_mask.to(dtype)
            output = _attend(query.to(dtype), key.to(dtype), value.to(dtype), mask, settings)
            output = output.transpose(1, 2)
    return output.to(value.dtype), None


class _Settings(NamedTuple):
    scaling: float | None
    dropout: float
    softcap: float | None
    sinks: Tensor | None


def _attend_documents(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    layout: Layout,
    *,
    window: int | None,
    dtype: torch.dtype,
    settings: _Settings,
) -> Tensor:
    """Move tokens to their slots, attend group by group in `dtype`, move the outputs back to [1, T, H, D]."""
    layout.windows.append(window)
    slotted = [_ToSlots.apply(t[0].transpose(0, 1), layout).to(dtype) for t in (query, key, value)]
    outputs: list[Tensor] = []
    for number, group in enumerate(layout.groups):
        size = group.segment_ids.shape
        q, k, v = (t[group.start : group.stop].unflatten(0, size).transpose(1, 2) for t in slotted)
        attended = _attend(q, k, v, layout.mask(number, window), settings)
        outputs.append(attended.transpose(1, 2).flatten(0, 1))
    joined = torch.cat(outputs) if len(outputs) > 1 else outputs[0]
    return _FromSlots.apply(joined.to(value.dtype), layout)[None]


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, settings: _Settings) -> Tensor:
    """Attend in [G, H, M, D] under a bool or additive mask [G, 1, Q, K]."""
    grouped = query.shape[1] != key.shape[1]
    if settings.softcap is not None or settings.sinks is not None:
        return _attend_by_formula(query, *_expand(query, key, value), mask, settings)
    # On CUDA a mask together with enable_gqa falls back to the slow formula; on CPU it is the fastest.
    native = grouped and query.device.type == "cpu"
    if grouped and not native:
        key, value = _expand(query, key, value)
    return functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        dropout_p=settings.dropout,
        scale=settings.scaling,
        enable_gqa=native,
    )


def _expand(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    repeats = query.shape[1] // key.shape[1]
    return key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)


def _attend_by_formula(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, settings: _Settings
) -> Tensor:
    """Attend with soft-capped scores or learned sinks, which PyTorch's kernels do not know."""
    scale = query.shape[-1] ** -0.5 if settings.scaling is None else settings.scaling
    scores = query @ key.transpose(-1, -2) * scale
    if settings.softcap is not None:
        scores = torch.tanh(scores / settings.softcap) * settings.softcap
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    if settings.sinks is not None:
        sinks = settings.sinks.to(scores.dtype).reshape(1, -1, 1, 1).expand(*scores.shape[:3], 1)
        scores = torch.cat([scores, sinks], dim=-1)
    weights = scores.float().softmax(-1).to(value.dtype)[..., : key.shape[2]]
    return functional.dropout(weights, settings.dropout) @ value
