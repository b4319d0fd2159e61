"""The formulas against PyTorch's own counter, and the published facts against each other."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM

from secondwind.flops import (
    ModelSize,
    attention_pairs,
    forward_flops,
    known_base,
    pretraining_flops,
    training_flops,
)
from secondwind.model.mask import allowed
from secondwind.model.size import model_size

ROWS, LENGTH = 2, 16
SIZE = ModelSize(body_parameters=100, head_parameters=10, num_layers=3, attention_width=4)


def network_of(config: dict[str, Any]) -> Any:
    made = AutoConfig.for_model(**config, vocab_size=128, max_position_embeddings=32)
    return AutoModelForCausalLM.from_config(made, attn_implementation="eager")


@pytest.mark.parametrize(
    "config",
    [
        {
            "model_type": "llama",
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "intermediate_size": 48,
            "attention_dropout": 0.0,
        },
        {
            "model_type": "gpt_neox",
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
        },
        {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4},
    ],
    ids=lambda config: config["model_type"],
)
def test_the_formulas_count_what_pytorch_counts(config: dict[str, Any]) -> None:
    network = network_of(config)
    tokens = torch.randint(0, 128, (ROWS, LENGTH))
    kept = torch.tensor([3, 4, 5])
    counts = {"tokens": ROWS * LENGTH, "target_tokens": ROWS * 3, "attention_pairs": ROWS * LENGTH**2}
    with FlopCounterMode(display=False) as forward:
        logits = network(input_ids=tokens, use_cache=False, logits_to_keep=kept).logits
    with FlopCounterMode(display=False) as backward:
        logits.sum().backward()
    size = model_size(network)
    assert forward.get_total_flops() == forward_flops(size, **counts)
    assert forward.get_total_flops() + backward.get_total_flops() == training_flops(size, **counts)


def test_pairs_of_the_drawn_row() -> None:
    segment_ids = np.array([1, 1, 1, 1, 2, 2, 0])
    prefix_mask = np.array([True, True, False, False, False, False, False])
    assert attention_pairs(segment_ids, prefix_mask) == 11 + 3


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=3),
        min_size=1,
        max_size=3,
    )
)
def test_pairs_are_counted_by_the_mask_rule(rows: list[list[tuple[int, int]]]) -> None:
    segment_ids = np.zeros((len(rows), 30), dtype=np.int32)
    prefix_mask = np.zeros((len(rows), 30), dtype=np.bool_)
    for row, segments in enumerate(rows):
        start = 0
        for number, (prefix, targets) in enumerate(segments, start=1):
            segment_ids[row, start : start + prefix + targets] = number
            prefix_mask[row, start : start + prefix] = True
            start += prefix + targets
    real = segment_ids > 0
    seen = allowed(segment_ids, prefix_mask) & real[:, :, None] & real[:, None, :]
    assert attention_pairs(segment_ids, prefix_mask) == int(seen.sum())


def test_a_token_costs_six_operations_per_parameter_in_training() -> None:
    assert training_flops(SIZE, tokens=1, target_tokens=0, attention_pairs=0) == 600
    assert training_flops(SIZE, tokens=0, target_tokens=1, attention_pairs=0) == 60
    assert training_flops(SIZE, tokens=0, target_tokens=0, attention_pairs=1) == 3 * 4 * 3 * 4


def test_pretraining_is_causal_in_full_rows_with_loss_everywhere() -> None:
    pairs = 2 * (128 * 129 // 2)  # two rows
    whole = 3 * (2 * 100 * 256 + 2 * 10 * 256 + 4 * 3 * 4 * pairs)
    assert pretraining_flops(SIZE, tokens=256, context=128) == whole


@pytest.mark.parametrize(
    ("name", "revision", "tokens"),
    [
        ("EleutherAI/pythia-160m", "step71000", 71_000 * 2_097_152),
        ("EleutherAI/pythia-160m", "step143000", 143_000 * 2_097_152),
        ("EleutherAI/pythia-160m", None, 143_000 * 2_097_152),
        ("EleutherAI/pythia-160m-deduped", "main", 143_000 * 2_097_152),
        ("models/pythia-160m/", "step1000", 2_097_152_000),
        ("EleutherAI/pythia-12b-deduped", "step1", 2_097_152),
        ("Qwen/Qwen3-0.6B-Base", None, 36e12),
        ("meta-llama/Llama-3.2-1B", None, 9e12),
    ],
)
def test_a_known_base_names_its_pretraining_tokens(name: str, revision: str | None, tokens: float) -> None:
    base = known_base(name, revision)
    assert base is not None
    assert base.pretraining_tokens == tokens


@pytest.mark.parametrize(
    ("name", "revision"),
    [
        ("someone/else", None),
        ("EleutherAI/pythia-14m", None),
        ("EleutherAI/pythia-160m", "abc123"),
        ("EleutherAI/pythia-160m", "step0"),
        ("EleutherAI/pythia-160m", "step143001"),
        ("Qwen/Qwen3-0.6B", "step5"),
    ],
)
def test_what_is_not_published_is_not_guessed(name: str, revision: str | None) -> None:
    assert known_base(name, revision) is None
