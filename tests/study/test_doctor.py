"""`doctor` says what it found, and promises nothing that does not work."""

import shutil
from collections import namedtuple

import pytest

from secondwind.model.load import LanguageModel, new_model
from secondwind.study import doctor, environment, examine
from tests.model.conftest import CONFIGS, make_model, make_tokenizer


def findings() -> dict[str, tuple[bool | None, str]]:
    return {check.name: (check.passed, check.finding) for check in environment()}


def test_the_environment_is_described_without_promises() -> None:
    found = findings()
    assert set(found) == {"python", "libraries", "CPU", "memory", "GPU", "precision", "free space"}
    assert found["python"][0] is True
    assert "torch 2" in found["libraries"][1] and "transformers 5" in found["libraries"][1]
    assert not any("pip install" in finding for _, finding in found.values())


def test_a_full_disk_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**29))
    passed, finding = findings()["free space"]
    assert passed is False
    assert finding.startswith("0.5 GiB in ") and "wanted more than 1: choose another folder" in finding


def examined(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> dict[str, bool | None]:
    monkeypatch.setattr(doctor, "load", lambda *_, **__: model.with_attention("causal"))
    return {check.name: check.passed for check in examine("any")}


def sound_model() -> LanguageModel:
    return new_model(CONFIGS["llama"], make_tokenizer(), seed=1, num_sentinels=16)


def test_a_sound_model_passes_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    found = examined(sound_model(), monkeypatch)
    assert found.pop("vocabulary") is None
    assert set(found) >= {"loads", "sentinels", "packing", "causal attention", "prefix attention"}
    assert set(found.values()) == {True}


def test_a_model_that_sees_its_neighbours_in_a_row_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    original = doctor.build_row

    def leaky(*arguments: object, **settings: object) -> object:
        row = original(*arguments, **settings)
        row.segment_ids[row.segment_ids > 0] = 1
        return row

    monkeypatch.setattr(doctor, "build_row", leaky)
    assert examined(sound_model(), monkeypatch)["packing"] is False


def test_a_model_with_few_sentinels_is_not_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    found = examined(make_model(CONFIGS["llama"]), monkeypatch)
    assert found["sentinels"] is None
    assert found["packing"] is True


def test_a_missing_model_is_one_failed_check(tmp_path) -> None:
    (check,) = examine(str(tmp_path / "nothing"))
    assert (check.name, check.passed) == ("loads", False)
    assert "nothing" in check.finding
