"""Model cards state scores under both masks and their limits, and cannot be broken out of."""

import json
import re
from pathlib import Path

import pytest
import yaml

from secondwind.arguments import build_parser
from secondwind.errors import RunError
from secondwind.report import model_card, write_cards
from secondwind.report.card import escape_markdown


def test_card_states_scores_under_both_masks(run: Path):
    card = model_card(run, arm="ul2r", seed="1")
    assert "| Benchmark | prefix (as trained) | causal | Items |" in card
    [row] = [line for line in card.splitlines() if line.startswith("| toy\\_mmlu |")]
    trained, other = (cell.split()[0] for cell in row.split("|")[2:4])
    assert float(trained) == pytest.approx(float(other) + 1.0, abs=0.11)
    assert "not measured" in card


def test_card_of_a_causal_arm_puts_the_causal_score_first(run: Path):
    assert "| Benchmark | causal (as trained) | prefix | Items |" in model_card(run, arm="clm", seed="2")


def test_documents_have_one_score_whatever_the_mask(run: Path):
    [row] = [
        line for line in model_card(run, arm="ul2r", seed="1").splitlines() if line.startswith("| perpl")
    ]
    assert row.split("|")[3].strip() == "the same"


def test_card_of_a_study_without_the_trained_mask_claims_none(run: Path):
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    for seed, scores in results["arms"]["ul2r"].items():
        results["arms"]["ul2r"][seed] = {key: score for key, score in scores.items() if "@" in key}
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    card = model_card(run, arm="ul2r", seed="1")
    assert "| Benchmark | causal | prefix | Items |" in card
    assert "did not ask this model under the mask that it was trained with" in card
    [row] = [line for line in card.splitlines() if line.startswith("| toy\\_mmlu |")]
    assert "not measured" not in row


def test_card_names_steps_cost_differences_and_limits(run: Path):
    card = model_card(run, arm="ul2r+flan", seed="1").replace("\xa0", " ")
    for part in (
        "1. continued with UL2's mixture of denoisers",
        "2. tuned on instructions",
        "share of the base model's pretraining compute: 2.6 %",
        "- ul2r+flan − clm+flan: +4.5 \\[2.5, 6.5\\]; higher",
        "over the 5 main contrasts on the normalised average",
        "**This is a toy.**",
        "## Limits",
    ):
        assert part in card


def test_card_begins_with_front_matter_that_is_yaml(run: Path):
    _, head, _ = model_card(run, arm="flan", seed="1").split("---\n", 2)
    assert yaml.safe_load(head)["tags"] == ["second-wind", "flan"]


def test_card_links_a_hub_model_as_its_base(run: Path):
    recipe = (run / "recipe.yaml").read_text(encoding="utf-8")
    (run / "recipe.yaml").write_text(recipe.replace("toyworld:base", "org/model-1b"), encoding="utf-8")
    _, head, _ = model_card(run, arm="flan", seed="1").split("---\n", 2)
    assert yaml.safe_load(head)["base_model"] == "org/model-1b"


def test_card_of_an_unknown_arm_or_seed_is_refused_with_what_there_is(run: Path):
    with pytest.raises(RunError, match=r"no scores of arm 'ul2' seed '1'.*base seed 1.*Nearest: ul2r"):
        model_card(run, arm="ul2", seed="1")
    with pytest.raises(RunError, match=r"seed '9'"):
        model_card(run, arm="ul2r", seed="9")


def test_hostile_names_stay_on_their_line(run: Path):
    name = "x\n---\n# Head [link](http://evil) <script> | {{ 7 * 7 }}"
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    (run / "results.json").write_text(json.dumps({**results, "name": name}), encoding="utf-8")
    card = model_card(run, arm="flan", seed="1")
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head)["model_name"] == f"{name} flan"
    assert [line for line in body.splitlines() if line.startswith("# ")] == [
        "# x --- \\# Head \\[link\\](http://evil) \\<script\\> \\| \\{\\{ 7 \\* 7 \\}\\}: flan, seed 1"
    ]


def test_markdown_characters_become_literal():
    assert escape_markdown("a_b *c*\n`d`") == "a\\_b \\*c\\* \\`d\\`"


def test_cards_are_written_beside_exported_models_and_nowhere_else(run: Path):
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    results["arms"]["../outside"] = results["arms"]["base"]
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    models = run / "models"
    for folder in (models / "ul2r-1", models / "ul2r+flan-2", models / "other", run / "outside-1"):
        folder.mkdir(parents=True)
    assert write_cards(run) == [models / "ul2r-1" / "README.md", models / "ul2r+flan-2" / "README.md"]
    card = (models / "ul2r-1" / "README.md").read_text(encoding="utf-8")
    assert card == model_card(run, arm="ul2r", seed="1")
    assert not (run / "outside-1" / "README.md").exists()


def test_a_card_names_only_commands_that_exist(run: Path):
    cards = [model_card(run, arm=arm, seed="1") for arm in ("base", "ul2r", "ul2r+flan")]
    named = {name for card in cards for name in re.findall(r"`secondwind (\w+)", card)}
    assert named == {"generate"}
    assert all(f"\n    {name} " in build_parser().format_help() for name in named)
