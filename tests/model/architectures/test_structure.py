"""What configurations say: positions, windows, experts; and what the records keep of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from scripts.tiny_models import tiny_network
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig

from secondwind.errors import ModelError
from secondwind.flops import forward_flops
from secondwind.model.architecture import attention_layers, causal_reason, position_limit
from secondwind.model.export import export
from secondwind.model.load import LanguageModel, load
from secondwind.model.record import RECORD
from secondwind.model.size import model_size
from tests.model.architectures.catalogue import TINY

ROWS, LENGTH, KEPT = 2, 16, 3


def config_of(name: str) -> Any:
    settings = dict(TINY[name])
    return AutoConfig.for_model(settings.pop("model_type"), **settings)


@pytest.mark.parametrize(
    ("name", "limit"),
    [("llama", 128), ("gpt2", 128), ("mpt", 128), ("gemma3-multimodal", 131072), ("bloom", None)],
)
def test_the_position_limit_is_found_under_every_name(name: str, limit: int | None) -> None:
    config = config_of(name)
    if name == "gemma3-multimodal":
        config.text_config.max_position_embeddings = limit
    assert position_limit(config) == limit


def test_windows_are_those_of_the_text_decoder_in_order() -> None:
    assert attention_layers(config_of("gemma3-multimodal")) == [
        ("sliding_attention", 5),
        ("full_attention", None),
    ]
    assert attention_layers(config_of("mistral")) == [("sliding_attention", 5)] * 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("llama", None),
        ("gemma3", None),
        ("falcon", None),
        ("falcon-alibi", "ALiBi"),
        ("mpt", "ALiBi"),
        ("bloom", "ALiBi"),
        ("jamba", "layers of type linear_attention"),
        ("llama4", "layers of type chunked_attention"),
    ],
)
def test_what_can_only_look_back_is_told_by_its_configuration(name: str, reason: str | None) -> None:
    found = causal_reason(config_of(name))
    assert found == reason if reason is None else reason in (found or "")


@pytest.mark.parametrize(
    "name",
    ["gptj", "gpt_bigcode", "bloom", "mixtral", "qwen3_moe", "deepseek_v3", "gpt_oss", "gemma3-multimodal"],
)
def test_sizes_count_what_pytorch_counts(name: str) -> None:
    """Experts by the share that a token meets, values of another width, no vision tower."""
    network: Any = tiny_network(name, vocab_size=128)
    network.set_attn_implementation("eager")
    network.set_experts_implementation("eager")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(
            input_ids=torch.randint(0, 128, (ROWS, LENGTH)),
            use_cache=False,
            logits_to_keep=torch.arange(KEPT),
        )
    expected = forward_flops(
        model_size(network),
        tokens=ROWS * LENGTH,
        target_tokens=ROWS * KEPT,
        attention_pairs=ROWS * LENGTH**2,
    )
    assert counter.get_total_flops() == expected


def test_only_layers_that_attend_cost_attention() -> None:
    sizes = {name: model_size(tiny_network(name, vocab_size=128)) for name in ("mamba", "jamba", "llama")}
    assert {name: size.num_layers for name, size in sizes.items()} == {"mamba": 0, "jamba": 1, "llama": 2}


@pytest.mark.parametrize(
    ("name", "attention"), [("mamba", "causal"), ("llama", "causal"), ("llama", "prefix")]
)
def test_the_record_says_why_a_model_only_looks_back(
    name: str, attention: Any, folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    export(load(folder_of(name), attention=attention, num_sentinels=4), tmp_path / "out", record={})
    told = json.loads((tmp_path / "out" / RECORD).read_text())
    assert told["attention"] == attention
    why = told["causal_only"]
    assert why is None if name == "llama" else "layers of type linear_attention, which only look back" in why


def test_loading_for_a_prefix_says_what_a_recipe_can_say(folder_of: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match=r"'bloom' adds ALiBi's bias .* ul2r\.attention: causal and flan\."):
        load(folder_of("bloom"), attention="prefix")


def test_a_model_with_its_own_mask_says_so(loaded: Callable[[str], LanguageModel]) -> None:
    with pytest.raises(ModelError, match="does not honour an explicit mask for prefix attention"):
        loaded("gpt_neo").with_attention("prefix")
