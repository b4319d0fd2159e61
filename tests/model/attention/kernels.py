"""Plain forms to hold layouts to: the rule in float64, and a varlen kernel as a loop over pieces."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from secondwind.example import Batch
from secondwind.model.attention.function import Settings
from secondwind.model.attention.varlen import Kernel, Pieces, VarlenLayout
from secondwind.model.mask import allowed


def attended_by_rule(
    batch: Batch, query: Tensor, key: Tensor, value: Tensor, settings: Settings, *, attention: str = "prefix"
) -> Tensor:
    """Attend row by row under `allowed`, in float64; heads [1, H, T, D] of the flat batch -> [1, T, H, D]."""
    repeats = query.shape[1] // key.shape[1]
    query, key, value = (heads[0].double() for heads in (query, key, value))
    key, value = (heads.repeat_interleave(repeats, dim=0) for heads in (key, value))
    scale = query.shape[-1] ** -0.5 if settings.scaling is None else settings.scaling
    rows = []
    start = 0
    for segment_ids, prefix in zip(batch.segment_ids, batch.prefix_mask, strict=True):
        real = segment_ids > 0
        visible = allowed(segment_ids, prefix & (attention == "prefix"), window=settings.window)
        mask = torch.from_numpy(visible[np.ix_(real, real)])
        part = slice(start, start + int(real.sum()))
        scores = query[:, part] @ key[:, part].transpose(1, 2) * scale
        if settings.softcap is not None:
            scores = settings.softcap * torch.tanh(scores / settings.softcap)
        weights = scores.exp() * mask
        total = weights.sum(-1, keepdim=True)
        if settings.sinks is not None:
            total = total + settings.sinks.double().exp()[:, None, None]
        rows.append((weights / total @ value[:, part]).transpose(0, 1))
        start = part.stop
    return torch.cat(rows)[None]


def looped_kernel(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    pieces: Pieces,
    *,
    window: tuple[int, int],
    scale: float,
    settings: Settings,
) -> Tensor:
    """Attend piece by piece, the last query beside the last key, as flash kernels define it."""
    left, right = window
    outputs = []
    repeats = query.shape[1] // key.shape[1]
    lengths = [(pieces.query_bounds.diff().max(), pieces.longest_query)]
    lengths += [(pieces.key_bounds.diff().max(), pieces.longest_key)]
    assert all(int(found) == said for found, said in lengths)
    assert pieces.query_bounds.dtype == pieces.key_bounds.dtype == torch.int32
    borders = [[*zip(b[:-1].tolist(), b[1:].tolist(), strict=True)] for b in pieces[:2]]
    for (q_start, q_stop), (k_start, k_stop) in zip(*borders, strict=True):
        q = query[q_start:q_stop].transpose(0, 1)
        k, v = (t[k_start:k_stop].transpose(0, 1).repeat_interleave(repeats, dim=0) for t in (key, value))
        at = torch.arange(q_stop - q_start)[:, None] + (k_stop - k_start) - (q_stop - q_start)
        distance = torch.arange(k_stop - k_start)[None] - at
        visible = ((left < 0) | (distance >= -left)) & ((right < 0) | (distance <= right))
        scores = q @ k.transpose(1, 2) * scale
        if settings.softcap is not None:
            scores = settings.softcap * torch.tanh(scores / settings.softcap)
        outputs.append((scores.masked_fill(~visible, -torch.inf).softmax(-1) @ v).transpose(0, 1))
    return torch.cat(outputs)


class LoopedVarlen(VarlenLayout):
    """The layout under test with a kernel that runs anywhere and in any precision."""

    @classmethod
    def unsupported(cls, calls: Any, device: torch.device) -> str | None:
        """Find nothing to refuse."""
        return None

    @staticmethod
    def kernel(settings: Settings) -> Kernel | str:
        """Leave out what no flash kernel knows."""
        return "flash kernels know no learned sinks" if settings.sinks is not None else looped_kernel
