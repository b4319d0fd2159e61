"""A realistic run folder of a toy study, made from formulas: three seeds, six arms, eight benchmarks."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

ARMS = ("base", "clm", "ul2r", "flan", "clm+flan", "ul2r+flan")
SEEDS = ("1", "2", "3")
# key: (family, items, chance, score by arm)
BENCHMARKS = {
    "toy_mmlu": ("MMLU", 400, 0.25, (0.31, 0.32, 0.33, 0.42, 0.43, 0.455)),
    "toy_bbh": ("BBH", 500, 0.35, (0.37, 0.38, 0.41, 0.44, 0.44, 0.49)),
    "toy_bbh:cot": ("BBH", 500, 0.0, (0.05, 0.06, 0.05, 0.31, 0.32, 0.37)),
    "toy_tydiqa": ("TyDiQA", 300, 0.0, (0.18, 0.20, 0.26, 0.33, 0.35, 0.41)),
    "toy_mgsm:cot": ("MGSM", 250, 0.0, (0.02, 0.02, 0.03, 0.11, 0.10, 0.12)),
    "infilling": ("infilling", 200, 0.0, (0.08, 0.09, 0.52, 0.10, 0.11, 0.48)),
    "state_tracking": ("emergent", 200, 0.5, (0.51, 0.50, 0.55, 0.58, 0.57, 0.64)),
    "perplexity": ("perplexity", 240, 0.0, (2.91, 2.84, 2.86, 2.97, 2.93, 2.92)),
    "held_out_tasks": ("held out", 600, 0.2, (0.22, 0.23, 0.24, 0.39, 0.40, 0.43)),
}
IN_AVERAGE = ("toy_mmlu", "toy_bbh", "toy_bbh:cot", "toy_tydiqa", "toy_mgsm:cot")
CONTRASTS = {
    "flan - base": {"flan": 1, "base": -1},
    "clm - base": {"clm": 1, "base": -1},
    "ul2r - clm": {"ul2r": 1, "clm": -1},
    "ul2r+flan - clm+flan": {"ul2r+flan": 1, "clm+flan": -1},
    "ul2r+flan - flan": {"ul2r+flan": 1, "flan": -1},
    "complementarity": {"ul2r+flan": 1, "flan": -1, "ul2r": -1, "base": 1},
}


def toy_score(arm: str, seed: str, key: str) -> float:
    """Give a plausible score: the table's, moved a little by seed."""
    seed = "1" if arm == "base" else seed  # the base has one seed
    wobble = 0.012 * math.sin(7 * int(seed) + 3 * ARMS.index(arm) + len(key))
    return max(0.0, BENCHMARKS[key][3][ARMS.index(arm)] + wobble)


def toy_average(arm: str, seed: str) -> float:
    """Give the normalised average of `toy_score` in points."""
    seed = "1" if arm == "base" else seed
    parts = [
        (toy_score(arm, seed, key) - BENCHMARKS[key][2]) / (1 - BENCHMARKS[key][2]) for key in IN_AVERAGE
    ]
    return 100 * sum(parts) / len(parts)


def toy_results(seeds: tuple[str, ...] = SEEDS) -> dict[str, Any]:
    """Make a whole results.json."""
    seeds_of = {arm: seeds[:1] if arm == "base" else seeds for arm in ARMS}
    arms: dict[str, Any] = {arm: {seed: {} for seed in seeds_of[arm]} for arm in ARMS}
    for arm in ARMS:
        prefix = arm not in ("base", "clm")
        for seed in seeds_of[arm]:
            for key, (family, n, chance, _) in BENCHMARKS.items():
                score = toy_score(arm, seed, key)
                entry = {
                    "mode": "cot" if key.endswith(":cot") else "direct",
                    "attention": "prefix" if prefix else "causal",
                    "score": score,
                    "n": n,
                    "interval": _around(
                        score, 0.03 if score > 1 else 1.96 * math.sqrt(score * (1 - score) / n)
                    ),
                    "failures": 17 if key.endswith(":cot") and not arm.endswith("flan") else 0,
                    "family": family,
                    "chance": None if key == "perplexity" else chance,
                    **({"note": "kinds never tuned on"} if key == "toy_mmlu" else {}),
                }
                arms[arm][seed][key] = entry
                own = entry["attention"]
                for mask in ("causal", "prefix") if key in ("toy_mmlu", "toy_bbh") else ():
                    moved = {"score": score - 0.01, "interval": _around(score - 0.01, 0.05)}
                    arms[arm][seed][f"{key}@{mask}"] = {
                        **entry,
                        **({} if mask == own else moved),
                        "attention": mask,
                    }
                if key == "toy_bbh":
                    arms[arm][seed]["toy_bbh[S]"] = {**entry, "score": score + 0.004}
    return {
        "name": "toy-second-wind",
        "arms": arms,
        "contrasts": [contrast for name in CONTRASTS for contrast in _contrasts(name, seeds)],
        "normalized_average": {
            arm: {
                seed: {
                    "value": toy_average(arm, seed),
                    "interval": _around(toy_average(arm, seed), 2.1),
                    "parts": {key: 100 * toy_score(arm, seed, key) for key in IN_AVERAGE},
                    "missing": [],
                    "benchmark": "normalized_average",
                    "others": {
                        f"normalized_average@{mask}": {
                            "value": toy_average(arm, seed) - away,
                            "interval": _around(toy_average(arm, seed) - away, 2.1),
                            "parts": {},
                            "missing": [],
                        }
                        for mask in ("causal", "prefix")
                        for away in [float((mask == "prefix") == (arm in ("base", "clm")))]
                    },
                }
                for seed in seeds_of[arm]
            }
            for arm in ARMS
        },
        "cost": {arm: _cost(arm) for arm in ARMS},
        "verdict": [
            "Flan alone was worth 14.7 points [12.7, 16.7] for 0.5 % of the base's compute.",
            "UL2R was worth 2.8 points [0.8, 4.8] over its control, for 2.1 % of it.",
            "Under Flan, UL2R was worth 4.5 points [2.5, 6.5] over its control.",
            "Together the steps gave 1.9 points more than their sum, [−0.9, 4.8] over items: not settled.",
        ],
    }


