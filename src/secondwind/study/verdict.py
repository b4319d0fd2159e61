"""The verdict: what each step was worth, against its control, with its interval and its cost.

    Flan: +31.2 points of normalised average over the base (95 % over items +27.9 .. +34.4; one seed), for
    0.6 M tokens, 1.2 % of the base's pretraining compute: an improvement.

Sentences say what the intervals allow and nothing more: where an interval holds 0, no difference was
shown.
"""

from collections.abc import Mapping
from typing import Any

from secondwind.study.ground import TOYWORLD, Ground

_AVERAGE = "normalized_average"
_HEADLINES = (
    ("flan - base", "Flan against the base", "flan"),
    ("ul2r - clm", "UL2R against its control (the same tokens of plain language modelling)", "ul2r"),
    ("ul2r+flan - clm+flan", "UL2R before Flan against its control before Flan", "ul2r+flan"),
    ("ul2r+flan - flan", "UL2R before Flan against Flan alone", "ul2r+flan"),
    (
        "complementarity",
        "Is one plus one more than two? (ul2r+flan - flan) - (ul2r - base)",
        None,
    ),
)


def verdict(results: Mapping[str, Any], ground: Ground) -> list[str]:
    """Write the verdict's sentences from results.json's other parts."""
    by_name = {(c["name"], c["benchmark"]): c for c in results["contrasts"]}
    sentences = [
        _sentence(title, by_name[name, _AVERAGE], results["cost"].get(arm) if arm else None)
        for name, title, arm in _HEADLINES
        if (name, _AVERAGE) in by_name
    ]
    sentences += _infilling(by_name)
    sentences += _perplexity(by_name)
    partial = _missing(results)
    if partial:
        sentences.append(f"The normalised average is partial: without {', '.join(partial)}.")
    if ground.recipe.model is not None and ground.recipe.model.path.startswith(TOYWORLD):
        sentences.append("These are measurements of a toy world, not of any published benchmark.")
    return sentences or ["No arms were compared."]


def _sentence(title: str, contrast: Mapping[str, Any], cost: Mapping[str, Any] | None) -> str:
    low, high = contrast["interval_items"]
    seeds = contrast["interval_seeds"]
    spread = "one seed" if seeds is None else f"over seeds {seeds[0]:+.1f} .. {seeds[1]:+.1f}"
    price = "" if cost is None else f", for {_price(cost)}"
    return (
        f"{title}: {contrast['effect']:+.1f} points of normalised average (95 % over {contrast['n']:,} items "
        f"{low:+.1f} .. {high:+.1f}; {spread}){price}: {_word(low, high, seeds)}."
    )


def _price(cost: Mapping[str, Any]) -> str:
    tokens = f"{cost['tokens'] / 1e6:,.2f} M tokens"
    share = cost["share_of_base"]
    return tokens if share is None else f"{tokens}, {100 * share:.2g} % of the base's pretraining compute"


def _word(low: float, high: float, seeds: list[float] | None) -> str:
    """Name what was shown; with several seeds, the method is judged by the wider of the two intervals."""
    if seeds is not None:
        low, high = min(low, seeds[0]), max(high, seeds[1])
    if low > 0:
        return "an improvement"
    return "a loss" if high < 0 else "no difference shown"


def _infilling(by_name: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[str]:
    """Say whether UL2R learned to fill blanks, where that was asked."""
    sentences: list[str] = []
    for (name, benchmark), contrast in by_name.items():
        is_plain = "infilling" in benchmark and not set(":@[") & set(benchmark)
        if name == "ul2r - clm" and is_plain:
            low, high = (100 * bound for bound in contrast["interval_items"])
            sentences.append(
                f"Filling blanks ({benchmark}), UL2R against its control: {100 * contrast['effect']:+.1f} "
                f"points (95 % over {contrast['n']:,} items {low:+.1f} .. {high:+.1f}): "
                f"{_word(low, high, None)}."
            )
    return sentences


def _perplexity(by_name: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[str]:
    """Say what UL2R costs in plain language modelling."""
    contrast = by_name.get(("ul2r - clm", "perplexity"))
    if contrast is None:
        return []
    low, high = contrast["interval_items"]
    word = "worse" if low > 0 else ("better" if high < 0 else "no difference shown")
    return [
        f"Plain language modelling, UL2R against its control: {contrast['effect']:+.3f} nats per "
        f"held-out token (95 % over documents {low:+.3f} .. {high:+.3f}): {word}."
    ]


def _missing(results: Mapping[str, Any]) -> list[str]:
    for by_seed in results["normalized_average"].values():
        for average in by_seed.values():
            return list(average["missing"])
    return []
