"""What a study will cost, from sizes alone, and which differences its evaluation can show.

Time is an estimate: the machine's own rate of matrix products, measured for a moment, at the share of
it that training of small models reaches. No setting is ever chosen by it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open

from secondwind import recipe as recipes
from secondwind.evaluation import Protocol, minimum_detectable_difference
from secondwind.flops import Frozen, ModelSize, attention_pairs, training_flops
from secondwind.model.adapter import sketch
from secondwind.model.size import frozen_size, model_size
from secondwind.study.ground import Ground
from secondwind.study.results import base_pretraining_flops
from secondwind.study.rows import StudyRows, stage_section
from secondwind.study.settings import adapter_of
from secondwind.study.suites import suite_sizes

_UTILISATION = 0.3  # of the matmul rate, for models of a few million parameters and short rows
_TIME_FACTOR = 2  # either way: one product of matrices, under the load of a moment, tells no more
_PROBE_SIZE, _PROBE_SECONDS = 512, 0.2
# fp32 parameter and gradient; AdamW adds two moments, Adafactor a row and a column for each matrix.
_BYTES_PER_PARAMETER = {"adamw": 16, "adafactor": 8}
_BYTES_PER_FROZEN_PARAMETER = 4
_SAMPLE_ROWS = 64


@dataclass(frozen=True)
class StagePrice:
    """One stage to train."""

    name: str
    tokens: int
    target_tokens: int
    flops: float


class _Work(NamedTuple):
    size: ModelSize
    frozen: Frozen
    memory_bytes: int


@dataclass(frozen=True)
class Price:
    """The price of a study.

    Args:
        seconds: of training; evaluation comes on top.
        memory_bytes: parameters, gradients and optimizer state; activations come on top.
        share_of_base: all stages of all arms, in the base's pretraining compute; None where unknown.
    """

    stages: tuple[StagePrice, ...]
    flops: float
    share_of_base: float | None
    seconds: float
    memory_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the price as `show --json` prints it."""
        return {
            "stages": [vars(stage) for stage in self.stages],
            "flops": self.flops,
            "share_of_base": self.share_of_base,
            "estimated_training_seconds": round(self.seconds, 1),
            "memory_bytes": self.memory_bytes,
        }

    def lines(self) -> list[str]:
        """Say the price in sentences."""
        share = "unknown (set model.pretraining_tokens)"
        if self.share_of_base is not None:
            share = f"{100 * self.share_of_base:.3g} % of the base's pretraining compute"
        lines = [f"{s.name}: {s.tokens / 1e6:.2f} M tokens, {s.flops:.2e} FLOPs" for s in self.stages]
        return [
            *lines,
            f"all stages: {self.flops:.2e} FLOPs, {share}",
            f"training alone, at this machine's present load: {self.minutes()}; evaluation comes on top",
            f"memory: {self.memory_bytes / 2**30:.2f} GiB for parameters, gradients and optimizer; "
            "activations come on top",
        ]

    def minutes(self) -> str:
        """Say the time as a range: the speed of a product of matrices tells no more."""
        low, high = (self.seconds * factor / 60 for factor in (1 / _TIME_FACTOR, _TIME_FACTOR))
        return "under a minute" if high < 1 else f"{low:,.0f} to {high:,.0f} min"


def price(ground: Ground, rows: StudyRows, *, flops_per_second: float) -> Price:
    """Price every stage of the recipe; all seeds of a stage are priced by the rows of the first.

    Args:
        flops_per_second: of the machine's matrix products, see `matmul_rate`.
    """
    nodes, seed = ground.nodes, ground.recipe.seeds[0]
    work = _work(ground)
    stages_asked = dict.fromkeys(node.stage for node in nodes)
    priced = {stage: _stage(ground, work, rows, stage, seed) for stage in stages_asked}
    stages = tuple(replace(priced[node.stage], name=node.name) for node in nodes)
    flops = sum(stage.flops for stage in stages)
    base = base_pretraining_flops(ground)
    return Price(
        stages=stages,
        flops=flops,
        share_of_base=None if base is None else flops / base,
        seconds=flops / (_UTILISATION * flops_per_second),
        memory_bytes=work.memory_bytes,
    )


def _work(ground: Ground) -> _Work:
    """Count what multiplies, what of it is frozen, and what lies in memory; an adapter included."""
    adapter = adapter_of(ground.recipe)
    bytes_each = _BYTES_PER_PARAMETER[ground.recipe.training.optimizer]
    if adapter is None:
        return _Work(ground.size, Frozen(), num_parameters(ground.base) * bytes_each)
    network = sketch(ground.base, ground.vocabulary, adapter)
    trained = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    still = sum(weight.numel() for weight in network.parameters()) - trained
    memory = trained * bytes_each + still * _BYTES_PER_FROZEN_PARAMETER
    return _Work(model_size(network), frozen_size(network), memory)


def num_parameters(model: Path) -> int:
    """Count the parameters of an exported model from its files' headers; tied ones are stored once."""
    total = 0
    for path in model.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            total += sum(prod(file.get_slice(name).get_shape()) for name in names)
    return total


def resolution(asked: Sequence[Protocol]) -> list[dict[str, Any]]:
    """Say for each benchmark which paired difference would be shown with 80 % power.

    Items of one group may stand or fall together; how far they do is unknown before they are asked. So a
    benchmark is taken to tell what its groups would tell, one item each: the worst case.
    """
    return [
        {
            "benchmark": name,
            "n": size.items,
            "groups": size.groups,
            "detectable": minimum_detectable_difference(size.groups),
        }
        for name, size in suite_sizes(asked).items()
    ]


def _stage(ground: Ground, work: _Work, rows: StudyRows, stage: str, seed: int) -> StagePrice:
    """Price one stage: its budget, with target and attention shares as in its first rows."""
    section = stage_section(ground.recipe, stage)
    budget = recipes.num_tokens(section.tokens, pretraining_tokens=ground.pretraining_tokens)
    sample = [rows.stage(stage, seed).rows.row(number) for number in range(_SAMPLE_ROWS)]
    scale = budget / sum(row.num_tokens for row in sample)
    causal = stage == "clm" or section.attention == "causal"
    pairs = sum(attention_pairs(row.segment_ids, row.prefix_mask & (not causal)) for row in sample)
    targets = sum(row.num_targets for row in sample)
    flops = training_flops(
        work.size,
        tokens=budget,
        target_tokens=targets * scale,
        attention_pairs=pairs * scale,
        frozen=work.frozen,
    )
    return StagePrice(stage, budget, round(targets * scale), flops)


def matmul_rate() -> float:
    """Measure the machine's FLOP/s on a square product."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    matrix = torch.ones(_PROBE_SIZE, _PROBE_SIZE, device=device)
    products, began = 0, time.perf_counter()
    while time.perf_counter() - began < _PROBE_SECONDS:
        torch.mm(matrix, matrix)
        if device == "cuda":
            torch.cuda.synchronize()
        products += 1
    return 2 * _PROBE_SIZE**3 * products / (time.perf_counter() - began)