def toy_data() -> dict[str, Any]:
    """Make a whole data.json."""
    shares = {"S": 0.5, "R": 0.25, "X-long": 0.125, "X-dense": 0.125}
    tasks = [
        ("capitals", "recall", 5200, 0.31),
        ("kinship", "reasoning", 3100, 0.27),
        ("sums", "arithmetic", 8000, 0.24),
        ("second_language", "translation", 1500, 0.18),
    ]
    return {
        "corpus": {
            "documents": 48211,
            "tokens": 9_812_004,
            "held_out_documents": 240,
            "duplicates": 31,
            "faults": {
                "empty text": {"count": 4, "first": ["a.jsonl:7"]},
                "broken JSON": {"count": 2, "first": []},
            },
        },
        "ul2r": {
            "mixture": [
                {
                    "name": name,
                    "rate": share,
                    "realised_share": share + 0.0004,
                    "examples": int(20_000 * share),
                    "target_tokens": int(900_000 * share),
                }
                for name, share in shares.items()
            ],
            "raw_tokens_read": 2_310_442,
        },
        "clm": {"raw_tokens_read": 2_871_940, "tokens": 2_000_123},
        "flan": {
            "tasks": [
                {
                    "task": task,
                    "cluster": cluster,
                    "source": "toyworld",
                    "licence": "Apache-2.0",
                    "examples": examples,
                    "cap": 5000,
                    "intended_share": share,
                    "realised_share": share - 0.0003,
                }
                for task, cluster, examples, share in tasks
            ],
            "drops": {"exemplars_dropped": 120, "records_replaced": 3, "became_zero_shot": 0},
            "task_faults": {"no answer": {"count": 1, "first": ["tasks.json:4"]}},
            "formats": {"few_shot": 0.492, "options": 0.31},
            "left_out": [],
        },
    }


def toy_samples() -> list[dict[str, Any]]:
    """Make a whole samples.json."""
    return [
        {
            "kind": "infilling",
            "benchmark": "infilling",
            "prompt": "Mira lives in ___. She walks to the ___ every morning.",
            "reference": ["Talvo", "market"],
            "outputs": {
                "base": ["the", "She"],
                "clm": ["Talvo. She"],
                "ul2r": ["Talvo", "market"],
                "flan": ["in a house", ""],
                "clm+flan": ["Orrin", "house"],
                "ul2r+flan": ["Talvo", "market", "every"],
            },
        },
        {
            "kind": "infilling",
            "benchmark": "infilling",
            "prompt": "Bram gave the red ___ to Sela.",
            "reference": "Bram gave the red lantern to Sela.",
            "outputs": {
                "base": "Bram gave the red Bram Bram Bram",
                "ul2r": "Bram gave the red lantern to Sela.",
                "ul2r+flan": "Bram gave the red stone to Sela.",
            },
        },
        {
            "kind": "instruction",
            "benchmark": "toy_mgsm",
            "prompt": "Answer step by step.\n\nSela has 3 stones and finds 4 more. How many stones has she?",
            "reference": "She starts with 3. 3 + 4 = 7. The answer is 7.",
            "outputs": {
                "base": "Sela has 3 stones and Sela has 3 stones and",
                "flan": "3 and 4. The answer is 7.",
                "ul2r+flan": "She starts with 3. 3 + 4 = 7. The answer is 7.",
            },
        },
    ]


