"""The verdict: what each step was worth, against its control, with its interval and its cost.

    Flan: +31.2 points of normalised average over the base (95 % over items +27.9 .. +34.4; one seed), for
    0.6 M tokens, 1.2 % of the base's pretraining compute: an improvement.

Sentences say what the intervals allow and nothing more: where an interval holds 0, no difference was
shown. They speak of the headline view, each model under the mask that it was trained with; where a
study does not ask that, they name the mask.
"""

from collections.abc import Mapping
from typing import Any

from secondwind.evaluation import ScoreKey, View, average_name, headline_view
from secondwind.study.ground import TOYWORLD, Ground

_Contrasts = Mapping[tuple[str, str], Mapping[str, Any]]
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
    keys = _keys(results)
    view = headline_view(keys)
    average = average_name(view)
    sentences = [
        _sentence(title, by_name[name, average], results["cost"].get(arm) if arm else None, view)
        for name, title, arm in _HEADLINES
        if (name, average) in by_name
    ]
    sentences += _infilling(by_name, view)
    sentences += _perplexity(by_name)
    partial = _missing(results)
    if partial:
        sentences.append(f"The normalised average is partial: without {', '.join(partial)}.")
    sentences += _never_asked(keys, ground.recipe.evaluation.attention)
    if ground.recipe.model is not None and ground.recipe.model.path.startswith(TOYWORLD):
        sentences.append("These are measurements of a toy world, not of any published benchmark.")
    return sentences or ["No arms were compared."]


def _keys(results: Mapping[str, Any]) -> list[str]:
    """List the keys of all scores in the order of asking."""
    scores = [scores for by_seed in results["arms"].values() for scores in by_seed.values()]
    return list(dict.fromkeys(key for found in scores for key in found))


def _sentence(title: str, contrast: Mapping[str, Any], cost: Mapping[str, Any] | None, view: View) -> str:
    low, high = contrast["interval_items"]
    seeds = contrast["interval_seeds"]
    spread = "one seed" if seeds is None else f"over seeds {seeds[0]:+.1f} .. {seeds[1]:+.1f}"
    price = "" if cost is None else f", for {_price(cost)}"
    return (
        f"{title}: {contrast['effect']:+.1f} points of normalised average{_mask(view)} (95 % over "
        f"{contrast['n']:,} items {low:+.1f} .. {high:+.1f}; {spread}){price}: {_word(low, high, seeds)}."
    )


def _mask(view: View) -> str:
    return "" if view.attention == "trained" else f" under the {view.attention} mask"


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


def _infilling(by_name: _Contrasts, view: View) -> list[str]:
    """Say whether UL2R learned to fill blanks, where that was asked."""
    sentences: list[str] = []
    for (name, benchmark), contrast in by_name.items():
        key = ScoreKey.parse(benchmark)
        is_plain = "infilling" in key.benchmark and key == ScoreKey(key.benchmark, view=view)
        if name == "ul2r - clm" and is_plain:
            low, high = (100 * bound for bound in contrast["interval_items"])
            sentences.append(
                f"Filling blanks ({key.benchmark}), UL2R against its control{_mask(view)}: "
                f"{100 * contrast['effect']:+.1f} points (95 % over {contrast['n']:,} items {low:+.1f} .. "
                f"{high:+.1f}): {_word(low, high, None)}."
            )
    return sentences


def _perplexity(by_name: _Contrasts) -> list[str]:
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


def _never_asked(keys: list[str], attentions: tuple[str, ...]) -> list[str]:
    """Say which masks of the recipe no model could follow."""
    asked = {key.view.attention for key in map(ScoreKey.parse, keys) if key.has_views}
    return [
        f"Nothing was asked under the {attention} mask: this architecture cannot attend to what comes later."
        for attention in attentions
        if asked and attention not in asked
    ]
