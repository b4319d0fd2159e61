"""A whole study runs, resumes to the same bytes, and writes what outside readers rely on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from secondwind import study
from secondwind.denoise import restore
from secondwind.errors import RunError
from secondwind.example import Example
from secondwind.recipe import loads
from secondwind.report import write_cards, write_report
from secondwind.vocabulary import Vocabulary
from tests.e2e.conftest import TINY, tiny_recipe

ARMS = {"base", "clm", "ul2r", "flan", "clm+flan", "ul2r+flan"}


def results(run: Path) -> dict:
    return json.loads((run / "results.json").read_text())


def test_every_arm_has_scores_with_intervals(tiny_run: Path) -> None:
    arms = results(tiny_run)["arms"]
    assert set(arms) == ARMS
    for by_seed in arms.values():
        (scores,) = by_seed.values()
        assert {
            "toy_mmlu",
            "toy_bbh",
            "toy_bbh:cot",
            "toy_tydiqa",
            "toy_mgsm:cot",
            "perplexity",
            "infilling",
        } <= (set(scores))
        for entry in scores.values():
            low, high = entry["interval"]
            assert low <= entry["score"] <= high
            assert entry["n"] > 0


def test_trained_attention_is_the_headline_and_the_other_mask_stands_beside_it(tiny_run: Path) -> None:
    arms = results(tiny_run)["arms"]
    assert arms["flan"]["1"]["toy_mmlu"]["attention"] == "prefix"
    assert arms["flan"]["1"]["toy_mmlu@causal"]["attention"] == "causal"
    assert arms["base"]["1"]["toy_mmlu"]["attention"] == "causal"
    assert "toy_mmlu@causal" not in arms["base"]["1"]


def test_contrasts_cost_and_verdict_are_complete(tiny_run: Path) -> None:
    found = results(tiny_run)
    names = {
        contrast["name"] for contrast in found["contrasts"] if contrast["benchmark"] == "normalized_average"
    }
    assert {"flan - base", "ul2r - clm", "ul2r+flan - clm+flan", "complementarity"} <= names
    cost = found["cost"]
    assert cost["base"] == {"tokens": 0, "target_tokens": 0, "flops": 0, "share_of_base": 0}
    assert cost["ul2r"]["tokens"] == cost["clm"]["tokens"] > 5000
    assert cost["ul2r+flan"]["tokens"] == cost["ul2r"]["tokens"] + cost["flan"]["tokens"]
    assert 0 < cost["flan"]["share_of_base"] < 2
    assert any("Flan against the base" in sentence for sentence in found["verdict"])


def test_results_hold_no_times_paths_or_hosts(tiny_run: Path) -> None:
    text = (tiny_run / "results.json").read_text()
    assert str(tiny_run) not in text and "/" not in text.replace("(ul2r+flan - flan)", "").replace("\\/", "")


def test_control_steps_carry_as_many_tokens_as_ul2r_steps(tiny_run: Path) -> None:
    def tokens(stage: str) -> list[int]:
        lines = (tiny_run / "stages" / stage / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line)["tokens"] for line in lines]

    assert tokens("clm-1") == tokens("ul2r-1") != []


def test_pretraining_keeps_the_wanted_checkpoints(tiny_run: Path) -> None:
    kept = sorted(path.name for path in (tiny_run / "pretrained").iterdir() if path.name.startswith("step-"))
    assert len(kept) == 1
    assert (tiny_run / "pretrained" / kept[0] / "model.safetensors").exists()


def test_the_report_and_the_cards_are_made_from_the_run(tiny_run: Path) -> None:
    page = write_report(tiny_run).read_text()
    assert "Flan against the base" in page and "<script" not in page
    assert len(write_cards(tiny_run)) == len(ARMS)


def test_running_a_finished_study_again_trains_nothing_and_changes_no_byte(tiny_run: Path) -> None:
    before = (tiny_run / "results.json").read_bytes()
    stamps = {path: path.stat().st_mtime_ns for path in tiny_run.glob("stages/*/timing.jsonl")}
    study.run(tiny_recipe(), tiny_run)
    assert (tiny_run / "results.json").read_bytes() == before
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps != {}


def test_another_recipe_in_the_same_folder_is_refused_with_a_diff(tiny_run: Path) -> None:
    other = loads(TINY.replace("num_tasks: 6", "num_tasks: 7"), name="tiny.yaml")
    with pytest.raises(RunError, match=r"(?s)begun with another recipe.*-  num_tasks: 6.*\+  num_tasks: 7"):
        study.run(other, tiny_run)


@pytest.mark.slow
def test_a_killed_study_ends_with_the_same_results(tiny_run: Path, tmp_path: Path) -> None:
    recipe, out = tmp_path / "tiny.yaml", tmp_path / "run"
    recipe.write_text(TINY)
    command = [sys.executable, "-m", "secondwind.cli", "run", str(recipe), "--out", str(out), "--quiet"]
    for seconds in (12, 20, 28):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
    assert (out / "results.json").read_bytes() == (tiny_run / "results.json").read_bytes()


@pytest.mark.parametrize("stage", ["ul2r", "flan", "clm"])
def test_preview_draws_rows_that_hold_whole_examples(stage: str) -> None:
    shown = study.preview(tiny_recipe(), stage=stage, rows=3, monitor=study.Silent()).to_json()
    assert len(shown["rows"]) == 3
    for row in shown["rows"]:
        assert len(row["tokens"]) == 128
        packed = [token for e in row["examples"] for token in (*e["inputs"], *e["targets"])]
        assert packed == [t for t, segment in zip(row["tokens"], row["segment_ids"], strict=True) if segment]
    assert shown["cost"]["flops"] > 0
    assert {entry["benchmark"] for entry in shown["resolution"]} >= {"toy_mmlu", "infilling"}


def test_previewed_ul2r_rows_restore_to_their_documents(tiny_run: Path) -> None:
    shown = study.preview(tiny_recipe(), stage="ul2r", rows=3, monitor=study.Silent()).to_json()
    record = json.loads((tiny_run / "models" / "base-1" / "secondwind.json").read_text())
    vocabulary = Vocabulary.from_json(record["vocabulary"])
    restored = 0
    for row in shown["rows"]:
        for drawn in row["examples"]:
            inputs, targets = (np.asarray(drawn[part], dtype=np.int32) for part in ("inputs", "targets"))
            tokens = restore(Example(inputs, targets, drawn["source"]), vocabulary)
            assert not set(tokens.tolist()) & vocabulary.reserved
            restored += 1
    assert restored >= 3
