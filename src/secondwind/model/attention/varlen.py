"""The `varlen` backend: two calls of a kernel for documents of varying length, no mask at all.

Each query is in one of two calls, so nothing has to be merged. In the second, the kernel aligns the last
query with the last key, and a document's targets are its last tokens: each sees its prefix and the targets
up to itself.

    documents    a: p p p t t     b: t t t          p prefix, t target
    prefixes     queries  a p p p        keys  a p p p             both ways
    targets      queries  a t t, b t t t keys  a p p p t t, b t t t    causal, aligned at the end

Shape letters: T tokens of the batch, P of them prefix, Q queries, K keys, N pieces, H heads, D head width.

Source: FlashAttention-2, arXiv:2307.08691; version 2.1 aligns the causal mask at the end.
"""

import importlib
import inspect
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from secondwind.errors import ModelError
from secondwind.example import Batch
from secondwind.model.attention.flat import FlatBatch, Indices
from secondwind.model.attention.flex import FlexLayout
from secondwind.model.attention.function import Call, Layout, Settings, expand_heads, score_scale

_HALF = (torch.bfloat16, torch.float16)
_WIDTH_STEP = 8  # flash kernels read heads in pieces of 16 bytes
_MOST_WIDTH = 256  # of heads in flash kernels


class Pieces(NamedTuple):
    """Parts of documents: piece n has the queries bounds[n] .. bounds[n + 1] - 1, and its own keys.

    Args:
        query_bounds, key_bounds: int32[N + 1].
        longest_query, longest_key: tokens of the longest piece.
    """

    query_bounds: Tensor
    key_bounds: Tensor
    longest_query: int
    longest_key: int


class Kernel(Protocol):
    """Attention of queries [Q, H, D] over the keys [K, H, D] of their pieces, aligned at the end.

    `window` says how far a query sees to the left and to the right; -1 means any distance.
    """

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        pieces: Pieces,
        *,
        window: tuple[int, int],
        scale: float,
        settings: Settings,
    ) -> Tensor:
        """Return [Q, H, D]."""
        ...


class VarlenLayout(Layout):
    """The prefixes and the targets of a batch as two sets of pieces.

    Args:
        flat: the batch; its prefixes lead their documents.
    """

    check_documents = FlexLayout.check_documents

    def __init__(self, flat: FlatBatch, device: torch.device | str) -> None:
        super().__init__(flat.tokens)
        prefixes = flat.prefix_lengths()
        targets = flat.lengths - prefixes
        learned = np.repeat(targets > 0, flat.lengths)  # documents with targets: keys of the second call

        def placed(indices: Indices) -> Tensor:
            return torch.from_numpy(indices).to(device)

        self._num_prefix = int(prefixes.sum())
        order = np.concatenate([np.flatnonzero(flat.prefix), np.flatnonzero(~flat.prefix)])
        self._order, self._homes = placed(order), placed(np.argsort(order))
        self._keys = None if learned.all() else placed(np.flatnonzero(learned))
        self._prefixes = _pieces(prefixes, prefixes, device)
        self._targets = _pieces(targets, flat.lengths, device)

    @classmethod
    def of(cls, batch: Batch, *, attention: str = "prefix", device: torch.device | str = "cpu") -> Self:
        """Lay out a batch; see `Layout.of`."""
        return cls(FlatBatch.of(batch, attention=attention), device)

    @classmethod
    def unsupported(cls, calls: Sequence[Call], device: torch.device) -> str | None:
        """Name what flash kernels lack; see `Layout.unsupported`."""
        if device.type != "cuda":
            return f"flash kernels need a CUDA device, not '{device.type}'"
        if single := {call.dtype for call in calls} - {*_HALF}:
            return f"flash kernels compute in bfloat16 or float16, the model in {_name(single.pop())}"
        if max((max(call.width, call.value_width) for call in calls), default=0) > _MOST_WIDTH:
            return f"flash kernels take heads of at most {_MOST_WIDTH} numbers"
        found = (cls.kernel(call.settings) for call in calls)
        return next((kernel for kernel in found if isinstance(kernel, str)), None)

    @staticmethod
    def kernel(settings: Settings) -> Kernel | str:
        """Return a kernel that knows these settings, or why there is none."""
        if settings.sinks is not None:
            return "flash kernels know no learned sinks"
        if settings.softcap is None and not settings.dropout and _torch_has_windows():
            return torch_kernel
        if _has_flash_attention():
            return flash_kernel
        asked = "soft-capped scores" if settings.softcap else "dropout" if settings.dropout else "windows"
        return f"torch's flash kernel knows no {asked} here, and flash-attn is not installed"

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        """Attend in two calls; see `Layout.attend`."""
        kernel = self.kernel(settings)
        if isinstance(kernel, str):
            raise ModelError(
                f"backend 'varlen' cannot be used: {kernel}. Load the model with backend='auto'."
            )
        scale, width = score_scale(query, settings), value.shape[-1]
        common = -(-max(query.shape[-1], width) // _WIDTH_STEP) * _WIDTH_STEP
        # Zeros change no score and no sum; kernels want queries, keys and values of one width.
        heads = [functional.pad(t[0].transpose(0, 1), (0, common - t.shape[-1])) for t in (query, key, value)]
        queries = _Moved.apply(heads[0], self._order, self._homes)
        reach = -1 if settings.window is None else settings.window - 1
        parts: list[Tensor] = []
        if self._prefixes is not None:
            among = self._order[: self._num_prefix]
            k, v = (t.index_select(0, among) for t in heads[1:])
            parts.append(
                kernel(
                    queries[: self._num_prefix],
                    k,
                    v,
                    self._prefixes,
                    window=(reach, reach),
                    scale=scale,
                    settings=settings,
                )
            )
        if self._targets is not None:
            k, v = (t if self._keys is None else t.index_select(0, self._keys) for t in heads[1:])
            parts.append(
                kernel(
                    queries[self._num_prefix :],
                    k.contiguous(),
                    v.contiguous(),
                    self._targets,
                    window=(reach, 0),
                    scale=scale,
                    settings=settings,
                )
            )
        joined = torch.cat(parts) if len(parts) > 1 else parts[0]
        return _Moved.apply(joined, self._homes, self._order)[None, :, :, :width]


def _pieces(query_lengths: Indices, key_lengths: Indices, device: torch.device | str) -> Pieces | None:
    """Join the pieces that have queries; None where there is none."""
    asking = query_lengths > 0
    if not asking.any():
        return None
    queries, keys = query_lengths[asking], key_lengths[asking]
    bounds = [
        torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)).to(device)
        for lengths in (queries, keys)
    ]
    return Pieces(bounds[0], bounds[1], int(queries.max()), int(keys.max()))


