"""Read prompts, then one token at a time, with a cache: once under our masks, once under the network's own.

    masked      all prompts together, padded on the left        unpacked    prompts of one length together
      pad pad BOS a | b c                                         BOS a | b c
      BOS [S] d  e  | f g                                         BOS [S] d e | f g

Keys, values and states of a token never depend on later ones, so cached decoding equals one
teacher-forced pass.

Shape letters: B prompts, I tokens of a prompt, G prompts of a group, V vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor
from transformers import DynamicCache

from secondwind.example import Tokens
from secondwind.model.architecture import position_limit
from secondwind.model.attention.dense import dense_masks
from secondwind.model.forward import refuse_long, to_network
from secondwind.model.load import LanguageModel

END = -1  # in place of a token: this row goes no further

_CACHE_TOLERANCE = 1e-3  # of the largest logit: cached and whole passes round otherwise
_CACHES = ("past_key_values", "cache_params", "state")  # transformers' names: attention, Mamba, RWKV

# With a state and one token each, RWKV's prompts read each other's last token (transformers 5.23).
_ONE_BY_ONE = ("rwkv",)


class Decoder(Protocol):
    """A batch of prompts on its way."""

    def read(self) -> Tensor:
        """Read the prompts; return the logits [B, V] of their next tokens."""
        ...

    def step(self, chosen: npt.NDArray[np.int64]) -> Tensor:
        """Read one more token of each row, or END; return the logits [B, V] of the next.

        The logits of rows that have ended mean nothing.
        """
        ...


def decoder_of(model: LanguageModel, prompts: Sequence[Tokens]) -> Decoder:
    """Return what decodes these prompts.

    Args:
        prompts: int32[I] each, BOS included.

    Raises:
        ModelError: a prompt is longer than the model's positions.
    """
    refuse_long(model.network, max(len(tokens) for tokens in prompts))
    return _Unpacked(model, prompts) if model.backend == "unpacked" else _Masked(model, prompts)


class _Masked:
    """All prompts in one batch, padded on the left so that all rows decode at one column."""

    def __init__(self, model: LanguageModel, prompts: Sequence[Tokens]) -> None:
        self._network: Any = model.network
        self._pad = model.vocabulary.pad
        self._lengths = np.array([len(tokens) for tokens in prompts])
        columns = np.arange(self._lengths.max()) - (self._lengths.max() - self._lengths[:, None])
        self._real = columns >= 0
        self._prefix = self._real & (model.attention == "prefix")
        self._tokens = np.full(self._real.shape, self._pad, dtype=np.int32)
        self._tokens[self._real] = np.concatenate(prompts)
        self._positions = np.maximum(columns, 0)
        self._last_position = (position_limit(self._network.config) or np.iinfo(np.int64).max) - 1
        self._cache = DynamicCache()  # without a configuration it keeps all keys; windows are the masks' job
        self._steps = 0

    def read(self) -> Tensor:
        return self._forward(self._tokens, self._positions)

    def step(self, chosen: npt.NDArray[np.int64]) -> Tensor:
        tokens = np.where(chosen == END, self._pad, chosen)[:, None]
        # Rows that have ended go along until the last one ends; their positions must stay inside the table.
        positions = np.minimum(self._lengths + self._steps, self._last_position)[:, None]
        self._real = np.pad(self._real, ((0, 0), (0, 1)), constant_values=True)
        self._prefix = np.pad(self._prefix, ((0, 0), (0, 1)), constant_values=False)
        self._steps += 1
        return self._forward(tokens, positions)

    def _forward(self, tokens: np.ndarray, positions: np.ndarray) -> Tensor:
        masks = dense_masks(
            self._network.config,
            to_network(self._real, self._network).int(),
            to_network(self._prefix, self._network),
            dtype=self._network.dtype,
            first_query=np.size(self._real, 1) - np.size(tokens, 1),
        )
        output = self._network(
            input_ids=to_network(tokens, self._network),
            position_ids=to_network(positions, self._network),
            attention_mask=masks,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1]


@dataclass
class _Group:
    """Prompts of one length.

    Args:
        rows: int64[G], their numbers.
        tokens: int64[G, I], what was read so far.
        cache: the network's own, under the name of its argument; empty where it gives none.
        caches: whether to keep one.
        checked: whether a step with it has been compared with a whole pass.
    """

    rows: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
    cache: dict[str, Any] = field(default_factory=dict[str, Any])
    caches: bool = True
    checked: bool = False


class _Unpacked:
    """Prompts of one length in one batch, without padding: recurrent states would take it for text."""

    def __init__(self, model: LanguageModel, prompts: Sequence[Tokens]) -> None:
        self._network: Any = model.network
        self._pad = model.vocabulary.pad
        self._num_rows = len(prompts)
        lengths = np.array([len(tokens) for tokens in prompts])
        self._takes_positions = "position_ids" in signature(self._network.forward).parameters
        together = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]
        if model.network.config.model_type in _ONE_BY_ONE:
            together = list(np.arange(len(prompts))[:, None])
        self._groups = [
            _Group(rows, np.stack([prompts[int(row)] for row in rows]).astype(np.int64)) for rows in together
        ]

    def read(self) -> Tensor:
        return self._joined({number: self._forward(group) for number, group in enumerate(self._groups)})

    def step(self, chosen: npt.NDArray[np.int64]) -> Tensor:
        found: dict[int, Tensor] = {}
        for number, group in enumerate(self._groups):
            tokens = chosen[group.rows]
            if (tokens != END).any():  # the others have no positions left, perhaps
                new = np.where(tokens == END, self._pad, tokens)[:, None]
                group.tokens = np.concatenate([group.tokens, new], axis=1)
                found[number] = self._forward(group)
        return self._joined(found)

    def _forward(self, group: _Group) -> Tensor:
        if not group.cache:
            return self._read_from(group, 0)
        logits = self._read_from(group, group.tokens.shape[1] - 1)
        if not group.checked:
            # Every network has a cache of its own making, and none of them is believed unseen.
            cached, group.cache = group.cache, {}
            whole = self._read_from(group, 0)
            group.checked = True
            group.caches = bool((logits - whole).abs().max() <= _CACHE_TOLERANCE * whole.abs().max())
            logits, group.cache = (logits, cached) if group.caches else (whole, {})
        return logits

    def _read_from(self, group: _Group, start: int) -> Tensor:
        """Run the network over the tokens from `start` on, before which the cache stands."""
        tokens = group.tokens[:, start:]
        positions = np.tile(np.arange(start, group.tokens.shape[1]), (len(tokens), 1))
        output = self._network(
            input_ids=to_network(tokens, self._network),
            use_cache=group.caches,
            logits_to_keep=1,
            **({"position_ids": to_network(positions, self._network)} if self._takes_positions else {}),
            **group.cache,
        )
        if group.caches:
            group.cache = {name: output[name] for name in _CACHES if output.get(name) is not None}
        return output.logits[:, -1]

    def _joined(self, found: dict[int, Tensor]) -> Tensor:
        some = next(iter(found.values()))
        logits = some.new_zeros(self._num_rows, some.shape[-1])
        for number, part in found.items():
            logits[to_network(self._groups[number].rows, self._network)] = part
        return logits
