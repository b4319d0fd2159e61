"""The `flex` backend: FlexAttention with block lists that follow from the documents' borders.

Under the rule every query sees one run of keys, first .. stop - 1, and both ends grow along the batch. So
the keys that a block of queries needs are one run as well, and so are the blocks of keys that all of it
sees. No pair of positions is ever evaluated to find them.

    documents   a a a a a b b b       prefix of a: 3 tokens, of b: none       blocks of two
    first       0 0 0 0 0 5 5 5            keys  aa aa ab bb
    stop        3 3 3 4 5 6 7 8       queries aa  F  P  .  .      F full: no mask is evaluated
                                              aa  F  P  .  .      P partial: first <= k < stop
                                              ab  P  P  P  .      . skipped
                                              bb  .  .  P  P

Lengths are rounded up, so that the kernel is compiled for few of them and never for another packing.

Shape letters: T tokens of the batch, S slots with padding, N blocks, H heads, D head width.

Source: FlexAttention, arXiv:2412.05496; BlockMask of torch.nn.attention.flex_attention.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.flex_attention import AuxRequest, BlockMask, flex_attention

from secondwind.errors import ModelError
from secondwind.example import Batch
from secondwind.model.attention.flat import FlatBatch, Indices
from secondwind.model.attention.function import Call, Layout, Settings, score_scale

BLOCK = 128  # positions; what the kernels' own tiles divide
_LEAST_SLOTS = 512  # so that the self-check and small batches share one compiled kernel
_LEAST_WIDTH = 16  # of heads: the smallest product of matrices that a GPU's units make
_MOST_KERNELS = 64  # lengths x precisions x with and without gradients


class Runs(NamedTuple):
    """The keys that each query sees: `first` .. `stop - 1`, int64[S] each, neither ever falling."""

    first: Indices
    stop: Indices


class BlockLists(NamedTuple):
    """For each block of queries the blocks of keys: how many, int32[N], and which, int32[N, N]."""

    num_partial: np.ndarray
    partial: np.ndarray
    num_full: np.ndarray
    full: np.ndarray


class FlexLayout(Layout):
    """A flat batch, its tail of padding, and its block masks by window."""

    check_documents = ((0, 1), (3, 1), (120, 9), (0, 70), (60, 140), (1, 1))  # across two block borders

    def __init__(self, flat: FlatBatch, device: torch.device | str) -> None:
        super().__init__(flat.tokens)
        self.num_slots = padded_length(len(flat.tokens))
        self._flat, self._device = flat, device
        self._prefixes = flat.prefix_lengths()
        self._masks: dict[int | None, BlockMask] = {}

    @classmethod
    def of(cls, batch: Batch, *, attention: str = "prefix", device: torch.device | str = "cpu") -> Self:
        """Lay out a batch; see `Layout.of`."""
        return cls(FlatBatch.of(batch, attention=attention), device)

    @classmethod
    def unsupported(cls, calls: Sequence[Call], device: torch.device) -> str | None:
        """Name what FlexAttention lacks; see `Layout.unsupported`."""
        if device.type != "cuda":
            return f"FlexAttention cannot train on '{device.type}', it needs a CUDA device"
        if any(call.settings.dropout for call in calls):
            return "FlexAttention knows no dropout"
        return None

    def mask(self, window: int | None) -> BlockMask:
        """Return the rule as a block mask; made once for each window, kept for the other layers."""
        if window not in self._masks:
            runs = visible_runs(self._flat, self._prefixes, window=window, num_slots=self.num_slots)
            self._masks[window] = _block_mask(runs, self._device)
        return self._masks[window]

    def attend(self, query: Tensor, key: Tensor, value: Tensor, settings: Settings) -> Tensor:
        """Attend in [1, H, S, D]; see `Layout.attend`."""
        if settings.dropout:
            raise ModelError(
                f"FlexAttention knows no dropout; got {settings.dropout}, wanted 0. Set the dropout of the "
                "model's attention to 0, or load it with backend='document'."
            )
        length, width = query.shape[2], value.shape[-1]
        scaled = settings._replace(scaling=score_scale(query, settings))
        query, key, padded = (self._padded(heads) for heads in (query, key, value))
        attended = _attend(query, key, padded, self.mask(settings.window), scaled)
        return attended[:, :, :length, :width].transpose(1, 2).to(value.dtype)

    def _padded(self, heads: Tensor) -> Tensor:
        """Fill up with zeros to [1, H, S, at least 16]; contiguous, so that all calls share one kernel."""
        missing = max(0, _LEAST_WIDTH - heads.shape[-1])
        return functional.pad(heads, (0, missing, 0, self.num_slots - heads.shape[2])).contiguous()


def padded_length(num_tokens: int) -> int:
    """Round a number of tokens up, by an eighth at most beyond the smallest: eight lengths per doubling."""
    step = max(BLOCK, 2 ** (num_tokens.bit_length() - 4))
    return max(_LEAST_SLOTS, -(-num_tokens // step) * step)


def visible_runs(flat: FlatBatch, prefix_lengths: Indices, *, window: int | None, num_slots: int) -> Runs:
    """Return the keys that each query sees under the rule; each slot of padding sees itself alone."""
    queries = np.arange(num_slots)
    first, stop = queries.copy(), queries + 1
    real = len(flat.tokens)
    first[:real] = np.repeat(flat.starts, flat.lengths)
    stop[:real] = np.maximum(stop[:real], np.repeat(flat.starts + prefix_lengths, flat.lengths))
    if window is None:
        return Runs(first, stop)
    return Runs(np.maximum(first, queries - window + 1), np.minimum(stop, queries + window))


def block_lists(runs: Runs) -> BlockLists:
    """List the blocks of keys that hold a visible pair, and apart from them those that are all visible.

    Both ends of the runs never fall and every query sees itself, so that the first and the last query of a
    block decide.
    """
    first, stop = runs.first.reshape(-1, BLOCK), runs.stop.reshape(-1, BLOCK)
    begin, end = first[:, 0] // BLOCK, -(-stop[:, -1] // BLOCK)
    full_begin, full_end = -(-first[:, -1] // BLOCK), stop[:, 0] // BLOCK
    num_full = np.maximum(full_end - full_begin, 0)
    places = np.arange(len(begin))
    before = np.where(num_full > 0, full_begin - begin, len(begin))[:, None]  # partial blocks before full
    partial = begin[:, None] + places + np.where(places < before, 0, num_full[:, None])
    full = full_begin[:, None] + places
    # Behind the counted ones an entry means nothing, but must name a block.
    return BlockLists(
        num_partial=(end - begin - num_full).astype(np.int32),
        partial=(partial % len(begin)).astype(np.int32),
        num_full=num_full.astype(np.int32),
        full=(full % len(begin)).astype(np.int32),
    )


def _block_mask(runs: Runs, device: torch.device | str) -> BlockMask:
    first, stop = (torch.from_numpy(ends.astype(np.int32)).to(device) for ends in runs)

    def visible(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        del row, head
        return (first[query] <= key) & (key < stop[query])

    lists = [torch.from_numpy(part)[None, None].to(device) for part in block_lists(runs)]
    return BlockMask.from_kv_blocks(*lists, BLOCK_SIZE=BLOCK, mask_mod=visible)


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask, settings: Settings) -> Tensor:
    sinks = settings.sinks
    # More kernels than torch's own bound allows are compiled; past it, it would compute S x S scores.
    with torch._dynamo.config.patch(recompile_limit=_MOST_KERNELS):
        found: Any = _kernel(query.device.type)(
            query,
            key,
            value,
            score_mod=None if settings.softcap is None else _capped_at(settings.softcap),
            block_mask=mask,
            scale=settings.scaling,
            enable_gqa=query.shape[1] != key.shape[1],
            return_aux=None if sinks is None else AuxRequest(lse=True),
        )
    if sinks is None:
        return found
    attended, sums = found
    # A sink is one more key without a value: it takes its share of every query's weights.
    share = torch.sigmoid(sums.lse - sinks.float().reshape(1, -1, 1))
    return attended * share[..., None]


def _capped_at(bound: float) -> Callable[..., Tensor]:
    def capped(score: Tensor, row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        del row, head, query, key
        return torch.tanh(score / bound) * bound

    return capped


@cache
def _kernel(device_type: str) -> Callable[..., Any]:
    """Return the compiled kernel; on the CPU, which only tests of the forward pass use, the plain form."""
    if device_type == "cpu":
        return flex_attention
    return torch.compile(flex_attention, dynamic=False, fullgraph=True)
