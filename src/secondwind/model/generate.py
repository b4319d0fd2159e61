"""Generate targets: one pass over the inputs under the model's mask, then token by token with the cache.

    step 0    pad BOS [S]  a            all inputs at once; bidirectional where attention is `prefix`
    step 1    pad BOS [S]  a | b        causal from here on: b sees the inputs and itself
    step 2    pad BOS [S]  a | b  c

Inputs of a batch are padded on the left, so that all rows decode at one column. The keys and values of
inputs never depend on later tokens, so cached decoding equals one teacher-forced pass.

Shape letters: B rows, I inputs, V vocabulary.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from secondwind.errors import ExampleError
from secondwind.example import Tokens
from secondwind.model.attention.dense import dense_masks
from secondwind.model.forward import position_limit, refuse_long, to_network
from secondwind.model.load import LanguageModel
from secondwind.model.single import prompt
from secondwind.randomness import Draws
from secondwind.randomness import key as make_key

END = -1  # what `Choose` returns for a row that goes no further

Choose = Callable[[Tensor, int], list[int]]
"""The next token of each row, or END, from the logits [B, V] and the number of the step."""


def generate(
    model: LanguageModel,
    inputs: Sequence[Tokens],
    *,
    max_new_tokens: int,
    stop: frozenset[int] = frozenset(),
    temperature: float = 0.0,
    key: int = 0,
    batch_size: int = 32,
) -> list[Tokens]:
    """Continue each input until EOS, a stop token, or the limit; BOS is added like in training.

    Args:
        inputs: int32[I] each, without BOS, mode token included where one is wanted.
        max_new_tokens: at least 1; fewer are made where the model's positions end before.
        stop: ids that end an answer, beside EOS, which always does.
        temperature: 0 takes the most likely token; above 0 samples.
        key: of the samples; a sample depends on the key and its place in `inputs`, not on its batch.

    Returns:
        The new tokens of each input, in the order given, without the token that ended it: an answer of
        max_new_tokens tokens was cut.

    Raises:
        ExampleError: an empty input where the model uses no BOS, or max_new_tokens below 1.
        ModelError: an input is longer than the model's positions.
    """
    if max_new_tokens < 1:
        raise ExampleError(f"generate() got max_new_tokens={max_new_tokens}, wanted at least 1.")
    ends = stop | {model.vocabulary.eos}
    prompts = [prompt(tokens, model.vocabulary) for tokens in inputs]
    answers = [_Answer(_budget(model, tokens, max_new_tokens)) for tokens in prompts]
    by_length = sorted(range(len(prompts)), key=lambda number: -len(prompts[number]))
    for first in range(0, len(prompts), batch_size):
        numbers = by_length[first : first + batch_size]

        def choose(logits: Tensor, step: int, numbers: list[int] = numbers) -> list[int]:
            keys = [make_key(key, "generate", number, step) for number in numbers]
            tokens = _pick(logits, keys, temperature)
            # A broken model must come out as one that says nothing, not as one that says token 0.
            finite = torch.isfinite(logits.max(dim=-1).values).tolist()
            return [
                answers[n].take(token, ends) if ok else END
                for n, token, ok in zip(numbers, tokens, finite, strict=True)
            ]

        decode(model, [prompts[number] for number in numbers], choose=choose)
    return [np.array(answer.tokens, dtype=np.int32) for answer in answers]


@torch.no_grad()
def decode(model: LanguageModel, prompts: Sequence[Tokens], *, choose: Choose) -> None:
    """Run one batch: prefill, then one step for each token that `choose` returns, until every row has ended.

    Args:
        prompts: int32[I] each, BOS included.
        choose: sees every logit on the way, so it can also force tokens or record probabilities.

    Raises:
        ModelError: a prompt is longer than the model's positions.
    """
    network: Any = model.network
    lengths = np.array([len(tokens) for tokens in prompts])
    refuse_long(network, int(lengths.max()))
    last_position = (position_limit(network) or np.iinfo(np.int64).max) - 1
    columns = np.arange(lengths.max()) - (lengths.max() - lengths[:, None])  # below 0: padding on the left
    real = columns >= 0
    tokens = np.full(real.shape, model.vocabulary.pad, dtype=np.int32)
    tokens[real] = np.concatenate(prompts)
    positions = np.maximum(columns, 0)
    prefix = real & (model.attention == "prefix")
    cache = DynamicCache()  # without a configuration it keeps all keys; windows are the masks' business
    step = 0
    while True:
        masks = dense_masks(
            network.config,
            to_network(real, network).int(),
            to_network(prefix, network),
            dtype=network.dtype,
            first_query=np.size(real, 1) - np.size(tokens, 1),
        )
        output = network(
            input_ids=to_network(tokens, network),
            position_ids=to_network(positions, network),
            attention_mask=masks,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        chosen = np.array(choose(output.logits[:, -1], step))
        if (chosen == END).all():
            return
        tokens = np.where(chosen == END, model.vocabulary.pad, chosen).astype(np.int32)[:, None]
        # Rows that have ended go along until the last one ends; their positions must stay inside the table.
        positions = np.minimum(lengths + step, last_position)[:, None]
        real = np.pad(real, ((0, 0), (0, 1)), constant_values=True)
        prefix = np.pad(prefix, ((0, 0), (0, 1)), constant_values=False)
        step += 1


@dataclass
class _Answer:
    """The tokens of one answer so far, and how many it may have."""

    budget: int
    tokens: list[int] = field(default_factory=list[int])
    ended: bool = False

    def take(self, token: int, ends: frozenset[int]) -> int:
        """Add a token; return it, or END where nothing follows."""
        if not self.ended and token not in ends:
            self.tokens.append(token)
        self.ended = self.ended or token in ends or len(self.tokens) >= self.budget
        return END if self.ended else token


def _budget(model: LanguageModel, tokens: Tokens, max_new_tokens: int) -> int:
    limit = position_limit(model.network)
    # The last token made is never read again, so it needs no position.
    return max_new_tokens if limit is None else min(max_new_tokens, limit - len(tokens) + 1)


def _pick(logits: Tensor, keys: list[int], temperature: float) -> list[int]:
    if temperature == 0:
        return logits.argmax(-1).tolist()
    probabilities = torch.softmax(logits.double() / temperature, dim=-1).cpu().numpy()
    return [Draws(key).choose(row) for key, row in zip(keys, probabilities, strict=True)]
