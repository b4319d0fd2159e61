"""Tiny random networks of four families, a byte-level tokenizer trained here, and rows by hand."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from secondwind.example import Batch
from secondwind.model.backend import BackendChoice
from secondwind.model.forward import Attention
from secondwind.model.load import LanguageModel, new_model

_TEXT = ["The cat sat on the mat.", "A dog ran to the cat and sat.", "Where does the dog live? On the mat."]
_WIDTHS = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "initializer_range": 0.1,  # large weights, so that a wrong mask cannot hide below a tolerance
}
CONFIGS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", "num_key_value_heads": 2, **_WIDTHS},
    "gpt_neox": {"model_type": "gpt_neox", "rotary_pct": 0.25, **_WIDTHS},
    "qwen3": {
        "model_type": "qwen3",
        "num_key_value_heads": 2,
        "head_dim": 16,
        "tie_word_embeddings": True,
        **_WIDTHS,
    },
    "gpt2": {
        "model_type": "gpt2",
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 4,
        "n_positions": 64,
        "initializer_range": 0.1,
    },
}
WINDOWED: dict[str, dict[str, Any]] = {
    "mistral": {"model_type": "mistral", "num_key_value_heads": 2, "sliding_window": 3, **_WIDTHS},
    "gemma2": {
        "model_type": "gemma2",
        "num_key_value_heads": 2,
        "head_dim": 8,
        "sliding_window": 3,
        "layer_types": ["sliding_attention", "full_attention"],
        "attn_logit_softcapping": 2.0,
        **_WIDTHS,
    },
}


@cache
def _trained_tokenizer() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=280,
        special_tokens=["<|end|>", "<|pad|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXT, trainer=trainer)
    return tokenizer.to_str()


def make_tokenizer() -> Any:
    """Return a tokenizer that may be changed: adopting adds tokens to it."""
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_trained_tokenizer()), eos_token="<|end|>", pad_token="<|pad|>"
    )


def make_model(
    config: dict[str, Any], *, backend: BackendChoice = "auto", attention: Attention = "prefix"
) -> LanguageModel:
    """Return a small network with weights that depend on the configuration alone."""
    return new_model(config, make_tokenizer(), seed=1, attention=attention, backend=backend, num_sentinels=4)


@pytest.fixture(scope="session")
def model_of() -> Callable[[str, BackendChoice], LanguageModel]:
    """Return unchanging models by family and backend."""

    @cache
    def made(family: str, backend: BackendChoice) -> LanguageModel:
        return make_model((CONFIGS | WINDOWED)[family], backend=backend)

    return made


def make_batch(rows: Sequence[Sequence[tuple[int, int]]], *, row_length: int, seed: int = 0) -> Batch:
    """Build rows from (prefix length, number of targets) of each segment; tokens are random."""
    shape = (len(rows), row_length)
    segment_ids, positions = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    prefix_mask, loss_mask = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for row, segments in enumerate(rows):
        start = 0
        for number, (prefix, targets) in enumerate(segments, start=1):
            stop = start + prefix + targets
            segment_ids[row, start:stop] = number
            positions[row, start:stop] = np.arange(stop - start)
            prefix_mask[row, start : start + prefix] = True
            loss_mask[row, max(start, start + prefix - 1) : stop - 1] = True
            start = stop
    tokens = np.random.default_rng(seed).integers(2, 258, shape).astype(np.int32)
    tokens[segment_ids == 0] = 1
    sources = tuple(tuple(f"source {n}" for n, _ in enumerate(segments)) for segments in rows)
    return Batch(tokens, segment_ids, positions, prefix_mask, loss_mask, sources)


@pytest.fixture
def packed() -> Batch:
    """Return two rows: three segments and padding; two segments, one of them without prefix."""
    return make_batch([[(4, 3), (3, 4), (1, 1)], [(0, 6), (7, 4)]], row_length=18)
