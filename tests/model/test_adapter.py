"""An adapter starts without effect, trains little, and merges into what it computed."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from secondwind.errors import ModelError
from secondwind.flops import Frozen
from secondwind.model import adapter as adapters
from secondwind.model.adapter import Adapted, Adapter, adapt
from secondwind.model.export import export
from secondwind.model.load import LanguageModel, load
from secondwind.model.loss import target_logits
from secondwind.model.size import frozen_size
from secondwind.randomness import key
from tests.model.conftest import CONFIGS, WINDOWED, make_batch, make_model

FAMILIES = CONFIGS | WINDOWED
BATCH = make_batch([[(4, 3), (3, 4), (1, 1)], [(0, 6), (7, 4)]], row_length=18)
SMALL = Adapter(rank=4, alpha=8.0)


def trained(config: dict[str, Any], adapter: Adapter = SMALL) -> Adapted:
    """Adapt a model and move everything that trains, as training would."""
    adapted = adapt(make_model(config), adapter, seed=1)
    torch.manual_seed(key(1, "test"))
    with torch.no_grad():
        for parameter in adapted.model.network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return adapted


def logits(model: LanguageModel) -> torch.Tensor:
    return target_logits(model, BATCH).detach()


def is_tied(model: LanguageModel) -> bool:
    return model.network.get_input_embeddings().weight is model.network.get_output_embeddings().weight


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_fresh_adapter_changes_no_logit(family: str) -> None:
    model = make_model(FAMILIES[family])
    before = logits(model)
    assert torch.equal(logits(adapt(model, SMALL, seed=1).model), before)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_export_has_the_logits_of_the_adapted_model(family: str, tmp_path: Path) -> None:
    base = make_model(FAMILIES[family])
    adapted = trained(FAMILIES[family])
    wanted = logits(adapted.model)
    assert (wanted - logits(base)).abs().max() > 0.1, "an adapter without effect would prove nothing"
    export(adapted.merged(), tmp_path / "out", record={})
    again = load(tmp_path / "out")
    torch.testing.assert_close(logits(again), wanted, rtol=0, atol=1e-5)
    assert is_tied(again) == is_tied(base)
    names = set(AutoModelForCausalLM.from_pretrained(tmp_path / "out").state_dict())
    assert names == set(base.network.state_dict())


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_of_the_tables_only_the_adopted_rows_train(family: str) -> None:
    base = make_model(FAMILIES[family])
    merged = trained(FAMILIES[family]).merged()
    adopted = {*base.vocabulary.sentinels, *base.vocabulary.modes.values()}
    for getter in ("get_input_embeddings", "get_output_embeddings"):
        before, after = (getattr(model.network, getter)().weight for model in (base, merged))
        moved = set((before != after).any(dim=1).nonzero().flatten().tolist())
        assert moved == adopted, getter


def test_everything_that_trains_gets_a_gradient_and_the_rest_none() -> None:
    model = trained(CONFIGS["llama"]).model
    target_logits(model, BATCH).sum().backward()
    found = {name: parameter.grad is not None for name, parameter in model.network.named_parameters()}
    assert found == {name: p.requires_grad for name, p in model.network.named_parameters()}
    assert any(found.values()) and not all(found.values())


def test_the_fresh_matrices_depend_on_the_seed_alone() -> None:
    def drawn(seed: int) -> torch.Tensor:
        network = adapt(make_model(CONFIGS["llama"]), SMALL, seed=seed).model.network
        return torch.cat([p.flatten() for p in network.parameters() if p.requires_grad])

    torch.manual_seed(5)
    first, state = drawn(1), torch.get_rng_state()
    torch.manual_seed(6)
    assert torch.equal(drawn(1), first)
    assert not torch.equal(drawn(2), first)
    torch.manual_seed(5)
    assert torch.equal(torch.get_rng_state(), state), "the global random state was moved"


def test_a_merged_network_trains_whole_again_and_can_be_adapted_again() -> None:
    merged = trained(CONFIGS["qwen3"]).merged()
    assert all(parameter.requires_grad for parameter in merged.network.parameters())
    assert frozen_size(merged.network) == Frozen()
    before = logits(merged)
    assert torch.equal(logits(adapt(merged, SMALL, seed=2).model), before)


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_sizes_count_the_adapter_and_tell_what_is_frozen(family: str) -> None:
    model = make_model(CONFIGS[family])
    before = model.size()
    adapted = adapt(model, SMALL, seed=1).model
    frozen, matrices = frozen_size(adapted.network), adapted.network.named_parameters()
    added = sum(parameter.numel() for name, parameter in matrices if ".lora_" in name)
    assert frozen == Frozen(before.body_parameters, before.head_parameters)
    assert adapted.size().body_parameters == before.body_parameters + added
    assert adapted.size().head_parameters == before.head_parameters


def test_only_the_named_modules_are_adapted() -> None:
    adapted = adapt(make_model(CONFIGS["llama"]), Adapter(target_modules=r".*\.q_proj"), seed=1)
    names = {name for name, p in adapted.model.network.named_parameters() if p.requires_grad}
    updated = {name.split(".lora_")[0] for name in names if ".lora_" in name}
    assert updated == {f"model.layers.{layer}.self_attn.q_proj" for layer in (0, 1)}


def test_names_that_match_nothing_are_refused() -> None:
    with pytest.raises(ModelError, match="cannot take the adapter .*'no_such_layer'.*Use all-linear"):
        adapt(make_model(CONFIGS["llama"]), Adapter(target_modules="no_such_layer"), seed=1)


def test_an_output_layer_with_a_bias_is_refused() -> None:
    model = make_model(CONFIGS["llama"])
    head = model.network.get_output_embeddings()
    head.bias = torch.nn.Parameter(torch.zeros(head.out_features))
    with pytest.raises(ModelError, match="has a bias in its output layer"):
        adapt(model, SMALL, seed=1)


def test_without_peft_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"pip install 'secondwind\[lora\]'"):
        adapt(make_model(CONFIGS["llama"]), SMALL, seed=1)


def test_an_export_records_the_adapter(tmp_path: Path) -> None:
    export(trained(CONFIGS["gpt2"]).merged(), tmp_path / "out", record={})
    record = json.loads((tmp_path / "out" / "secondwind.json").read_text(encoding="utf-8"))
    assert record["adapter"] == {
        "type": "lora", "rank": 4, "alpha": 8.0, "dropout": 0.0, "target_modules": "all-linear",
    }  # fmt: skip
