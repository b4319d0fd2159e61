"""From a recipe to what training is given."""

from dataclasses import replace
from pathlib import Path

import pytest

from secondwind import toyworld
from secondwind.errors import ModelError
from secondwind.model.export import export
from secondwind.model.load import load
from secondwind.recipe import load as load_recipe
from secondwind.runs import JsonLines
from secondwind.study.monitor import Silent
from secondwind.study.settings import (
    adapter_of,
    cluster_statistics,
    load_for_training,
    train_settings,
    watch,
)
from secondwind.training.records import StepReport
from tests.model.conftest import CONFIGS, make_model
from tests.study.test_limits import Heard

MPT = {"model_type": "mpt", "d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 64}


@pytest.fixture
def alibi(tmp_path: Path) -> Path:
    """Return the folder of a model that can only be causal."""
    export(make_model(MPT, attention="causal"), tmp_path / "mpt", record={})
    return tmp_path / "mpt"


def test_a_model_that_can_only_be_causal_trains_causally_and_says_why(alibi: Path, tmp_path: Path) -> None:
    heard = Heard()
    model = load_for_training(alibi, "prefix", heard)
    assert model.attention == "causal"
    assert len(heard.lines) == 1 and "training causally" in heard.lines[0] and "ALiBi" in heard.lines[0]
    export(model, tmp_path / "trained", record={})
    again = load(tmp_path / "trained", attention="causal")
    assert again.trained_attention == "causal"
    assert "ALiBi" in again.record["attention_refused"]


def test_nothing_is_said_where_the_mask_is_followed(tmp_path: Path, alibi: Path) -> None:
    heard = Heard()
    export(make_model(CONFIGS["llama"]), tmp_path / "llama", record={})
    assert load_for_training(tmp_path / "llama", "prefix", heard).attention == "prefix"
    assert load_for_training(alibi, "causal", heard).attention == "causal"
    assert heard.lines == []


def test_a_model_that_cannot_be_loaded_is_refused_as_ever(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model folder"):
        load_for_training(tmp_path / "nothing", "prefix", Heard())


def test_every_setting_of_the_training_section_reaches_the_loop() -> None:
    overrides = ["average_last=3", "activation_checkpointing=true", "compile=true", "clip=2", "z_loss=1e-4"]
    recipe = load_recipe("demo", overrides=[f"training.{line}" for line in overrides])
    training = recipe.training.model_copy(update={"micro_batch_rows": 2, "precision": "fp32"})
    assert recipe.ul2r is not None
    settings = train_settings(recipe.ul2r, training, steps=7, seed=5)
    assert (settings.average_last, settings.activation_checkpointing, settings.compile) == (3, True, True)
    assert (settings.clip, settings.z_loss, settings.steps, settings.seed) == (2.0, 1e-4, 7, 5)


def test_the_adapter_of_a_recipe_has_its_numbers() -> None:
    assert adapter_of(load_recipe("demo")) is None
    adapter = adapter_of(load_recipe("demo", overrides=["model.adapter={rank: 4, alpha: 8, dropout: 5%}"]))
    assert adapter is not None
    assert (adapter.rank, adapter.alpha, adapter.dropout) == (4, 8.0, 0.05)
    assert adapter.target_modules == "all-linear"


def test_losses_are_told_by_cluster(tmp_path: Path) -> None:
    first = toyworld.tuning_tasks()[0]
    second = replace(first, name="second of its cluster")
    log = JsonLines(tmp_path / "metrics.jsonl")
    log.append({"sources": {first.name: [4.0, 2], second.name: [3.0, 1], "corpus": [9.0, 3]}})
    log.append({"sources": {first.name: [1.0, 2]}})
    found = cluster_statistics(tmp_path, [first, second])
    assert set(found) == {first.cluster, "corpus"}
    assert found[first.cluster] == {
        "target_tokens": 5, "target_share": 5 / 8, "first_loss": 7 / 3, "last_loss": 0.5,
    }  # fmt: skip
    assert found["corpus"]["last_loss"] is None


def test_progress_says_the_place_of_the_stage_and_calls_what_comes_after() -> None:
    told: list[tuple[object, ...]] = []
    finished: list[int] = []

    class Listening(Silent):
        def progress(self, stage: str, done: int, total: int, detail: str = "") -> None:
            told.append((stage, done, total, detail))

    tell = watch(Listening(), place="stage 2 of 5", after=finished.append)
    tell(StepReport("ul2r-1", 3, 8, loss=1.25, learning_rate=0.1, tokens=12_400, seconds=1.0))
    assert told == [("ul2r-1", 3, 8, "stage 2 of 5  12k tokens  loss 1.250")]
    assert finished == [3]
