"""Denoisers as frozen settings, and the published mixtures of them.

    R   regular      short spans, little noise       sentinels
    X   extreme      long spans or much noise        sentinels
    S   sequential   a prefix, then its continuation no sentinel
    C   causal       no inputs at all                plain language modelling

Source: UL2 (arXiv:2205.05131, Table 1 and section 3.1), U-PaLM (arXiv:2210.11399, section 3.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from secondwind.denoise.spans import Placement, SpanCounts, span_counts
from secondwind.errors import ExampleError, RecipeError, nearest

Pivot = Literal["uniform", "fixed"]


@dataclass(frozen=True)
class SpanDenoiser:
    """Hide spans behind sentinels; R and X differ only in their settings.

    Args:
        mode: the mode token's name, or None for none.
        corruption_rate: share of tokens that become noise, in (0, 1).
        mean_span_length: tokens per noise span, on average; at least 1.
        placement: `uniform` over all masks; `t5` for comparisons with T5, whose masks start kept and
            end hidden.
    """

    name: str
    mode: str | None
    corruption_rate: float
    mean_span_length: float
    placement: Placement = "uniform"

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        # Lengths are rounded in float64: a float32 rate would round others.
        object.__setattr__(self, "corruption_rate", float(self.corruption_rate))
        object.__setattr__(self, "mean_span_length", float(self.mean_span_length))
        _require_word(self.name, "placement", self.placement, get_args(Placement))
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

    def counts(self, num_tokens: int) -> SpanCounts:
        """Count noise tokens and spans of a window of `num_tokens`.

        Raises:
            TooShort: fewer than 2 tokens.
        """
        return span_counts(
            num_tokens,
            corruption_rate=self.corruption_rate,
            mean_span_length=self.mean_span_length,
            placement=self.placement,
        )


@dataclass(frozen=True)
class PrefixDenoiser:
    """Split a window at a pivot: the left is given, the right is learned.

    Args:
        mode: the mode token's name, or None for none.
        target_share: the expected share of targets; in (0, 0.5] for a uniform pivot, in (0, 1) for a
            fixed one.
        pivot: `uniform` draws the number of targets from 1 .. 2 * share * length; `fixed` takes
            share * length.
    """

    name: str
    mode: str | None
    target_share: float
    pivot: Pivot = "uniform"

    def __post_init__(self) -> None:
        """Refuse a share that no such pivot can have."""
        object.__setattr__(self, "target_share", float(self.target_share))
        _require_word(self.name, "pivot", self.pivot, get_args(Pivot))
        if self.pivot == "uniform" and not 0 < self.target_share <= 0.5:
            raise ExampleError(
                f"denoiser '{self.name}' has target_share {self.target_share}; wanted a share in (0, 0.5]: "
                "the pivot is uniform, so the targets are half of the text at most, on average. "
                "Larger shares need pivot='fixed'."
            )
        if not 0 < self.target_share < 1:
            raise ExampleError(
                f"denoiser '{self.name}' has target_share {self.target_share}; wanted a share between 0 and "
                "1, for example 0.75."
            )

    def most_targets(self, num_tokens: int) -> int:
        """Return the largest number of targets of a window; a fixed pivot always takes it."""
        doubled = self.target_share * (2 if self.pivot == "uniform" else 1)
        return min(max(round(doubled * num_tokens), 1), num_tokens - 1)


@dataclass(frozen=True)
class CausalDenoiser:
    """Give nothing and learn everything: plain causal language modelling."""

    name: str
    mode: None = None


Denoiser = SpanDenoiser | PrefixDenoiser | CausalDenoiser


def for_window(denoiser: Denoiser, num_tokens: int) -> Denoiser:
    """Return the denoiser that a window really gets: one token has nothing to hide, and becomes C."""
    return CausalDenoiser("C") if num_tokens == 1 else denoiser


def _require_word(name: str, field: str, got: str, wanted: Sequence[str]) -> None:
    if got not in wanted:
        raise ExampleError(
            f"denoiser '{name}' has {field} '{got}'; wanted {' or '.join(wanted)}.{nearest(got, wanted)}"
        )


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

# T5Gemma 2 (arXiv:2512.14856): spans (3, 15 %), (12, 50 %), (32, 15 %), (32, 50 %) and one span of 3/4
# of the text, at 1 : 1 : 1 : 1 : 4. T5's sampler puts a single span at the end, so the last is a prefix
# of a quarter and its continuation. The mode tokens are ours, after UL2's rule for X.
T5GEMMA2: DenoiserMixture = (
    (SpanDenoiser("R-3-15", "R", 0.15, 3.0), 1.0),
    (SpanDenoiser("X-12-50", "X", 0.5, 12.0), 1.0),
    (SpanDenoiser("X-32-15", "X", 0.15, 32.0), 1.0),
    (SpanDenoiser("X-32-50", "X", 0.5, 32.0), 1.0),
    (PrefixDenoiser("S-75", "S", 0.75, pivot="fixed"), 4.0),
)

CAUSAL: DenoiserMixture = ((CausalDenoiser("C"), 1.0),)

_NAMED: dict[str, DenoiserMixture] = {"ul2": UL2, "u_palm": U_PALM, "t5gemma2": T5GEMMA2, "causal": CAUSAL}


def named_mixture(name: str) -> DenoiserMixture:
    """Return a published mixture by its name in recipes.

    Raises:
        RecipeError: no mixture of that name.
    """
    if name not in _NAMED:
        raise RecipeError(
            f"no mixture of denoisers '{name}'.{nearest(name, _NAMED)} Known: {', '.join(sorted(_NAMED))}."
        )
    return _NAMED[name]


def find_denoiser(name: str) -> Denoiser:
    """Return a denoiser by its family, R, S, X or C, or by its name in a published mixture.

    A family stands for its denoiser in `U_PALM`; of the two X, for the one with short spans.

    Raises:
        RecipeError: no denoiser of that name.
    """
    known = {d.name: d for mixture in reversed(_NAMED.values()) for d, _ in mixture}
    known |= {"R": known["R-3-15"], "X": known["X-3-50"], "S": U_PALM[0][0]}
    if name not in known:
        raise RecipeError(f"no denoiser '{name}'.{nearest(name, known)} Known: {', '.join(sorted(known))}.")
    return known[name]


def with_causal_share(mixture: DenoiserMixture, share: float) -> DenoiserMixture:
    """Scale a mixture's rates to sum to 1, `share` of it plain causal examples against forgetting."""
    require_rates(mixture)
    total = sum(rate for _, rate in mixture)
    scaled = tuple((denoiser, rate / total * (1 - share)) for denoiser, rate in mixture)
    return (*scaled, (CausalDenoiser("C"), share)) if share > 0 else scaled


def require_rates(mixture: DenoiserMixture) -> None:
    """Refuse a mixture of nothing, and rates that are no weights.

    Raises:
        RecipeError: a negative or infinite rate, or none above 0.
    """
    rates = [rate for _, rate in mixture]
    if not all(0 <= rate < float("inf") for rate in rates) or not sum(rates) > 0:
        raise RecipeError(
            f"a mixture of denoisers has the rates {rates}; wanted numbers of at least 0, and one above 0."
        )


def required_sentinels(denoisers: Sequence[Denoiser], num_tokens: int) -> int:
    """Count the sentinels that the hungriest denoiser needs in a window of `num_tokens`."""
    if num_tokens < 2:
        return 0
    return max((d.counts(num_tokens).num_spans for d in denoisers if isinstance(d, SpanDenoiser)), default=0)
