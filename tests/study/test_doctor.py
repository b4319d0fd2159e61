"""`doctor` passes sound models, and finds every fault that is planted in one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from scripts.tiny_models import write

from secondwind.cli import main
from secondwind.example import Batch
from secondwind.model import decoding
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.export import export
from secondwind.model.load import LanguageModel, load, new_model
from secondwind.study import Examined, doctor, examine, support
from tests.model.conftest import CONFIGS, WINDOWED, make_model, make_tokenizer

Patch = pytest.MonkeyPatch


def examined(model: LanguageModel, monkeypatch: Patch) -> Examined:
    """Examine a model that lies in no folder; what is exported is loaded as ever."""

    def loaded(name: object, **settings: Any) -> LanguageModel:
        return model.with_attention("causal") if name == "any" else load(cast(Path, name), **settings)

    monkeypatch.setattr(doctor, "load", loaded)
    return examine("any")


def passed(model: LanguageModel, monkeypatch: Patch) -> dict[str, bool | None]:
    return {check.name: check.passed for check in examined(model, monkeypatch).checks}


def failures(model: LanguageModel, monkeypatch: Patch) -> set[str]:
    return {name for name, one in passed(model, monkeypatch).items() if one is False}


def sound_model(family: str = "llama") -> LanguageModel:
    config = (CONFIGS | WINDOWED)[family]
    return new_model(config, make_tokenizer(), seed=1, num_sentinels=16)


def test_a_sound_model_passes_every_check(monkeypatch: Patch) -> None:
    found = passed(sound_model(), monkeypatch)
    assert found.pop("vocabulary") is None
    each = ("attention", "packing", "generation")
    masks = {f"{a} attention" if what == "attention" else f"{what}, {a}" for what in each for a in MASKS}
    assert set(found) == {"loads", "sentinels", "own loss", "export"} | masks
    assert set(found.values()) == {True}


MASKS = ("causal", "prefix")


def test_a_model_that_sees_its_neighbours_in_a_row_fails(monkeypatch: Patch) -> None:
    original = doctor.build_row

    def leaky(*arguments: object, **settings: object) -> object:
        row = original(*arguments, **settings)  # type: ignore[arg-type]
        row.segment_ids[row.segment_ids > 0] = 1
        return row

    monkeypatch.setattr(doctor, "build_row", leaky)
    assert failures(sound_model(), monkeypatch) >= {"packing, causal", "packing, prefix"}


def layout_with(monkeypatch: Patch, attention: Callable[[str], str], batch: Callable[[Batch], Batch]) -> None:
    original = DocumentLayout.of.__func__  # type: ignore[attr-defined]

    def wrong(cls: Any, given: Batch, *, attention: str = "prefix", device: Any = "cpu") -> DocumentLayout:
        return original(cls, batch(given), attention=seen(attention), device=device)

    seen = attention
    monkeypatch.setattr(DocumentLayout, "of", classmethod(wrong))


def test_a_prefix_mask_that_is_silently_causal_fails(monkeypatch: Patch) -> None:
    model = sound_model()
    layout_with(monkeypatch, lambda _: "causal", lambda batch: batch)
    found = examined(model, monkeypatch)
    wrong = {check.name: check.finding for check in found.checks if check.passed is False}
    assert set(wrong) == {"prefix attention", "generation, prefix"}
    assert "does not move the prediction" in wrong["prefix attention"]
    assert support(found).masks == support(found).prefix == "FAIL"


def test_a_causal_mask_that_sees_the_prefix_fails(monkeypatch: Patch) -> None:
    model = sound_model()
    layout_with(monkeypatch, lambda _: "prefix", lambda batch: batch)
    # What is loaded again proves its backend, and runs dense.
    assert failures(model, monkeypatch) == {"causal attention", "generation, causal", "export"}


def test_examples_that_see_each_other_fail(monkeypatch: Patch) -> None:
    def merged(batch: Batch) -> Batch:
        return Batch(
            batch.tokens,
            (batch.segment_ids > 0).astype(np.int32),
            batch.positions,
            batch.prefix_mask,
            batch.loss_mask,
        )

    model = sound_model()
    layout_with(monkeypatch, lambda attention: attention, merged)
    wrong = failures(model, monkeypatch) - {"export"}  # what is loaded again runs dense
    assert wrong == {f"{mask} attention" for mask in MASKS} | {f"packing, {mask}" for mask in MASKS}


def test_a_window_that_is_left_out_fails(monkeypatch: Patch) -> None:
    model = sound_model("mistral")
    original = DocumentLayout.attend

    def wide(self: DocumentLayout, query: Any, key: Any, value: Any, settings: Any) -> Any:
        return original(self, query, key, value, settings._replace(window=None))

    monkeypatch.setattr(DocumentLayout, "attend", wide)
    assert failures(model, monkeypatch) >= {"own loss", "causal attention", "generation, causal"}


def test_a_decoder_that_counts_positions_wrong_fails(monkeypatch: Patch) -> None:
    original = decoding._Masked._forward

    def shifted(self: Any, tokens: np.ndarray, positions: np.ndarray) -> torch.Tensor:
        return original(self, tokens, positions + (tokens.shape[1] == 1))

    monkeypatch.setattr(decoding._Masked, "_forward", shifted)
    assert failures(sound_model(), monkeypatch) == {"generation, causal", "generation, prefix"}


def test_an_export_that_loses_a_weight_fails(monkeypatch: Patch) -> None:
    def careless(model: LanguageModel, folder: Path, **settings: Any) -> None:
        with torch.no_grad():
            next(iter(model.network.parameters()))[5:20] = 0
        export(model, folder, **settings)

    monkeypatch.setattr(doctor, "export", careless)
    assert failures(sound_model(), monkeypatch) == {"export"}


def test_no_export_is_tried_where_the_disk_is_too_small(monkeypatch: Patch) -> None:
    monkeypatch.setattr(doctor, "_free_bytes", lambda _: 1000)
    found = examined(sound_model(), monkeypatch)
    assert found.checks[-1].passed is None
    assert "not checked: it needs 0.0 GiB" in found.checks[-1].finding
    assert support(found).export == "-"


def test_a_model_with_few_sentinels_is_not_at_fault(monkeypatch: Patch) -> None:
    found = passed(make_model(CONFIGS["llama"]), monkeypatch)
    assert found["sentinels"] is None
    assert found["packing, causal"] is True


def test_a_missing_model_is_one_failed_check(tmp_path: Path) -> None:
    found = examine(str(tmp_path / "nothing"))
    (check,) = found.checks
    assert (check.name, check.passed) == ("loads", False)
    assert "nothing" in check.finding
    assert support(found)[1:-1] == ("-",) * 7


def test_several_models_are_one_line_each_and_a_missing_one_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Patch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    write("gpt_neo", tmp_path / "neo")
    names = [str(tmp_path / "neo"), str(tmp_path / "nothing")]
    assert main(["doctor", *names]) == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == "model backend masks packed prefix own loss generation export note".split()
    assert lines[2][:8] == ["neo", "dense", "ok", "ok", "no", "ok", "ok", "ok"]
    assert lines[2][8:12] == "does not honour an".split()
    assert any(line[:1] == ["FAIL"] for line in lines)
    assert main(["doctor", *names[:1], "--table", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["model"], told["prefix"], told["export"]) == ("neo", "no", "ok")
    assert {check["name"] for check in told["checks"]} >= {"loads", "own loss", "causal attention"}