def torch_kernel(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    pieces: Pieces,
    *,
    window: tuple[int, int],
    scale: float,
    settings: Settings,
) -> Tensor:
    """Attend with PyTorch's own flash kernel; see `Kernel`."""
    del settings  # it knows none of them, and `VarlenLayout.kernel` has seen to that
    grouped = query.shape[1] != key.shape[1]
    native = grouped and "enable_gqa" in _torch_options()
    if grouped and not native:
        key, value = (t[0].transpose(0, 1) for t in expand_heads(*(_headed(t) for t in (query, key, value))))
    return _torch_varlen().varlen_attn(
        query,
        key,
        value,
        pieces.query_bounds,
        pieces.key_bounds,
        pieces.longest_query,
        pieces.longest_key,
        scale=scale,
        window_size=window,
        **({"enable_gqa": True} if native else {}),
    )


def flash_kernel(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    pieces: Pieces,
    *,
    window: tuple[int, int],
    scale: float,
    settings: Settings,
) -> Tensor:
    """Attend with the package flash-attn, which knows soft-capping and dropout; see `Kernel`."""
    return importlib.import_module("flash_attn").flash_attn_varlen_func(
        query,
        key,
        value,
        pieces.query_bounds,
        pieces.key_bounds,
        pieces.longest_query,
        pieces.longest_key,
        dropout_p=settings.dropout,
        softmax_scale=scale,
        causal=window[1] == 0,
        window_size=window,
        softcap=settings.softcap or 0.0,
    )


class _Moved(torch.autograd.Function):
    """[T, H, D] in another order. Backward gathers too, by the inverse, where a scatter would be slow."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        ctx.inverse = inverse
        return values.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0].index_select(0, ctx.inverse), None, None


def _headed(heads: Tensor) -> Tensor:
    return heads.transpose(0, 1)[None]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


@cache
def _has_flash_attention() -> bool:
    return find_spec("flash_attn") is not None


def _torch_varlen() -> Any:
    return importlib.import_module("torch.nn.attention.varlen")


@cache
def _torch_options() -> frozenset[str]:
    """Return the arguments that torch's kernel takes; they differ between its versions."""
    return frozenset(inspect.signature(_torch_varlen().varlen_attn).parameters)


@cache
def _torch_has_windows() -> bool:
    return "window_size" in _torch_options()
