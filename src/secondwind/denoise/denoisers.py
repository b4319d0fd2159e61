"""Denoisers as frozen settings, and the published mixtures of them.

    R   regular      short spans, little noise       sentinels
    X   extreme      long spans or much noise        sentinels
    S   sequential   a prefix, then its continuation no sentinel
    C   causal       no inputs at all                plain language modelling

Source: UL2 (arXiv:2205.05131, Table 1 and section 3.1), U-PaLM (arXiv:2210.11399, section 3.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from secondwind.denoise.spans import span_counts
from secondwind.errors import ExampleError, RecipeError, nearest


@dataclass(frozen=True)
class SpanDenoiser:
    """Hide spans behind sentinels; R and X differ only in their settings.

    Args:
        mode: the mode token's name, or None for none.
        corruption_rate: share of tokens that become noise, in (0, 1).
        mean_span_length: tokens per noise span, on average; at least 1.
    """

    name: str
    mode: str | None
    corruption_rate: float
    mean_span_length: float

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if not 0 < self.corruption_rate < 1:
            raise ExampleError(
                f"denoiser '{self.name}' has corruption_rate {self.corruption_rate}; wanted a share between "
                "0 and 1, for example 0.15."
            )
        if not self.mean_span_length >= 1:
            raise ExampleError(
                f"denoiser '{self.name}' has mean_span_length {self.mean_span_length}; wanted at least "
                "1 token."
            )


@dataclass(frozen=True)
class PrefixDenoiser:
    """Split a window at a uniform pivot: the left is given, the right is learned.

    Args:
        mode: the mode token's name, or None for none.
        target_share: the expected share of targets, in (0, 0.5]; targets are uniform on
            1 .. 2 * share * length.
    """

    name: str
    mode: str | None
    target_share: float

    def __post_init__(self) -> None:
        """Refuse a share that no uniform pivot can have."""
        if not 0 < self.target_share <= 0.5:
            raise ExampleError(
                f"denoiser '{self.name}' has target_share {self.target_share}; wanted a share in (0, 0.5]: "
                "the pivot is uniform, so the targets are half of the text at most, on average."
            )


@dataclass(frozen=True)
class CausalDenoiser:
    """Give nothing and learn everything: plain causal language modelling."""

    name: str
    mode: None = None


Denoiser = SpanDenoiser | PrefixDenoiser | CausalDenoiser
DenoiserMixture = tuple[tuple[Denoiser, float], ...]

# UL2, Table 1: seven denoisers at equal rates. Its S row says mean span L/4; released code draws the
# pivot uniformly, so the share is an expectation (docs/decisions/0003).
UL2: DenoiserMixture = (
    (SpanDenoiser("R-3-15", "R", 0.15, 3.0), 1.0),
    (SpanDenoiser("R-8-15", "R", 0.15, 8.0), 1.0),
    (PrefixDenoiser("S", "S", 0.25), 1.0),
    (SpanDenoiser("X-3-50", "X", 0.5, 3.0), 1.0),
    (SpanDenoiser("X-8-50", "X", 0.5, 8.0), 1.0),
    (SpanDenoiser("X-64-15", "X", 0.15, 64.0), 1.0),
    (SpanDenoiser("X-64-50", "X", 0.5, 64.0), 1.0),
)

# U-PaLM, section 3.3: 50 % S, 25 % R, 25 % X with "mean length 32 or corruption rate up to 50 %".
# The exact X pairs are not printed; (32, 15 %) and (3, 50 %) are the reading of Levanter's UL2R.
U_PALM: DenoiserMixture = (
    (PrefixDenoiser("S", "S", 0.5), 0.5),
    (SpanDenoiser("R-3-15", "R", 0.15, 3.0), 0.25),
    (SpanDenoiser("X-32-15", "X", 0.15, 32.0), 0.125),
    (SpanDenoiser("X-3-50", "X", 0.5, 3.0), 0.125),
)

CAUSAL: DenoiserMixture = ((CausalDenoiser("C"), 1.0),)

_NAMED: dict[str, DenoiserMixture] = {"ul2": UL2, "u_palm": U_PALM, "causal": CAUSAL}


def named_mixture(name: str, *, causal_share: float = 0.0) -> DenoiserMixture:
    """Return a published mixture by its name in recipes, with a share of plain causal examples.

    The rates of the result sum to 1.

    Raises:
        RecipeError: no mixture of that name.
    """
    if name not in _NAMED:
        raise RecipeError(
            f"no mixture of denoisers '{name}'.{nearest(name, _NAMED)} Known: {', '.join(sorted(_NAMED))}."
        )
    mixture = _NAMED[name]
    total = sum(rate for _, rate in mixture)
    scaled = tuple((denoiser, rate / total * (1 - causal_share)) for denoiser, rate in mixture)
    return (*scaled, (CausalDenoiser("C"), causal_share)) if causal_share > 0 else scaled


def required_sentinels(denoisers: Sequence[Denoiser], num_tokens: int) -> int:
    """Count the sentinels that the hungriest denoiser needs in a window of `num_tokens`."""
    counts = [
        span_counts(
            num_tokens, corruption_rate=d.corruption_rate, mean_span_length=d.mean_span_length
        ).num_spans
        for d in denoisers
        if isinstance(d, SpanDenoiser) and num_tokens >= 2
    ]
    return max(counts, default=0)
