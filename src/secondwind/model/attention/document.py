"""The `document` backend: exact attention inside documents only, without a mask over the whole row.

In the attention layers alone, the documents of the flat batch are laid out side by side, those of similar
length in one padded group, and each group is one call of PyTorch's attention under the rule's small mask.
Everything else in the network sees [1, T].

    row 0   a a a a a b b . .        T = 5 + 2 + 4 + 5 = 16 tokens
    row 1   c c c c d d d d d        group 1: a d c   3 documents x 5 slots, 1 slot empty
                                     group 2: b       1 document  x 2 slots

Shape letters: T tokens of the batch, S slots of all groups, G documents of a group, M their padded
length, H heads, D head width.
"""

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from secondwind.example import Batch
from secondwind.model.attention.flat import FlatBatch, Indices
from secondwind.model.attention.function import Layout, Settings, attend, kernel_dtype
from secondwind.model.mask import allowed

MAX_EMPTY_SHARE = (
    0.15  # of a group: half of it costs more in calls than it saves, twice as much in empty slots
)
MAX_MASK_CELLS = 2**24  # of a group's mask: 64 MiB as float32, which is what CPU kernels turn it into


class Group(NamedTuple):
    """Documents of similar length: slots start .. start + G * M - 1."""

    start: int
    segment_ids: Tensor  # [G, M], 1 for tokens, 0 for empty slots
    prefix_mask: Tensor  # [G, M]

    @property
    def stop(self) -> int:
        """Return the first slot behind the group."""
        return self.start + self.segment_ids.numel()


class DocumentLayout(Layout):
    """The documents of a batch in groups of similar length.

    Args:
        slots: int64[S], the token that fills each slot; empty slots name token 0 and are never read.
        homes: int64[T], the slot of each token.
        empty: int64[E], the slots without a token.
    """

    def __init__(
        self, tokens: Indices, slots: Tensor, homes: Tensor, empty: Tensor, groups: tuple[Group, ...]
    ) -> None:
        super().__init__(tokens)
        self.slots, self.homes, self.empty, self.groups = slots, homes, empty, groups
        self._masks: dict[tuple[int, int | None], Tensor] = {}

    @classmethod
    def of(cls, batch: Batch, *, attention: str = "prefix", device: torch.device | str = "cpu") -> Self:
        """Lay out a batch; see `Layout.of`."""
        flat = FlatBatch.of(batch, attention=attention)
        homes = np.empty(len(flat.tokens), dtype=np.int64)
        slots: list[Indices] = []
        empty: list[Indices] = []
        groups: list[Group] = []
        start = 0
        for documents in plan_groups(flat.lengths):
            offsets = np.arange(int(flat.lengths[documents[0]]))
            filled = offsets < flat.lengths[documents, None]
            source = np.where(filled, flat.starts[documents, None] + offsets, 0)
            homes[source[filled]] = start + np.flatnonzero(filled)
            slots.append(source.ravel())
            empty.append(start + np.flatnonzero(~filled))
            groups.append(
                Group(
                    start,
                    torch.from_numpy(filled.astype(np.int32)).to(device),
                    torch.from_numpy(flat.prefix[source] & filled).to(device),
                )
            )
            start += filled.size
        return cls(
            tokens=flat.tokens,
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

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        """Move tokens to their slots, attend group by group, move the outputs back; see `Layout.attend`."""
        dtype = kernel_dtype(value)
        slotted = [_ToSlots.apply(t[0].transpose(0, 1), self).to(dtype) for t in (query, key, value)]
        outputs: list[Tensor] = []
        for number, group in enumerate(self.groups):
            size = group.segment_ids.shape
            q, k, v = (t[group.start : group.stop].unflatten(0, size).transpose(1, 2) for t in slotted)
            attended = attend(q, k, v, self.mask(number, settings.window), settings)
            outputs.append(attended.transpose(1, 2).flatten(0, 1))
        joined = torch.cat(outputs) if len(outputs) > 1 else outputs[0]
        return _FromSlots.apply(joined.to(value.dtype), self)[None]


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
    def forward(ctx: Any, values: Tensor, layout: DocumentLayout) -> Tensor:
        ctx.layout = layout
        return values.index_select(0, layout.slots)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].index_select(0, ctx.layout.homes), None


class _FromSlots(torch.autograd.Function):
    """[S, H, D] -> [T, H, D]: the transpose of `_ToSlots`."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, layout: DocumentLayout) -> Tensor:
        ctx.layout = layout
        return values.index_select(0, layout.homes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].index_select(0, ctx.layout.slots).index_fill_(0, ctx.layout.empty, 0.0), None