def toy_manifest() -> dict[str, Any]:
    """Make a whole manifest.json."""
    return {
        "secondwind": "0.1.0",
        "versions": {"python": "3.12.4", "torch": "2.13.0", "transformers": "5.23.0", "numpy": "2.3.1"},
        "hardware": {"processor": "a two-core machine", "cores": 2, "gpu": None},
        "threads": 2,
        "stages": {
            f"{arm}-{seed}": {"seconds": 221.4, "tokens_per_second": 9050.0, "flops": 1.1e13, "steps": 100}
            for arm in ARMS[1:]
            for seed in SEEDS
        },
        "peak_memory_bytes": 1_430_000_000,
        "command": ["secondwind", "run", "toy second wind.yaml"],
        "started": "2026-01-05T09:00:00Z",
        "finished": "2026-01-05T09:41:12Z",
        "hashes": {"results.json": "ab" * 32},
    }


RECIPE = """\
name: toy-second-wind
model: {path: "toyworld:base"}
corpus: {sources: [{path: "toyworld:fresh", rate: 1}]}
ul2r: {mixture: u_palm, tokens: 2e6}
arms: [base, clm, ul2r, flan, clm+flan, ul2r+flan]
seeds: [1, 2, 3]
"""


def write_run(folder: Path, *, results: dict[str, Any] | None = None) -> Path:
    """Write a whole run folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (
        ("results.json", results or toy_results()),
        ("data.json", toy_data()),
        ("samples.json", toy_samples()),
        ("manifest.json", toy_manifest()),
    ):
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    tasks = ("capitals", "kinship", "second_language", "sums")
    for arm, start, end, sources in (
        ("clm", 3.1, 2.8, ("C",)),
        ("ul2r", 6.5, 3.2, ("R", "S", "X-dense", "X-long")),
        ("flan", 4.0, 1.3, tasks),
        ("clm+flan", 3.9, 1.25, tasks),
        ("ul2r+flan", 3.6, 1.1, tasks),
    ):
        for seed in SEEDS:
            log = folder / "stages" / f"{arm}-{seed}" / "metrics.jsonl"
            log.parent.mkdir(parents=True)
            rows = [_metric_row(log.parent.name, int(seed), step, start, end, sources) for step in range(100)]
            log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Give a whole run folder."""
    return write_run(tmp_path / "toy-second-wind")


def _metric_row(
    stage: str, seed: int, step: int, start: float, end: float, sources: tuple[str, ...]
) -> dict[str, Any]:
    """Make one row of a metric log: an exponential fall with a ripple."""
    loss = end + (start - end) * math.exp(-step / 20) + 0.05 * math.sin(step * (1.7 + seed))
    looked = {name: {"norm": 1.0 + i, "target_tokens": 600} for i, name in enumerate(sources)}
    return {
        "stage": stage,
        "step": step + 1,
        "loss": loss,
        "grad_norm": 1.0,
        "learning_rate": 1e-4,
        "tokens": 20_000 * (step + 1),
        "target_tokens": 7200 * (step + 1),
        "sources": {name: [loss * (1 + 0.1 * i) * 600, 600] for i, name in enumerate(sources)},
        **({"source_gradients": looked} if step % 20 == 0 else {}),
        "seconds": 0.7,
    }


def _contrasts(name: str, seeds: tuple[str, ...]) -> list[dict[str, Any]]:
    """Make a contrast on the average and on every benchmark."""
    signs = CONTRASTS[name]
    width = math.sqrt(len(signs) / 2)
    rows: list[dict[str, Any]] = []
    for key in ("normalized_average", *BENCHMARKS):
        average = key == "normalized_average"
        effects = [
            sum(
                sign * (toy_average(arm, s) if average else toy_score(arm, s, key))
                for arm, sign in signs.items()
            )
            for s in seeds
        ]
        effect = sum(effects) / len(effects)
        half = 2.0 if average else 0.015 if key == "perplexity" else 0.9 / math.sqrt(BENCHMARKS[key][1])
        spread = max(effects) - min(effects)
        rows.append(
            {
                "name": name,
                "benchmark": key,
                "effect": effect,
                "interval_items": _around(effect, half * width),
                "interval_seeds": _around(effect, 1.4 * spread) if len(seeds) > 1 else None,
                "n": 1950 if average else BENCHMARKS[key][1],
            }
        )
        if key in ("normalized_average", "toy_mmlu", "toy_bbh"):
            # Under one mask for all, a third of the effect is left.
            less = {"effect": effect / 3, "interval_items": _around(effect / 3, half * width)}
            less["interval_seeds"] = rows[-1]["interval_seeds"] and _around(effect / 3, spread)
            rows += [{**rows[-1], **less, "benchmark": f"{key}@{mask}"} for mask in ("causal", "prefix")]
    return rows


def _cost(arm: str) -> dict[str, Any]:
    """Make an arm's cost."""
    tokens = 2_000_000 * (arm.startswith(("clm", "ul2r"))) + 500_000 * arm.endswith("flan")
    return {
        "tokens": tokens,
        "target_tokens": tokens // (1 if arm.startswith("clm") else 2),
        "flops": tokens * 5.4e6,
        "share_of_base": tokens / 96e6,
    }


def _around(value: float, half: float) -> list[float]:
    """Make an interval."""
    return [value - half, value + half]
