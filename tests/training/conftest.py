"""A tiny Llama, and rows made of random tokens: everything that training needs, in milliseconds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from secondwind.example import Row
from secondwind.model.adapter import Adapter, adapt
from secondwind.model.backend import settle_backend
from secondwind.model.load import LanguageModel
from secondwind.randomness import Draws, key
from secondwind.training.settings import TrainSettings
from secondwind.vocabulary import Vocabulary

VOCABULARY_SIZE = 32
ROW_LENGTH = 20
LORA = Adapter(rank=2, alpha=4.0, dropout=0.1)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Leave the other cores to others."""
    torch.set_num_threads(1)


class TinyRows:
    """Rows of two segments, an `R` with a prefix and a `C` without, and some padding; lengths are random."""

    def __init__(self, seed: int = 0) -> None:
        """Give each seed other rows."""
        self.seed = seed

    def row(self, number: int) -> Row:
        """Build one row."""
        draws = Draws(key(self.seed, "tiny row", number))
        prefix, targets, causal = 2 + draws.below(5), 1 + draws.below(6), 2 + draws.below(5)
        first = prefix + targets
        row = Row(
            tokens=np.zeros(ROW_LENGTH, np.int32),
            segment_ids=np.zeros(ROW_LENGTH, np.int32),
            positions=np.zeros(ROW_LENGTH, np.int32),
            prefix_mask=np.zeros(ROW_LENGTH, bool),
            loss_mask=np.zeros(ROW_LENGTH, bool),
            sources=("R", "C"),
        )
        for start, stop, segment in ((0, first, 1), (first, first + causal, 2)):
            # A counting rhyme: learnable within a few steps.
            row.tokens[start:stop] = (
                draws.below(VOCABULARY_SIZE) + np.arange(stop - start)
            ) % VOCABULARY_SIZE
            row.segment_ids[start:stop] = segment
            row.positions[start:stop] = np.arange(stop - start)
        row.prefix_mask[:prefix] = True
        row.loss_mask[prefix - 1 : first - 1] = True
        row.loss_mask[first : first + causal - 1] = True
        return row

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        """Build several rows."""
        return [self.row(number) for number in numbers]

    def row_tokens(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Count the non-padding tokens of each of some rows."""
        return np.array([self.row(number).num_tokens for number in range(start, stop)])

    def identity(self) -> dict[str, Any]:
        """Return what determines the rows."""
        return {"tiny": self.seed}


def make_network(*, seed: int = 0, tied: bool = False, dropout: float = 0.0) -> LlamaForCausalLM:
    """Build a one-layer Llama of about 3,000 parameters, the same one for the same seed."""
    config = LlamaConfig(
        vocab_size=VOCABULARY_SIZE,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=ROW_LENGTH,
        tie_word_embeddings=tied,
        attention_dropout=dropout,
    )
    torch.manual_seed(seed)
    return LlamaForCausalLM(config).eval()


def make_model(*, seed: int = 0, dropout: float = 0.0, adapter: Adapter | None = None) -> LanguageModel:
    """Wrap the tiny Llama for training under the prefix mask, with an adapter if one is given."""
    network = make_network(seed=seed, dropout=dropout, tied=adapter is not None)
    backend = settle_backend(network, "auto", attention="prefix").backend
    vocabulary = Vocabulary(size=VOCABULARY_SIZE, eos=30, pad=31, bos=None, sentinels=(28, 29), modes={})
    model = LanguageModel(network, None, vocabulary, "prefix", backend, "tiny")
    return model if adapter is None else adapt(model, adapter, seed=0).model


def make_settings(**changes: Any) -> TrainSettings:
    """Return settings for a run of eight steps, with some changes."""
    defaults: dict[str, Any] = {
        "steps": 8,
        "batch_rows": 6,
        "learning_rate": 1e-2,
        "warmup": 0.25,
        "micro_batch_rows": 4,
        "checkpoint_every": 3,
        "weight_decay": 0.1,
    }
    return TrainSettings(**(defaults | changes))
