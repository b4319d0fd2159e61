"""Noise masks are exact in number; that they are uniform in place is a law (test_laws.py)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondwind.denoise import noise_mask, span_counts
from secondwind.errors import TooShort


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


def test_the_same_key_gives_the_same_mask_and_another_key_another() -> None:
    first, again, other = (
        noise_mask(200, corruption_rate=0.15, mean_span_length=3, key=k) for k in (1, 1, 2)
    )
    assert first.tolist() == again.tolist() != other.tolist()


def test_one_token_is_too_short() -> None:
    with pytest.raises(TooShort, match="window of 1 tokens; wanted at least 2"):
        span_counts(1, corruption_rate=0.5, mean_span_length=3)
