"""Noise masks: which tokens of a window are hidden, in runs.

    tokens   the  cat  sat  on  the  mat
    mask      .    #    #   .   .    #       corruption rate 0.5, mean span length 1.5

The counts are exact, the placement is uniform over all masks with these counts, and both edges of
the window may be noise or kept.

Differs from T5: `random_spans_noise_mask` never hides the first token and always hides the last, so
that a window with a single span is always cut at the same place. `placement="t5"` does it that way.

Source: T5 (arXiv:1910.10683, section 3.1.4) for the counts; UL2 (arXiv:2205.05131, Table 1) for
    the settings.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.errors import TooShort
from secondwind.example import Flags
from secondwind.randomness import Draws

Placement = Literal["uniform", "t5"]


class SpanCounts(NamedTuple):
    """How much of a window is hidden: tokens and runs of tokens."""

    num_noise_tokens: int
    num_spans: int


class Spans(NamedTuple):
    """Where the noise lies: K runs, in the order of the text.

    Args:
        kept_before: int64[K], kept tokens before each run, counted from the window's start.
        lengths: int64[K], tokens of each run.
    """

    kept_before: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


def span_counts(
    num_tokens: int, *, corruption_rate: float, mean_span_length: float, placement: Placement = "uniform"
) -> SpanCounts:
    """Count noise tokens and spans of a window; both are exact, not sampled.

    Rounding is half to even in float64. Between two spans stands at least one kept token, so there
    are at most `kept + 1` spans, or `kept` under `t5`, where a kept token comes first.

    Raises:
        TooShort: fewer than 2 tokens; there is nothing to keep or nothing to hide.
    """
    if num_tokens < 2:
        raise TooShort(
            f"cannot place noise in a window of {num_tokens} tokens; wanted at least 2, one to keep and one "
            "to hide. Use a causal denoiser for such windows."
        )
    num_noise = min(max(round(num_tokens * corruption_rate), 1), num_tokens - 1)
    num_gaps = num_tokens - num_noise + (placement == "uniform")
    return SpanCounts(num_noise, min(max(round(num_noise / mean_span_length), 1), num_noise, num_gaps))


def noise_mask(
    num_tokens: int,
    *,
    corruption_rate: float,
    mean_span_length: float,
    key: int,
    placement: Placement = "uniform",
) -> Flags:
    """Choose which tokens become noise: bool[num_tokens], uniform over all masks with exact counts.

    Args:
        placement: `uniform` over all such masks; `t5` over those that start kept and end hidden.

    Raises:
        TooShort: fewer than 2 tokens.
    """
    num_noise, num_spans = span_counts(
        num_tokens, corruption_rate=corruption_rate, mean_span_length=mean_span_length, placement=placement
    )
    num_kept = num_tokens - num_noise
    # The order of the draws is part of what a key means: `kernel.py` draws the same.
    draws = Draws(key)
    noise_cuts = draws.subset(num_spans - 1, num_noise - 1)
    if placement == "t5":
        spans = t5_spans(noise_cuts, draws.subset(num_spans - 1, num_kept - 1), num_noise, num_kept)
    else:
        spans = uniform_spans(noise_cuts, draws.subset(num_spans, num_kept + 1), num_noise)
    return mask_of(spans, num_tokens)


def uniform_spans(noise_cuts: Sequence[int], gaps: Sequence[int], num_noise: int) -> Spans:
    """Lay K spans into K of the gaps before, between and after the kept tokens.

    A mask with K runs is a way to cut the noise tokens into K runs and a choice of K gaps: where
    both are uniform subsets, so is the mask.

    Args:
        noise_cuts: sorted, K - 1 of them; a new run begins after noise token j.
        gaps: sorted, K of 0 .. kept tokens; gap g lies behind g kept tokens.
    """
    return Spans(np.asarray(gaps, dtype=np.int64), _run_lengths(noise_cuts, num_noise))


def t5_spans(noise_cuts: Sequence[int], keep_cuts: Sequence[int], num_noise: int, num_kept: int) -> Spans:
    """Alternate kept and hidden runs as T5 does: kept first, hidden last.

    Args:
        noise_cuts: sorted, K - 1 of them; a new hidden run begins after noise token j.
        keep_cuts: sorted, K - 1 of them; a new kept run begins after kept token j.

    Source: T5 `random_spans_noise_mask` (github.com/google-research/text-to-text-transfer-transformer,
        t5/data/preprocessors.py).
    """
    kept_before = np.cumsum(_run_lengths(keep_cuts, num_kept))
    return Spans(kept_before, _run_lengths(noise_cuts, num_noise))


def mask_of(spans: Spans, num_tokens: int) -> Flags:
    """Draw spans as bool[num_tokens], True where a token is hidden."""
    mask = np.zeros(num_tokens, dtype=np.bool_)
    starts = spans.kept_before + np.cumsum(spans.lengths) - spans.lengths
    for start, length in zip(starts.tolist(), spans.lengths.tolist(), strict=True):
        mask[start : start + length] = True
    return mask


def _run_lengths(cuts: Sequence[int], total: int) -> npt.NDArray[np.int64]:
    """Cut `total` tokens into runs, after each token that `cuts` names."""
    return np.diff(np.asarray([-1, *cuts, total - 1], dtype=np.int64))
