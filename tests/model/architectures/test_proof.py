"""The proof finds networks that do not do what their configuration or their mask says."""

from collections.abc import Callable
from typing import Any

import pytest
from scripts.tiny_models import tiny_network
from transformers import AutoConfig, AutoModelForCausalLM

from secondwind.errors import ModelError
from secondwind.model.proof import causal_only, own_attention, prove_mask
from tests.model.architectures.catalogue import TINY
from tests.model.conftest import CONFIGS, make_model


def with_forward(network: Any, change: Callable[[dict[str, Any]], None]) -> Any:
    """Let a network see other arguments than it is given."""
    forward = network.forward

    def changed(**settings: Any) -> Any:
        change(settings)
        return forward(**settings)

    network.forward = changed
    return network


@pytest.mark.parametrize("attention", ["causal", "prefix"])
def test_positions_that_go_on_through_a_row_are_found(attention: Any) -> None:
    network = with_forward(
        tiny_network("gpt2", vocab_size=128), lambda settings: settings.pop("position_ids", None)
    )
    with pytest.raises(ModelError, match="other logits than alone under causal attention"):
        prove_mask(network, attention)


def test_a_mask_that_is_left_out_is_found() -> None:
    network = with_forward(
        tiny_network("llama", vocab_size=128), lambda settings: settings.pop("attention_mask", None)
    )
    with pytest.raises(ModelError, match="does not honour an explicit mask for prefix attention"):
        prove_mask(network, "prefix")


def test_a_network_that_sees_the_future_by_itself_does_not_run_unpacked() -> None:
    network: Any = tiny_network("llama", vocab_size=128)
    network.config.is_causal = False
    with pytest.raises(ModelError, match="does not honour causal attention: .* moved the prediction"):
        prove_mask(network, "causal", backend="unpacked")


def test_a_window_that_the_configuration_does_not_name_is_found() -> None:
    """A network with windows of 2, said to have none: its own logits are other ones than ours."""
    network: Any = tiny_network("mistral", vocab_size=128)
    network.config.sliding_window = 2
    said = network.config.to_dict() | {"sliding_window": None}
    network.config.get_text_config = lambda **_: type(network.config)(**said)
    with pytest.raises(ModelError, match="other logits than alone under causal attention"):
        prove_mask(network, "causal")


def test_the_network_keeps_its_mode_and_its_backend() -> None:
    model = make_model(CONFIGS["llama"], backend="document")
    model.network.train()
    settled = model.network.config._attn_implementation
    prove_mask(model.network, "causal")
    assert model.network.training
    with own_attention(model.network):
        assert model.network.config._attn_implementation == "eager"
    assert model.network.config._attn_implementation == settled


@pytest.mark.parametrize(("name", "says"), [("llama", None), ("rwkv", "rwkv"), ("gpt_neo", "did not move")])
def test_what_only_looks_back_is_found_by_experiment(name: str, says: str | None) -> None:
    assert name in TINY
    found = causal_only(tiny_network(name, vocab_size=128))
    assert found is None if says is None else says in (found or "")


def test_a_network_that_counts_positions_from_elsewhere_is_refused_a_prefix() -> None:
    config = AutoConfig.for_model(
        "roberta",
        is_decoder=True,
        vocab_size=128,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
    )
    network: Any = AutoModelForCausalLM.from_config(config).eval()
    with pytest.raises(ModelError, match="other logits than alone under causal attention"):
        prove_mask(network, "prefix")
    prove_mask(network, "causal", backend="unpacked")
