"""Turns are fair at every prefix, and mixed sources stay a function of the index."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondwind.data import MixedSource, Mixture
from secondwind.errors import RecipeError
from tests.data.conftest import RandomSource


def test_turns_interleave_by_rate() -> None:
    mixture = Mixture([2, 1])
    assert [mixture[number].part for number in range(9)] == [0, 1, 0, 0, 1, 0, 0, 1, 0]
    assert [mixture[number].place for number in range(9)] == [0, 0, 1, 2, 1, 3, 4, 2, 5]


def largest_deviation(rates: list[float], num_turns: int) -> float:
    """The largest distance of any part, at any prefix, from its due."""
    parts = Mixture(rates).turns(0, num_turns).parts
    realised = np.cumsum(parts[:, None] == np.arange(len(rates)), axis=0)
    due = np.arange(1, num_turns + 1)[:, None] * (np.array(rates) / sum(rates))
    return float(np.abs(realised - due).max())


@given(rates=st.lists(st.floats(1e-4, 1.0), min_size=1, max_size=40))
def test_realised_shares_stay_within_one_at_every_prefix(rates: list[float]) -> None:
    assert largest_deviation(rates, 600) < 1


@settings(max_examples=10)
@given(data=st.data(), num_parts=st.integers(100, 600))
def test_realised_shares_stay_within_one_for_hundreds_of_skewed_parts(
    data: st.DataObject, num_parts: int
) -> None:
    exponent = data.draw(st.floats(0, 3))
    rates = [(part + 1) ** -exponent for part in range(num_parts)]
    assert largest_deviation(data.draw(st.permutations(rates)), 3000) < 1


def test_places_of_a_part_are_consecutive() -> None:
    turns = Mixture([5, 0.3, 1]).turns(0, 500)
    for part in range(3):
        places = turns.places[turns.parts == part]
        assert places.tolist() == list(range(len(places)))
        assert len(places) > 0


def test_part_with_rate_zero_never_has_a_turn() -> None:
    assert Mixture([1, 0, 3]).counts(4000).tolist() == [1000, 0, 3000]


def test_turns_do_not_depend_on_the_order_of_look_ups() -> None:
    forwards, jumping = Mixture([3, 1, 1]), Mixture([3, 1, 1])
    last = jumping[9000]
    assert [forwards[number] for number in range(9001)][-1] == last
    assert [jumping[number] for number in range(100)] == [forwards[number] for number in range(100)]


@pytest.mark.parametrize("rates", [[], [0, 0], [1, -1], [float("nan"), 1], [float("inf"), 1]])
def test_rates_that_are_no_shares_are_refused(rates: list[float]) -> None:
    with pytest.raises(RecipeError, match="rates that are finite"):
        Mixture(rates)


def test_mixed_source_announces_and_builds_the_examples_of_its_parts() -> None:
    sources = [RandomSource(seed, longest=20, name=f"part {seed}") for seed in range(3)]
    mixed = MixedSource(sources, [4, 2, 1])
    lengths = mixed.lengths(50, 90)
    for index in range(50, 90):
        turn = mixed.mixture[index]
        made, expected = mixed[index], sources[turn.part][turn.place]
        assert made.source == f"part {turn.part}"
        assert made.targets.tolist() == expected.targets.tolist()
        assert lengths[index - 50] == len(made.inputs) + len(made.targets) + 1


def test_mixed_source_has_another_fingerprint_when_a_rate_or_a_part_changes() -> None:
    first, second = RandomSource(1, longest=9), RandomSource(2, longest=9)
    prints = {
        MixedSource([first, second], [1, 1]).fingerprint(),
        MixedSource([first, second], [1, 2]).fingerprint(),
        MixedSource([second, first], [1, 1]).fingerprint(),
    }
    assert len(prints) == 3
    assert MixedSource([first, second], [2, 2]).fingerprint() in prints


def test_mixed_source_is_refused_when_a_rate_is_missing() -> None:
    with pytest.raises(RecipeError, match="2 sources and 1 rates"):
        MixedSource([RandomSource(1, longest=9), RandomSource(2, longest=9)], [1])
