"""An export is a plain Hugging Face folder, whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from secondwind.errors import RunError
from secondwind.model.export import export
from secondwind.model.load import LanguageModel, load
from secondwind.model.record import RECORD
from tests.model.conftest import CONFIGS, make_batch, make_model

TOKENS = torch.tensor([[5, 6, 7, 8, 9, 10]])


def causal_logits(network: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return network(input_ids=TOKENS).logits


def own_causal_logits(model: LanguageModel) -> torch.Tensor:
    model.network.set_attn_implementation("sdpa")
    return causal_logits(model.network)


@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_transformers_loads_an_export_with_the_same_logits(family: str, tmp_path: Path) -> None:
    model = make_model(CONFIGS[family])
    export(model, tmp_path / "out", record={"mixture": "u_palm"})
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert again.dtype == torch.float32
    torch.testing.assert_close(causal_logits(again), own_causal_logits(model), rtol=1e-5, atol=1e-5)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.convert_tokens_to_ids("<extra_id_2>") == model.vocabulary.sentinels[2]


def test_an_export_loads_as_the_model_that_it_was(tmp_path: Path) -> None:
    model = make_model(CONFIGS["llama"])
    export(model, tmp_path / "out", record={"mixture": "u_palm"})
    again = load(tmp_path / "out")
    assert again.vocabulary == model.vocabulary
    assert again.record["mixture"] == "u_palm"
    assert again.record["attention"] == "prefix"
    assert again.record["initialisation"] == model.record["initialisation"]
    batch = make_batch([[(4, 4)]], row_length=8)
    for left, right in zip(model.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(left, right)
    assert batch.num_tokens == 8


def test_nothing_of_our_attention_leaks_into_the_stored_configuration(tmp_path: Path) -> None:
    export(make_model(CONFIGS["llama"]), tmp_path / "out", record={})
    for path in (tmp_path / "out").glob("*.json"):
        assert "secondwind_document" not in path.read_text(encoding="utf-8")
    assert "auto_map" not in json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))


def test_half_precision_exports_are_half_as_large(tmp_path: Path) -> None:
    model = make_model(CONFIGS["llama"])
    export(model, tmp_path / "full", record={})
    export(model, tmp_path / "half", record={}, precision="bf16")
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("full", "half")]
    assert 0.45 < sizes[1] / sizes[0] < 0.6
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "half").dtype == torch.bfloat16
    assert load(tmp_path / "half").network.dtype == torch.float32
    assert model.network.dtype == torch.float32


def test_the_record_names_the_hash_of_the_weights(tmp_path: Path) -> None:
    export(make_model(CONFIGS["gpt2"]), tmp_path / "out", record={})
    stored = json.loads((tmp_path / "out" / RECORD).read_text(encoding="utf-8"))
    assert list(stored["fingerprints"]) == ["model.safetensors"]
    assert len(stored["fingerprints"]["model.safetensors"]) == 64


def test_an_earlier_export_is_replaced_whole(tmp_path: Path) -> None:
    model = make_model(CONFIGS["gpt2"])
    export(model, tmp_path / "out", record={"run": 1})
    (tmp_path / "out" / "stray.txt").write_text("old", encoding="utf-8")
    export(model, tmp_path / "out", record={"run": 2})
    assert json.loads((tmp_path / "out" / RECORD).read_text(encoding="utf-8"))["run"] == 2
    assert not (tmp_path / "out" / "stray.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(RunError, match="is no earlier export"):
        export(make_model(CONFIGS["gpt2"]), tmp_path, record={})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), SafetensorError("I/O error: No space left on device")]
)
def test_a_failed_export_leaves_the_earlier_one(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(CONFIGS["gpt2"])
    export(model, tmp_path / "out", record={"run": 1})

    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(model.tokenizer, "save_pretrained", full)
    with pytest.raises(RunError, match="No space left on device"):
        export(model, tmp_path / "out", record={"run": 2})
    assert json.loads((tmp_path / "out" / RECORD).read_text(encoding="utf-8"))["run"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert np.isfinite(causal_logits(AutoModelForCausalLM.from_pretrained(tmp_path / "out")).numpy()).all()
