"""Loading: what is adopted, how fresh rows start, and one clear error for each broken folder."""

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from secondwind.errors import ModelError
from secondwind.model.embeddings import NOISE
from secondwind.model.export import export
from secondwind.model.load import load, new_model, source_note
from secondwind.model.record import RECORD
from secondwind.vocabulary import Vocabulary
from tests.model.conftest import CONFIGS, make_model, make_tokenizer


@pytest.fixture(scope="module")
def plain_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Save tied and untied models as others publish them: without our tokens, without our record."""
    folders = {}
    for family in ("llama", "qwen3", "gpt2"):
        folder = tmp_path_factory.mktemp(family)
        network = make_model(CONFIGS[family]).network
        network.resize_token_embeddings(280)
        network.save_pretrained(folder)
        make_tokenizer().save_pretrained(folder)
        folders[family] = folder
    return folders


@pytest.fixture
def folder(plain_folders: dict[str, Path], tmp_path: Path) -> Path:
    """Return a copy of the llama folder that a test may break."""
    return shutil.copytree(plain_folders["llama"], tmp_path / "model")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def load_network(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder)


def tables(network: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return network.get_input_embeddings().weight.detach(), network.get_output_embeddings().weight.detach()


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2"])
def test_loading_adopts_the_tokenizer_and_grows_the_table(
    family: str, plain_folders: dict[str, Path]
) -> None:
    model = load(plain_folders[family], num_sentinels=5)
    assert model.vocabulary.num_sentinels == 5
    assert model.vocabulary.size == 384
    assert [len(table) for table in tables(model.network)] == [384, 384]
    assert model.network.config.vocab_size == 384
    assert model.network.dtype == torch.float32
    assert not model.network.training
    assert (model.attention, model.backend) == ("prefix", "document")


@pytest.mark.parametrize(("family", "tied"), [("llama", False), ("qwen3", True), ("gpt2", True)])
def test_fresh_rows_start_near_the_mean_and_trained_rows_stay(
    family: str, tied: bool, plain_folders: dict[str, Path]
) -> None:
    model = load(plain_folders[family], num_sentinels=40)
    inputs, outputs = tables(model.network)
    assert (inputs.data_ptr() == outputs.data_ptr()) == tied
    assert model.record["initialisation"]["tied"] == tied
    stored = load_file(plain_folders[family] / "model.safetensors")
    before = next(table for name, table in stored.items() if "embed" in name or "wte" in name)
    torch.testing.assert_close(inputs[:280], before, rtol=0, atol=0)
    fresh = sorted(model.vocabulary.fresh)
    assert fresh[0] == 280
    assert len(fresh) == 43
    for table in (inputs, outputs):
        trained = table[:280]
        away = (table[fresh] - trained.mean(0)) / trained.std(0)
        assert 0.8 * NOISE < float(away.std()) < 1.2 * NOISE
        assert float(away.abs().max()) < 6 * NOISE
        assert len(torch.unique(table[fresh], dim=0)) == 43


def test_fresh_rows_depend_on_the_seed_alone(plain_folders: dict[str, Path]) -> None:
    first, again, other = (
        tables(load(plain_folders["llama"], num_sentinels=4, seed=s).network)[0] for s in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(first[:280], other[:280])


def test_a_stored_vocabulary_is_used_as_it_is(folder: Path) -> None:
    model = load(folder, num_sentinels=3)
    model.network.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    (folder / RECORD).write_text(
        json.dumps({"vocabulary": model.vocabulary.to_json(), "attention": "prefix"}), encoding="utf-8"
    )
    for num_sentinels in (None, 2):
        again = load(folder, num_sentinels=num_sentinels)
        assert again.vocabulary == model.vocabulary
        assert again.record["attention"] == "prefix"
        assert torch.equal(tables(again.network)[0], tables(model.network)[0])


def test_a_stored_vocabulary_with_too_few_sentinels_adopts_more_and_keeps_what_was_trained(
    folder: Path,
) -> None:
    reserved = make_tokenizer()
    reserved.add_tokens([f"<|reserved_special_token_{n}|>" for n in range(12)], special_tokens=True)
    reserved.save_pretrained(folder)
    network = load_network(folder)
    network.resize_token_embeddings(292)
    network.save_pretrained(folder)
    model = load(folder, num_sentinels=3)
    export(model, folder.parent / "adopted", record={})
    more = load(folder.parent / "adopted", num_sentinels=9)
    assert more.vocabulary.sentinels[:3] == model.vocabulary.sentinels
    assert more.vocabulary.num_sentinels == 9
    before, after = tables(model.network)[0], tables(more.network)[0]
    assert torch.equal(after[:286], before[:286])
    assert not torch.equal(after[286:292], before[286:292])


def test_a_stored_vocabulary_of_another_model_is_refused(folder: Path) -> None:
    foreign = Vocabulary.adopt(make_tokenizer(), num_sentinels=3).to_json()
    (folder / RECORD).write_text(json.dumps({"vocabulary": foreign}), encoding="utf-8")
    with pytest.raises(ModelError, match="does not belong to the model beside it"):
        load(folder)


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def with_pickle_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def without_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def with_cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def with_a_lost_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def with_broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{", encoding="utf-8")


def with_unknown_type(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "lama"}', encoding="utf-8")


def with_a_larger_tokenizer(folder: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.add_tokens([f"word{number}" for number in range(9)])
    tokenizer.save_pretrained(folder)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (without_weights, r"no weights: wanted \*\.safetensors, got none"),
        (with_pickle_only, "got only pytorch_model.bin, which may run code"),
        (without_tokenizer, "has no tokenizer"),
        (without_config, "has no config.json"),
        (with_cut_weights, "cannot load the model"),
        (with_a_lost_tensor, "1 tensors are missing .* first model.layers.1.mlp.up_proj.weight"),
        (with_broken_config, "cannot load"),
        (with_unknown_type, "cannot load"),
        (with_a_larger_tokenizer, "ids up to 288, but the model's embedding table has 280 rows"),
    ],
)
@pytest.mark.usefixtures("no_network")
def test_a_broken_folder_gives_one_clear_error(
    broken: Callable[[Path], None], message: str, folder: Path
) -> None:
    broken(folder)
    with pytest.raises(ModelError, match=message):
        load(folder)


@pytest.mark.parametrize(
    "name", ["/no/such/model", "./model", "../model", "a/b/c", "~/model", "no model", "runs/model"]
)
@pytest.mark.usefixtures("no_network")
def test_a_missing_folder_is_never_looked_up_on_the_network(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="there is no model folder"):
        load(name)


def test_a_file_is_no_model_folder(folder: Path) -> None:
    with pytest.raises(ModelError, match="is a file, wanted a model folder"):
        load(folder / "config.json")


@pytest.mark.parametrize("name", ["gpt2", "EleutherAI/pythia-160m"])
def test_a_hub_name_is_left_to_transformers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def from_pretrained(name: str, *, revision: str | None, **_: Any) -> None:
        asked.append((name, revision))
        raise OSError("not reachable")

    monkeypatch.setattr("secondwind.model.load.AutoTokenizer.from_pretrained", from_pretrained)
    with pytest.raises(ModelError, match=f"cannot load the tokenizer of '{name}': OSError: not reachable"):
        load(name, revision="step1000")
    assert asked == [(name, "step1000")]


def test_a_cached_hub_model_loads_when_the_hub_is_out_of_reach_if_it_is_known_to_have_no_record(
    plain_folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(tmp_path))
    cached = tmp_path / "models--someone--llama"
    shutil.copytree(plain_folders["llama"], cached / "snapshots" / "0123456789")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("0123456789", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be asked whether 'someone/llama' has a secondwind.json"):
        load("someone/llama", num_sentinels=3)
    (cached / ".no_exist" / "0123456789").mkdir(parents=True)
    (cached / ".no_exist" / "0123456789" / RECORD).touch()
    model = load("someone/llama", num_sentinels=3)
    assert model.name == "someone/llama"
    assert model.vocabulary.num_sentinels == 3


def test_an_unknown_attention_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="no attention 'both'; wanted one of prefix, causal"):
        load(folder, attention="both")  # type: ignore[arg-type]


def test_other_programs_are_told_where_a_text_ends(folder: Path) -> None:
    model = load(folder)
    settings = model.network.generation_config
    assert settings is not None
    assert model.vocabulary.eos in settings.eos_token_id
    assert settings.pad_token_id == model.vocabulary.pad


def test_a_new_model_depends_on_its_seed_alone() -> None:
    weights = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed + len(weights))
        model = new_model(CONFIGS["llama"], make_tokenizer(), seed=seed, num_sentinels=4)
        weights.append(tables(model.network)[0])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_new_model_leaves_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    new_model(CONFIGS["llama"], make_tokenizer(), seed=1, num_sentinels=4)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    "config", [{}, {"model_type": "lama"}, {"model_type": "llama", "hidden_size": "wide"}]
)
def test_a_configuration_that_is_not_understood_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="cannot make a network from the configuration"):
        new_model(config, make_tokenizer(), seed=1)


def test_a_name_that_could_be_a_folder_or_a_hub_model_says_which_it_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert source_note("some/model") == "no folder 'some/model' here; trying the hub"
    (tmp_path / "some" / "model").mkdir(parents=True)
    assert source_note("some/model") == "'some/model' is a folder here; it is used, and the hub is not asked"
    assert source_note("./some/model") == source_note(str(tmp_path)) == source_note("runs/a/models/b") == ""
