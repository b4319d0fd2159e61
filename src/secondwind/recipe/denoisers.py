"""A recipe's own mixture of denoisers: a list under `ul2r.mixture`.

- {kind: span, name: R, mode: R, corruption_rate: 0.15, mean_span_length: 3, rate: 1}
- {kind: prefix, name: S, mode: S, target_share: 0.5, rate: 2}
- {kind: causal, name: C, rate: 1, row_length: 512}        # windows as if rows had 512 tokens
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from secondwind.recipe.fields import Count, Positive, Section, Text

Mode = Literal["R", "S", "X"]


class _Entry(Section):
    """What all denoisers share."""

    name: Text = Field(description="Name in tables and per-denoiser losses.")
    rate: Positive = Field(description="Relative weight in the mixture.")
    row_length: Count | None = Field(
        default=None, description="Windows as if rows had this many tokens; null for ul2r.row_length."
    )


class SpanDenoiserSection(_Entry):
    """An R- or X-denoiser: spans hidden behind sentinels."""

    kind: Literal["span"]
    mode: Mode | None = Field(default=None, description="Mode token; null for none.")
    corruption_rate: float = Field(gt=0, lt=1, description="Share of tokens that become noise.")
    mean_span_length: float = Field(ge=1, description="Tokens per noise span, on average.")
    placement: Literal["uniform", "t5"] = Field(
        default="uniform", description="Where spans lie; t5 keeps the first token and hides the last."
    )


class PrefixDenoiserSection(_Entry):
    """An S-denoiser: a prefix is given, its continuation is learned."""

    kind: Literal["prefix"]
    mode: Mode | None = Field(default=None, description="Mode token; null for none.")
    target_share: float = Field(gt=0, lt=1, description="Expected share of targets; at most 0.5 if uniform.")
    pivot: Literal["uniform", "fixed"] = Field(default="uniform", description="How the pivot is placed.")


class CausalDenoiserSection(_Entry):
    """Plain causal language modelling as a part of the mixture."""

    kind: Literal["causal"]


DenoiserSection = Annotated[
    SpanDenoiserSection | PrefixDenoiserSection | CausalDenoiserSection, Field(discriminator="kind")
]
DenoiserTable = Annotated[tuple[DenoiserSection, ...], Field(min_length=1)]


def table_problems(table: Sequence[DenoiserSection], *, row_length: int) -> list[tuple[str, str]]:
    """List what no single field of a table can know, as (place, text)."""
    problems: list[tuple[str, str]] = []
    names = [entry.name for entry in table]
    if len(set(names)) < len(names):
        problems.append(("ul2r.mixture", f"got the names {', '.join(names)}; wanted each once"))
    for number, entry in enumerate(table):
        place = f"ul2r.mixture.{number}"
        if entry.row_length is not None and entry.row_length > row_length:
            text = f"got {entry.row_length}; wanted at most ul2r.row_length, {row_length}"
            problems.append((f"{place}.row_length", text))
        if isinstance(entry, PrefixDenoiserSection) and entry.pivot == "uniform" and entry.target_share > 0.5:
            text = f"got {entry.target_share}; wanted at most 0.5 with a uniform pivot, or pivot: fixed"
            problems.append((f"{place}.target_share", text))
    return problems
