"""What `auto` came to is decided once, kept in the run folder, and honoured or refused from then on."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from secondwind.errors import RunError
from secondwind.recipe import load
from secondwind.study import resolved
from secondwind.study.resolved import Resolved, settle
from tests.study.test_limits import Heard

DEMO = load("demo")
# With rows of 256 tokens and batches of 6 rows this version would compute all 6 at once.
KEPT = {"device": "cpu", "threads": 3, "precision": "bf16", "micro_batch_rows": {"ul2r": 2, "flan": 1}}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two CPUs, no accelerator, no bf16, whatever the machine has."""
    monkeypatch.setattr(resolved, "available_cpus", lambda: 2)
    monkeypatch.setattr(resolved, "device", lambda: "cpu")
    monkeypatch.setattr(resolved, "precision", lambda training: "fp32")
    monkeypatch.setattr(resolved, "multiplies_bf16", lambda: False)


def kept(folder: Path, **changed: Any) -> Path:
    (folder / "resolved.json").write_text(json.dumps(KEPT | changed))
    return folder


def test_the_first_start_decides_and_writes_it_down(tmp_path: Path) -> None:
    found = settle(DEMO, tmp_path, Heard(), begun=False)
    assert found == Resolved("cpu", 2, "fp32", {"ul2r": 6, "flan": 6})
    assert json.loads((tmp_path / "resolved.json").read_text()) == asdict(found)
    assert torch.get_num_threads() == 2


def test_a_begun_run_keeps_what_it_began_with_and_says_what_that_costs(tmp_path: Path) -> None:
    heard = Heard()
    found = settle(DEMO, kept(tmp_path), heard, begun=True)
    assert (found.threads, found.precision, found.micro_batch_rows) == (3, "bf16", {"ul2r": 2, "flan": 1})
    assert torch.get_num_threads() == 3
    assert len(heard.lines) == 2
    assert "3 threads on 2 CPUs" in heard.lines[0] and "emulates bf16" in heard.lines[1]


def test_nothing_is_said_where_the_machine_would_choose_the_same(tmp_path: Path) -> None:
    heard = Heard()
    settle(DEMO, kept(tmp_path, threads=1, precision="fp32"), heard, begun=True)
    assert heard.lines == []


def test_nothing_is_left_to_auto_for_training() -> None:
    settled = Resolved("cpu", 3, "fp32", {"ul2r": 2, "flan": 1}).training(DEMO, "flan")
    assert (settled.threads, settled.precision, settled.micro_batch_rows) == (3, "fp32", 1)
    assert settled.clip == DEMO.training.clip


def test_a_folder_in_which_nothing_was_computed_is_decided_anew(tmp_path: Path) -> None:
    assert settle(DEMO, kept(tmp_path), Heard(), begun=False).threads == 2
    assert json.loads((tmp_path / "resolved.json").read_text())["threads"] == 2


def test_a_section_that_the_recipe_gained_is_decided_when_it_comes(tmp_path: Path) -> None:
    found = settle(DEMO, kept(tmp_path, micro_batch_rows={"ul2r": 2}), Heard(), begun=True)
    assert found.micro_batch_rows == {"ul2r": 2, "flan": 6}
    again = settle(DEMO, tmp_path, Heard(), begun=True)
    assert again == found


@pytest.mark.parametrize(
    ("began", "advice"), [("cuda", "Go on where one is"), ("cpu", "CUDA_VISIBLE_DEVICES=")]
)
def test_another_kind_of_device_is_refused(
    began: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = "cpu" if began == "cuda" else "cuda"
    monkeypatch.setattr(resolved, "device", lambda: here)
    with pytest.raises(RunError, match=f"begun on '{began}'.*on '{here}'.*{advice}"):
        settle(DEMO, kept(tmp_path, device=began), Heard(), begun=True)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "resolved.json").write_text('{"threads": 2}')
    with pytest.raises(RunError, match=r"resolved.json is damaged.*missing"):
        settle(DEMO, tmp_path, Heard(), begun=True)
