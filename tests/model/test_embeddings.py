"""Fresh embedding rows start at the mean of what the model has learned, and of nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from secondwind.model.embeddings import NOISE, grow_table, start_fresh_rows, table_rows
from secondwind.model.export import export
from secondwind.model.load import load
from secondwind.model.record import RECORD
from secondwind.vocabulary import Vocabulary, encode
from tests.model.conftest import CONFIGS
from tests.vocabulary.makers import TOKENIZERS

WIDTHS = {key: value for key, value in CONFIGS["llama"].items() if key != "model_type"}
FAMILIES: dict[str, tuple[dict[str, Any], bool]] = {
    "llama": (CONFIGS["llama"], False),
    "llama tied": ({**CONFIGS["llama"], "tie_word_embeddings": True}, True),
    "gpt2": (CONFIGS["gpt2"], True),
    "gpt_neox": (CONFIGS["gpt_neox"], False),
    "gemma": ({**WIDTHS, "model_type": "gemma", "head_dim": 8}, True),
    "phi": ({**WIDTHS, "model_type": "phi"}, False),  # its output layer has a bias
}
ROWS, GROWN = 100, 128
FRESH, TRAINED = {7, 8, *range(110, 116)}, {*range(90)} - {7, 8}
OUTLIER = 50.0


def make_network(config: dict[str, Any], rows: int = ROWS) -> Any:
    settings = {key: value for key, value in config.items() if key != "model_type"}
    torch.manual_seed(1)
    made = AutoConfig.for_model(config["model_type"], vocab_size=rows, **settings)
    network = AutoModelForCausalLM.from_config(made, dtype=torch.float32)
    with torch.no_grad():
        for table in tables(network):
            table.normal_(0.3, 0.1)
        if network.get_output_embeddings().bias is not None:
            network.get_output_embeddings().bias.normal_(2.0, 0.1)
    return network


def tables(network: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return network.get_input_embeddings().weight.detach(), network.get_output_embeddings().weight.detach()


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> tuple[dict[str, Any], bool]:
    return FAMILIES[request.param]


def test_fresh_rows_start_at_the_mean_of_the_trained_rows_alone(family: tuple[dict[str, Any], bool]) -> None:
    config, tied = family
    network = make_network(config)
    untrained = sorted({*range(ROWS)} - TRAINED)
    for table in tables(network):
        table[untrained] = OUTLIER
    grow_table(network, GROWN)
    before = [table.clone() for table in tables(network)]
    record = start_fresh_rows(network, fresh=FRESH, trained=TRAINED, seed=3)
    assert (record["tied"], record["num_rows"], record["num_trained"]) == (tied, 8, 88)
    fresh, trained = sorted(FRESH), sorted(TRAINED)
    others = sorted({*range(GROWN)} - FRESH)
    for table, old in zip(tables(network), before, strict=True):
        assert table.shape[0] == GROWN
        away = (table[fresh] - old[trained].mean(0)) / old[trained].std(0)
        assert 0.5 * NOISE < float(away.std()) < 1.5 * NOISE
        assert float(away.abs().max()) < 6 * NOISE
        assert len(torch.unique(table[fresh], dim=0)) == 8
        assert torch.equal(table[others], old[others])
    assert (tables(network)[0].data_ptr() == tables(network)[1].data_ptr()) == tied


def test_input_and_output_noise_differ_where_the_tables_are_apart() -> None:
    network = make_network(CONFIGS["llama"])
    inputs, outputs = tables(network)
    outputs.copy_(inputs)
    start_fresh_rows(network, fresh=FRESH & {7, 8}, trained=TRAINED, seed=3)
    assert not torch.equal(inputs[[7, 8]], outputs[[7, 8]])


def test_an_output_bias_starts_at_its_mean_too() -> None:
    network = make_network(FAMILIES["phi"][0])
    bias = network.get_output_embeddings().bias.detach()
    bias[sorted({*range(ROWS)} - TRAINED)] = -OUTLIER
    grow_table(network, GROWN)
    start_fresh_rows(network, fresh=FRESH, trained=TRAINED, seed=3)
    bias = network.get_output_embeddings().bias.detach()
    wanted = bias[sorted(TRAINED)].mean().expand(len(FRESH))
    torch.testing.assert_close(bias[sorted(FRESH)], wanted)
    assert len(bias) == GROWN


def test_a_fresh_token_is_predicted_as_often_as_an_average_one(family: tuple[dict[str, Any], bool]) -> None:
    config, _ = family
    network = make_network(config).eval()
    grow_table(network, GROWN)
    start_fresh_rows(network, fresh={*range(ROWS, GROWN)}, trained={*range(ROWS)}, seed=3)
    with torch.no_grad():
        logits = network(input_ids=torch.arange(20)[None]).logits[0]
    assert logits.shape[-1] == GROWN
    known, fresh = logits[:, :ROWS], logits[:, ROWS:]
    away = (fresh.mean(1) - known.mean(1)).abs() / known.std(1)
    assert float(away.max()) < NOISE
    assert float((fresh.std(1) / known.std(1)).max()) < 2 * NOISE


@pytest.fixture
def padded(tmp_path: Path) -> Path:
    """Save a model whose reserved tokens and rows beyond the tokenizer were never trained."""
    tokenizer = TOKENIZERS["Llama-3-like"]()
    num_ids = len(tokenizer)
    network = make_network(CONFIGS["llama"], rows=num_ids + 50)
    reserved = [token for name, token in tokenizer.get_vocab().items() if "reserved" in name]
    for table in tables(network):
        table[[*reserved, *range(num_ids, num_ids + 50)]] = OUTLIER
    network.save_pretrained(tmp_path / "padded")
    tokenizer.save_pretrained(tmp_path / "padded")
    return tmp_path / "padded"


def test_reserved_and_padding_rows_do_not_enter_the_mean(padded: Path) -> None:
    before = table_rows(AutoModelForCausalLM.from_pretrained(padded))
    model = load(padded, num_sentinels=40)
    assert model.vocabulary.size == before  # 29 reserved tokens, then rows beyond the tokenizer
    fresh = sorted(model.vocabulary.fresh)
    assert len(fresh) == 44
    for table in tables(model.network):
        assert float(table[fresh].mean()) == pytest.approx(0.3, abs=0.02)
        assert torch.all(table[model.vocabulary.size - model.vocabulary.room :] == OUTLIER)
    few = load(padded, num_sentinels=2)
    assert len(few.vocabulary.spare) == 24
    for table in tables(few.network):
        assert float(table[sorted(few.vocabulary.fresh)].mean()) == pytest.approx(0.3, abs=0.02)
        assert torch.all(table[sorted(few.vocabulary.spare)] == OUTLIER)


@pytest.mark.parametrize("name", ["Llama-3-like", "Llama-2-like", "T5-like", "Gemma-like", "bare"])
def test_an_export_is_a_plain_folder_with_the_same_ids(name: str, tmp_path: Path) -> None:
    tokenizer = TOKENIZERS[name]()
    make_network(CONFIGS["llama"], rows=len(tokenizer) + 5).save_pretrained(tmp_path / "plain")
    tokenizer.save_pretrained(tmp_path / "plain")
    model = load(tmp_path / "plain", num_sentinels=40)
    export(model, tmp_path / "out", record={})
    pieces = ["The cat", " sat <extra_id_0> here </s>"]
    plain = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert encode(pieces, plain) == encode(pieces, tokenizer)
    assert {plain.convert_ids_to_tokens(token) for token in model.vocabulary.reserved} == {
        *model.vocabulary.names.values()
    }
    assert table_rows(AutoModelForCausalLM.from_pretrained(tmp_path / "out")) == model.vocabulary.size
    again = load(tmp_path / "out")
    assert again.vocabulary == model.vocabulary
    for left, right in zip(tables(again.network), tables(model.network), strict=True):
        assert torch.equal(left, right)


def test_a_reused_export_adopts_more_sentinels_and_keeps_every_earlier_row(padded: Path) -> None:
    first = load(padded, num_sentinels=10)
    export(first, padded.parent / "out", record={})
    more = load(padded.parent / "out", num_sentinels=120)
    assert more.vocabulary.sentinels[:10] == first.vocabulary.sentinels
    assert more.vocabulary.modes == first.vocabulary.modes
    assert more.vocabulary.size > first.vocabulary.size
    kept = sorted({*range(first.vocabulary.size)} - ({*more.vocabulary.names} - {*first.vocabulary.names}))
    new = sorted({*more.vocabulary.names} - {*first.vocabulary.names})
    for left, right in zip(tables(first.network), tables(more.network), strict=True):
        assert torch.equal(left[kept], right[kept])
        assert float(right[new].mean()) == pytest.approx(0.3, abs=0.02)


def test_a_mode_that_an_earlier_record_gives_to_a_reserved_token_keeps_it(padded: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(padded)
    rows = table_rows(AutoModelForCausalLM.from_pretrained(padded))
    stored = Vocabulary.adopt(tokenizer, num_sentinels=3, modes=("S",), embedding_rows=rows)
    tokenizer.save_pretrained(padded)
    (padded / RECORD).write_text(json.dumps({"vocabulary": stored.to_json()}), encoding="utf-8")
    more = load(padded, num_sentinels=6).vocabulary
    assert (more.modes["S"], more.sentinels[:3]) == (stored.modes["S"], stored.sentinels)
    assert len({*more.modes.values(), *more.sentinels}) == 9
