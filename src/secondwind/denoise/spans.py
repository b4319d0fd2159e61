"""Noise masks: which tokens of a window are hidden, in runs.

    tokens   the  cat  sat  on  the  mat
    mask      .    #    #   .   .    #       corruption rate 0.5, mean span length 1.5

The counts are exact, the placement is uniform over all masks with these counts, and both edges of
the window may be noise or kept.

Differs from T5: `random_spans_noise_mask` never hides the first token and always hides the last, so
that a window with a single span is always cut at the same place.

Source: T5 (arXiv:1910.10683, section 3.1.4) for the counts; UL2 (arXiv:2205.05131, Table 1) for
    the settings.
"""

from typing import NamedTuple

import numpy as np

from secondwind.errors import TooShort
from secondwind.example import Flags
from secondwind.randomness import Draws


class SpanCounts(NamedTuple):
    """How much of a window is hidden: tokens and runs of tokens."""

    num_noise_tokens: int
    num_spans: int


def span_counts(num_tokens: int, *, corruption_rate: float, mean_span_length: float) -> SpanCounts:
    """Count noise tokens and spans of a window; both are exact, not sampled.

    Rounding is half to even in float64. Between two spans stands at least one kept token, so
    there are at most `kept + 1` spans.

    Raises:
        TooShort: fewer than 2 tokens; there is nothing to keep or nothing to hide.
    """
    if num_tokens < 2:
        raise TooShort(
            f"cannot place noise in a window of {num_tokens} tokens; wanted at least 2, one to keep and one "
            "to hide. Use a causal denoiser for such windows."
        )
    num_noise = min(max(round(num_tokens * corruption_rate), 1), num_tokens - 1)
    most_spans = min(num_noise, num_tokens - num_noise + 1)
    return SpanCounts(num_noise, min(max(round(num_noise / mean_span_length), 1), most_spans))


def noise_mask(num_tokens: int, *, corruption_rate: float, mean_span_length: float, key: int) -> Flags:
    """Choose which tokens become noise: bool[num_tokens], uniform over all masks with exact counts.

    A mask with k runs is a way to cut the noise tokens into k runs, and a choice of k among the
    gaps before, between and after the kept tokens. Both are uniform subsets.

    Raises:
        TooShort: fewer than 2 tokens.
    """
    num_noise, num_spans = span_counts(
        num_tokens, corruption_rate=corruption_rate, mean_span_length=mean_span_length
    )
    draws = Draws(key)
    cuts = draws.subset(num_spans - 1, num_noise - 1)
    gaps = draws.subset(num_spans, num_tokens - num_noise + 1)
    span_lengths = np.diff([0, *(cut + 1 for cut in cuts), num_noise])
    mask = np.zeros(num_tokens, dtype=np.bool_)
    hidden_before = 0
    for gap, length in zip(gaps, span_lengths, strict=True):
        start = gap + hidden_before  # `gap` kept tokens and all earlier spans lie before this span
        mask[start : start + length] = True
        hidden_before += int(length)
    return mask
