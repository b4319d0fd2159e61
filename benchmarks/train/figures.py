"""From laps to figures: rates, ratios with their bars, and whether all trained the same.

rounds      round 1: 2.1 1.9 | round 2: 2.0 2.4      best lap 1.9, median 2.05
masks       step 2: 2.1 2.0 2.2 | step 3: 1.4 1.3 1.5     rows differ, so best laps are added: 3.3
"""

from collections.abc import Callable
from statistics import median
from typing import NamedTuple

from benchmarks.train.job import Answer

TITLES = {
    "ours": "ours",
    "trl_trainer": "TRL packed",
    "hf_trainer": "HF Trainer padded",
    "bare": "bare loop",
    "prefix": "UL2R, prefix mask",
    "causal": "UL2R, causal mask",
}
SPEED_BARS = {"trl_trainer": 4.0, "hf_trainer": 3.0, "bare": 0.8}
MEMORY_BAR = 0.35  # of TRL's, at most
MASK_BAR = 0.93
# Between the losses of contenders at the first step, before any update: float32 sums in another order.
_TOLERANCE = {"fp32": 1e-4, "bf16": 2e-2}


class Entry(NamedTuple):
    """One contender under the conditions of one heat.

    Args:
        rates: tokens per second by the best lap of each round.
        best: tokens per second by its best laps of all rounds.
        typical: by the median lap.
    """

    name: str
    best: float
    typical: float
    rates: list[float]
    extra_peak_bytes: float
    peak_is_clean: bool
    start_seconds: float
    losses: list[float]

    @classmethod
    def of(cls, name: str, answers: list[Answer], tokens: int, *, threads: int) -> "Entry":
        """Sum up the answers of all rounds; with several threads the clock counts, else the processor."""
        laps: list[list[tuple[float, int]]] = []
        for answer in answers:
            seconds = answer.cpu_seconds if threads == 1 else answer.wall_seconds
            counted = answer.tokens or [tokens] * len(seconds)
            # The masks' warm-up was dropped at each of their turns already.
            first = 0 if answer.tokens else 1
            laps.append(list(zip(seconds[first:], counted[first:], strict=True)))
        return cls(
            name=name,
            best=_rate([lap for one in laps for lap in one], min),
            typical=_rate([lap for one in laps for lap in one], median),
            rates=[_rate(one, min) for one in laps],
            extra_peak_bytes=median(answer.extra_peak_bytes for answer in answers),
            peak_is_clean=all(answer.peak_is_clean for answer in answers),
            start_seconds=median(answer.start_seconds for answer in answers),
            losses=answers[0].losses,
        )


class Figure(NamedTuple):
    """One ratio, ours over a peer's: by best laps, over the rounds, and its bar."""

    heat: str
    what: str
    ratio: float
    lowest: float
    highest: float
    bar: float | None
    at_most: bool = False

    @property
    def holds(self) -> bool:
        """Tell whether the bar, if any, is reached."""
        if self.bar is None:
            return True
        return self.ratio <= self.bar if self.at_most else self.ratio >= self.bar


def ratios(heat: str, entries: list[Entry], *, has_bars: bool) -> list[Figure]:
    """Compare ours with every peer of a heat, and the two masks with each other."""
    by_name = {entry.name: entry for entry in entries}
    ours, trl = by_name["ours"], by_name["trl_trainer"]
    pairs = [(ours, by_name[name], bar) for name, bar in SPEED_BARS.items()]
    if "prefix" in by_name:
        pairs.append((by_name["prefix"], by_name["causal"], MASK_BAR))
    figures = [
        Figure(
            heat,
            f"tokens/s, {TITLES[one.name]} / {TITLES[other.name]}",
            one.best / other.best,
            *_spread([a / b for a, b in zip(one.rates, other.rates, strict=True)]),
            bar if has_bars else None,
        )
        for one, other, bar in pairs
    ]
    memory = ours.extra_peak_bytes / trl.extra_peak_bytes
    bar = MEMORY_BAR if has_bars else None
    what = "extra peak memory, ours / TRL packed"
    figures.append(Figure(heat, what, memory, memory, memory, bar, at_most=True))
    return figures


def loss_faults(answers: dict[str, list[Answer]], *, precision: str) -> list[str]:
    """Say where a contender's first loss is not ours: it trained on something else, or saw its neighbours."""
    wanted = answers["ours"][0].losses[0]
    found = {name: each.losses[0] for name, rounds in answers.items() for each in rounds if each.losses}
    tolerance = _TOLERANCE[precision]
    return [
        f"{TITLES[name]} begins with loss {loss:.6f}, ours with {wanted:.6f}, wanted within {tolerance:g}. "
        "It attends across examples, or normalises in another way: no ratio with it counts."
        for name, loss in found.items()
        if abs(loss - wanted) > tolerance
    ]


def print_entries(title: str, entries: list[Entry]) -> None:
    """Print what each contender did."""
    columns = f"{'tokens/s, best':>14} {'median':>8} {'extra peak':>12} {'start':>8}  losses"
    print(f"\n{title}\n{'contender':<20} {columns}")
    for entry in entries:
        losses = " ".join(f"{loss:.4f}" for loss in entry.losses[:3])
        print(
            f"{TITLES[entry.name]:<20} {entry.best:>14,.0f} {entry.typical:>8,.0f} "
            f"{entry.extra_peak_bytes / 2**20:>8,.0f} MiB {entry.start_seconds:>6.1f} s  {losses}"
        )
    if not all(entry.peak_is_clean for entry in entries):
        print("extra peaks include imports and loading: /proc/self/clear_refs cannot be written here")


def print_versions(answers: dict[str, list[Answer]]) -> None:
    """Print what took part: peers come from an environment of their own."""
    for name in ("ours", "trl_trainer"):
        told = answers[name][0].versions
        print(f"{TITLES[name]}: {', '.join(f'{package} {version}' for package, version in told.items())}")


def print_figures(figures: list[Figure]) -> None:
    """Print one line per ratio."""
    for figure in figures:
        spread = f"({figure.lowest:.3g} .. {figure.highest:.3g})"
        bar = "" if figure.bar is None else f"{'<=' if figure.at_most else '>='} {figure.bar:g}"
        print(
            f"{figure.what:<58} {figure.ratio:>6.3g} {spread:>18}  {bar}{'' if figure.holds else '  MISSED'}"
        )


def _rate(laps: list[tuple[float, int]], choose: Callable[[list[float]], float]) -> float:
    """Return tokens per second; laps over the same number of tokens are laps over the same rows."""
    by_work: dict[int, list[float]] = {}
    for seconds, tokens in laps:
        by_work.setdefault(tokens, []).append(seconds)
    return sum(by_work) / sum(choose(seconds) for seconds in by_work.values())


def _spread(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)
