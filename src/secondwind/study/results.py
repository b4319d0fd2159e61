"""From evaluated models to results.json: scores, contrasts, averages, cost, verdict.

No times, paths or host names go in here, so a repeated or resumed run gives the same bytes.
"""

from collections.abc import Mapping
from typing import Any

from secondwind.evaluation import Results, contrasts, normalized_average
from secondwind.flops import pretraining_flops
from secondwind.study.ground import Ground
from secondwind.study.plan import Node, contrasts_of, nodes_of
from secondwind.study.verdict import verdict


def collect(
    ground: Ground, evaluated: Mapping[Node, Results], summaries: Mapping[Node, Mapping[str, Any]]
) -> dict[str, Any]:
    """Build results.json."""
    arms: dict[str, dict[int, Results]] = {}
    for node, results in evaluated.items():
        arms.setdefault(node.arm, {})[node.seed] = results
    found = {
        "name": ground.recipe.name,
        "arms": {
            arm: {str(seed): results.to_json() for seed, results in by_seed.items()}
            for arm, by_seed in arms.items()
        },
        "contrasts": _contrasts(arms),
        "normalized_average": _averages(arms),
        "cost": costs(ground, summaries),
    }
    return found | {"verdict": verdict(found, ground)}


def _averages(arms: Mapping[str, Mapping[int, Results]]) -> dict[str, dict[str, Any]]:
    """Average each model that was asked something that counts."""
    averages = {
        arm: {str(seed): normalized_average(results) for seed, results in by_seed.items()}
        for arm, by_seed in arms.items()
    }
    found = {
        arm: {seed: average.to_json() for seed, average in by_seed.items() if average.value is not None}
        for arm, by_seed in averages.items()
    }
    return {arm: by_seed for arm, by_seed in found.items() if by_seed}


def _contrasts(arms: Mapping[str, Mapping[int, Results]]) -> list[dict[str, Any]]:
    wanted = contrasts_of(list(arms))
    if not wanted:
        return []
    return [found.to_json() for found in contrasts(arms, {c.name: c.signs for c in wanted})]


def costs(ground: Ground, summaries: Mapping[Node, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Add up each arm's stages, as a mean over seeds, and set them against the base's pretraining."""
    base_flops = base_pretraining_flops(ground)
    found: dict[str, dict[str, Any]] = {}
    seeds = ground.recipe.seeds
    for arm in ground.recipe.arms:
        stages = [summaries[node] for seed in seeds for node in nodes_of(arm, seed)]
        total = {
            name: sum(stage[name] for stage in stages) / len(seeds)
            for name in ("tokens", "target_tokens", "flops")
        }
        found[arm] = {
            "tokens": round(total["tokens"]),
            "target_tokens": round(total["target_tokens"]),
            "flops": total["flops"],
            "share_of_base": None if base_flops is None else total["flops"] / base_flops,
        }
    return found


def base_pretraining_flops(ground: Ground) -> float | None:
    """Return what the base's pretraining cost, or None where its tokens are unknown."""
    if ground.pretraining_tokens is None:
        return None
    return pretraining_flops(
        ground.size, tokens=ground.pretraining_tokens, context=ground.pretraining_context
    )
