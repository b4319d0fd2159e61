"""Noise masks are exact in number and uniform in place."""

from collections import Counter
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from secondwind.denoise import noise_mask, span_counts
from secondwind.errors import TooShort
from secondwind.randomness import key


def num_runs(mask: np.ndarray) -> int:
    return int(np.count_nonzero(np.diff(np.concatenate([[0], mask.astype(int)])) == 1))


@given(
    num_tokens=st.integers(2, 2000),
    rate=st.floats(0.01, 0.99),
    mean=st.floats(1, 100),
    seed=st.integers(0, 2**32),
)
def test_mask_has_exactly_the_promised_tokens_and_spans(
    num_tokens: int, rate: float, mean: float, seed: int
) -> None:
    mask = noise_mask(num_tokens, corruption_rate=rate, mean_span_length=mean, key=seed)
    counts = span_counts(num_tokens, corruption_rate=rate, mean_span_length=mean)
    assert (int(mask.sum()), num_runs(mask)) == counts
    assert 1 <= counts.num_noise_tokens <= num_tokens - 1


class Case(NamedTuple):
    num_tokens: int
    rate: float
    mean: float


@pytest.mark.parametrize(
    "case", [Case(8, 0.375, 1.5), Case(7, 0.43, 1.5), Case(9, 0.33, 1.5), Case(6, 0.34, 2.0)]
)
def test_every_mask_with_the_counts_is_equally_likely(case: Case) -> None:
    counts = span_counts(case.num_tokens, corruption_rate=case.rate, mean_span_length=case.mean)
    possible = [
        mask
        for mask in product((False, True), repeat=case.num_tokens)
        if (sum(mask), num_runs(np.array(mask))) == counts
    ]
    draws = 400 * len(possible)
    seen = Counter(
        tuple(
            noise_mask(
                case.num_tokens,
                corruption_rate=case.rate,
                mean_span_length=case.mean,
                key=key(3, "test", draw),
            ).tolist()
        )
        for draw in range(draws)
    )
    assert set(seen) == set(possible)
    assert chisquare([seen[mask] for mask in possible]).pvalue > 1e-4


def test_both_edges_can_be_noise_or_kept() -> None:
    masks = [noise_mask(12, corruption_rate=0.5, mean_span_length=3, key=key(0, "t", i)) for i in range(300)]
    assert {bool(mask[0]) for mask in masks} == {True, False}
    assert {bool(mask[-1]) for mask in masks} == {True, False}


def test_the_same_key_gives_the_same_mask_and_another_key_another() -> None:
    first, again, other = (
        noise_mask(200, corruption_rate=0.15, mean_span_length=3, key=k) for k in (1, 1, 2)
    )
    assert first.tolist() == again.tolist() != other.tolist()


def test_one_token_is_too_short() -> None:
    with pytest.raises(TooShort, match="window of 1 tokens; wanted at least 2"):
        span_counts(1, corruption_rate=0.5, mean_span_length=3)
