"""The shipped toy base is what its manifest says, and its recipe still trains the same curve."""

import json
from pathlib import Path

import pytest

from secondwind import recipe as recipes
from secondwind import study, toyworld
from secondwind.errors import ModelError
from secondwind.model.load import load
from secondwind.runs import file_sha256
from secondwind.training.loop import train


def test_the_manifest_names_every_weight_file_by_its_hash() -> None:
    base = toyworld.base_path()
    manifest = toyworld.base_manifest()
    found = {str(path.relative_to(base)): file_sha256(path) for path in base.rglob("*.safetensors")}
    assert found == manifest["files"]
    assert len(manifest["checkpoints"]) == 7
    assert manifest["world"] == toyworld.VERSION


def test_base_and_checkpoints_load_as_plain_folders_within_20_mb() -> None:
    base = toyworld.base_path()
    assert sum(path.stat().st_size for path in base.rglob("*") if path.is_file()) <= 20_000_000
    for revision in (None, *toyworld.base_manifest()["checkpoints"]):
        assert not (toyworld.base_path(revision) / "secondwind.json").exists()
    model = load(base, num_sentinels=12)
    assert model.backend == "document"
    assert model.vocabulary.num_sentinels == 12


def test_an_unknown_checkpoint_names_the_shipped_ones() -> None:
    with pytest.raises(ModelError, match=r"no toy base at revision 'step-1'; shipped: None, step-\d+"):
        toyworld.base_path("step-1")


class _EnoughError(Exception):
    """The first stretch is trained."""


def test_the_recipe_trains_the_first_stretch_of_the_shipped_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = toyworld.base_manifest()["first_losses"]
    assert len(expected) == 10

    def train_a_little(*arguments: object, **settings: object) -> object:
        def stop(report: object) -> None:
            if report.step == len(expected):  # type: ignore[attr-defined]
                raise _EnoughError

        return train(*arguments, **{**settings, "progress": stop})  # type: ignore[arg-type]

    monkeypatch.setattr("secondwind.study.pretrain.train", train_a_little)
    with pytest.raises(_EnoughError):
        study.run(recipes.load("toy-base"), tmp_path)
    lines = (tmp_path / "pretrained" / "stage" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == pytest.approx(expected, abs=1e-3)
