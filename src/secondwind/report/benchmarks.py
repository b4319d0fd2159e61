"""What a benchmark key says, and in which unit its scores are written.

    toy_bbh:cot*8[S]@causal    ->    toy_bbh CoT, 8 votes, [S], causal
    name, mode, votes, mode token, and an attention that is not the trained one

Accuracies are shares of 1, written in points of 100. The normalised average is in points already.
Perplexity is in nats per token, and there lower is better.
"""

import re
from typing import NamedTuple

from secondwind.report.records import Interval
from secondwind.report.wording import interval_text, minus, points

AVERAGE = "normalized_average"
AVERAGE_LABEL = "Normalised average"
PERPLEXITY = "perplexity"
_PARTS = re.compile(
    r"(?P<name>[^:*\[@]*)(:(?P<mode>[^*\[@]*))?(\*(?P<votes>\d+))?(\[(?P<token>[^\]]*)\])?(@(?P<mask>.*))?"
)
_MODES = {"direct": "", "cot": "CoT"}


class Asked(NamedTuple):
    """The parts of a benchmark key; '' where a part is missing."""

    name: str
    mode: str
    votes: str
    token: str
    mask: str

    @property
    def headline(self) -> str:
        """Return the key of the same benchmark with the trained mask and no mode token."""
        return self.name + (self.mode and f":{self.mode}") + (self.votes and f"*{self.votes}")


def parse_key(key: str) -> Asked:
    """Split a benchmark key; one that does not follow the pattern is all name."""
    match = _PARTS.fullmatch(key)
    if match is None:
        return Asked(key, "", "", "", "")
    return Asked(*(match[part] or "" for part in ("name", "mode", "votes", "token", "mask")))


def is_headline(key: str) -> bool:
    """Say whether a key is a headline score: trained mask, no mode token."""
    asked = parse_key(key)
    return not asked.token and not asked.mask


def benchmark_label(key: str) -> str:
    """Write a benchmark key for readers."""
    if key == AVERAGE:
        return AVERAGE_LABEL
    asked = parse_key(key)
    name = " ".join(part for part in (asked.name, _MODES.get(asked.mode, asked.mode)) if part)
    details = (asked.votes and f"{asked.votes} votes", asked.token and f"[{asked.token}]", asked.mask)
    return ", ".join(part for part in (name, *details) if part)


def in_nats(key: str) -> bool:
    """Say whether a benchmark is scored in nats per token, lower being better."""
    return parse_key(key).name == PERPLEXITY


def unit_scale(key: str) -> float:
    """Return what turns a score or difference into the unit that it is written in."""
    return 1.0 if key == AVERAGE or in_nats(key) else 100.0


def amount(value: float, key: str, *, sign: bool = False) -> str:
    """Write a score or difference of a benchmark in its unit: points, or nats with three decimals."""
    if not in_nats(key):
        return points(value * unit_scale(key), sign=sign)
    value = round(value, 3) + 0.0
    return minus(f"{value:+.3f}" if sign and value else f"{value:.3f}")


def bounds(interval: Interval | None, key: str) -> str:
    """Write an interval of a benchmark in its unit, or ''."""
    if interval is None or not in_nats(key):
        return interval_text(interval, scale=unit_scale(key))
    return f"[{amount(interval[0], key)}, {amount(interval[1], key)}]"
