"""The recipe's mixtures, by name or as a table, become the denoisers that they say."""

import pytest

from secondwind.denoise import CausalDenoiser, PrefixDenoiser, SpanDenoiser, required_sentinels
from secondwind.errors import RecipeError
from secondwind.recipe import FlanSection, Recipe, loads
from secondwind.study.ground import sentinels_needed
from secondwind.study.mixtures import denoiser_mixture, denoiser_rooms, instruction_settings

TABLE = """
    - {kind: span, name: R, mode: R, corruption_rate: 0.15, mean_span_length: 3, rate: 2, placement: t5}
    - {kind: span, name: X, mode: X, corruption_rate: 0.5, mean_span_length: 3, rate: 1, row_length: 128}
    - {kind: prefix, name: S, mode: S, target_share: 0.75, pivot: fixed, rate: 1}
    - {kind: causal, name: plain, rate: 1}
"""


def recipe_with(mixture: str, extra: str = "") -> Recipe:
    return loads(
        "name: mixed\nmodel: {path: toyworld:base}\ncorpus: {sources: [{path: toyworld:fresh}]}\n"
        f"arms: [base, ul2r]\nul2r:\n  tokens: 1000\n  row_length: 512\n{extra}  mixture: {mixture}"
    )


def test_a_table_becomes_denoisers_with_rates_that_sum_to_one() -> None:
    section = recipe_with(TABLE, "  causal_share: 0.5\n").ul2r
    assert section is not None
    assert denoiser_mixture(section) == (
        (SpanDenoiser("R", "R", 0.15, 3.0, placement="t5"), 0.2),
        (SpanDenoiser("X", "X", 0.5, 3.0), 0.1),
        (PrefixDenoiser("S", "S", 0.75, pivot="fixed"), 0.1),
        (CausalDenoiser("plain"), 0.1),
        (CausalDenoiser("C"), 0.5),
    )


def test_each_denoiser_has_the_room_of_its_own_row_length() -> None:
    section = recipe_with(TABLE, "  causal_share: 0.5\n").ul2r
    assert section is not None
    assert denoiser_rooms(section) == [256, 64, 256, 256, 256]


def test_sentinels_are_counted_in_each_denoisers_own_room() -> None:
    needed = [
        required_sentinels([SpanDenoiser("R", "R", 0.15, 3.0, placement="t5")], 256),
        required_sentinels([SpanDenoiser("X", "X", 0.5, 3.0)], 64),
    ]
    assert sentinels_needed(recipe_with(TABLE)) == max(needed) == 13


@pytest.mark.parametrize("name", ["u_palm", "ul2", "t5gemma2", "causal"])
def test_every_published_mixture_can_be_named(name: str) -> None:
    section = recipe_with(name).ul2r
    assert section is not None
    assert sum(rate for _, rate in denoiser_mixture(section)) == pytest.approx(1)
    assert set(denoiser_rooms(section)) == {256}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("corruption_rat: 0.15, mean_span_length: 3", "Nearest: corruption_rate"),
        ("corruption_rate: 0.15, mean_span_length: 3, mode: Q", "mode: got 'Q'; wanted 'R', 'S' or 'X'"),
        (
            "corruption_rate: 0.15, mean_span_length: 3, row_length: 1024",
            "wanted at most ul2r.row_length, 512",
        ),
        ("corruption_rate: 1.5, mean_span_length: 3", "corruption_rate: got 1.5; wanted less than 1"),
    ],
)
def test_a_mistake_in_a_table_names_its_place(entry: str, message: str) -> None:
    with pytest.raises(RecipeError, match="(?s)ul2r.mixture.0.*" + message.replace(".", r"\.")):
        recipe_with("[{kind: span, name: R, rate: 1, " + entry + "}]\n")


def flan_with(extra: str) -> FlanSection:
    flan = f"flan: {{sources: [{{path: toyworld:tasks}}], tokens: 1000{extra}}}\n"
    section = loads(f"name: tuned\nmodel: {{path: toyworld:base}}\narms: [base, flan]\n{flan}").flan
    assert section is not None
    return section


BOTH = frozenset({"natural_instructions", "flan_cot"})


@pytest.mark.parametrize("mixture", ["flan2022-github", "proportional"])
def test_a_cap_for_a_collection_that_nobody_knows_is_refused(mixture: str) -> None:
    section = flan_with(f", mixture: {mixture}, caps: {{flan_coat: 5}}")
    with pytest.raises(RecipeError, match=r"flan.caps has 'flan_coat'.*Nearest: flan_cot"):
        instruction_settings(section, BOTH)


def test_caps_go_by_collection() -> None:
    github = instruction_settings(flan_with(", caps: {plain: 7}"), BOTH).caps
    assert (github["plain"], github["natural_instructions"], github["flan_cot"]) == (7, 5_000, 100_000)
    alone = instruction_settings(flan_with(", mixture: proportional, caps: {plain: 7}"), BOTH).caps
    assert alone == {"plain": 7}


def test_a_third_collection_leaves_the_rates_of_the_other_two_alone() -> None:
    rates = {"natural_instructions": 0.85, "flan_cot": 0.15}
    section = flan_with("")
    assert instruction_settings(section, BOTH).rates == rates
    assert instruction_settings(section, BOTH | {"plain"}).rates == rates
    assert instruction_settings(section, frozenset({"flan_cot", "plain"})).rates == {}
    assert instruction_settings(flan_with(", mixture: proportional"), BOTH).rates == {}


def test_names_must_differ() -> None:
    with pytest.raises(RecipeError, match="got the names R, R; wanted each once"):
        recipe_with("[{kind: causal, name: R, rate: 1}, {kind: causal, name: R, rate: 2}]\n")
