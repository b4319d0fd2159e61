"""The rule itself, drawn and checked against three nested loops."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from secondwind.model.mask import allowed


def drawn(text: str) -> np.ndarray:
    return np.array([[mark == "#" for mark in line.split()] for line in text.strip().splitlines()])


def test_a_prefix_sees_itself_both_ways_and_targets_see_what_came_before() -> None:
    segment_ids = np.array([1, 1, 1, 1, 2, 2, 2, 0, 0], dtype=np.int32)
    prefix_mask = np.array([True, True, False, False, True, True, False, False, False])
    expected = drawn("""
        # # . . . . . . .
        # # . . . . . . .
        # # # . . . . . .
        # # # # . . . . .
        . . . . # # . . .
        . . . . # # . . .
        . . . . # # # . .
        . . . . . . . # .
        . . . . . . . # #
    """)
    np.testing.assert_array_equal(allowed(segment_ids, prefix_mask), expected)


def test_a_window_hides_distant_keys_on_both_sides() -> None:
    expected = drawn("""
        # # . . .
        # # # . .
        . # # # .
        . . # # .
        . . . # #
    """)
    prefix_mask = np.array([True, True, True, True, False])
    np.testing.assert_array_equal(allowed(np.ones(5, np.int32), prefix_mask, window=2), expected)


def test_the_last_queries_alone_are_the_last_rows_of_the_whole() -> None:
    segment_ids = np.array([[0, 1, 1, 1, 1]], dtype=np.int32)
    prefix_mask = np.array([[False, True, True, False, False]])
    whole = allowed(segment_ids, prefix_mask, window=3)
    np.testing.assert_array_equal(
        allowed(segment_ids, prefix_mask, window=3, first_query=3), whole[..., 3:, :]
    )


@given(
    row=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=8),
    window=st.none() | st.integers(1, 9),
)
def test_the_rule_equals_its_definition(row: list[tuple[int, bool]], window: int | None) -> None:
    segments, prefix = [segment for segment, _ in row], [flag for _, flag in row]
    expected = [
        [
            segments[q] == segments[k]
            and (k <= q or prefix[k])
            and (window is None or -window < q - k < window)
            for k in range(len(row))
        ]
        for q in range(len(row))
    ]
    result = allowed(np.array(segments, np.int32), np.array(prefix), window=window)
    assert result.tolist() == expected


@pytest.mark.parametrize("window", [None, 2])
def test_numpy_and_torch_agree(window: int | None) -> None:
    segment_ids = np.array([[1, 1, 2, 2, 0], [1, 1, 1, 1, 1]], dtype=np.int32)
    prefix_mask = np.array([[True, False, True, True, False], [True, True, True, False, False]])
    result = allowed(torch.from_numpy(segment_ids), torch.from_numpy(prefix_mask), window=window)
    np.testing.assert_array_equal(result.numpy(), allowed(segment_ids, prefix_mask, window=window))
