"""What a run was made from (data.json) and what it took (manifest.json)."""

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from secondwind.data import Stream
from secondwind.denoise import DenoisedCorpus
from secondwind.instruct import InstructionSource
from secondwind.runs import JsonLines, file_sha256, read_json
from secondwind.study.ground import Ground
from secondwind.study.plan import training_nodes
from secondwind.study.rows import StageRows, stage_rows
from secondwind.training import read_timing

_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "pydantic")


def data_facts(ground: Ground) -> dict[str, Any]:
    """Build data.json: corpus, denoisers and tasks as they were really mixed, with all drops by reason."""
    corpus, seed, nodes = ground.corpus, ground.recipe.seeds[0], training_nodes(*_plan(ground))
    found: dict[str, Any] = {"corpus": None if corpus is None else corpus.facts}
    for node in nodes:
        if node.seed != seed or (node.stage in found and len(node.path) > 1):
            continue
        summary = read_json(ground.out / "stages" / node.name / "summary.json")
        if node.stage == "flan":
            found["flan"] = _flan(ground, summary)
        else:
            found[node.stage] = {"raw_tokens_read": summary["raw_tokens_read"], "tokens": summary["tokens"]}
        if node.stage == "ul2r":
            found["ul2r"] |= {"mixture": _denoisers(ground, summary, node.name)}
    return found


def _plan(ground: Ground) -> tuple[Sequence[str], Sequence[int]]:
    return ground.recipe.arms, ground.recipe.seeds


def _denoisers(ground: Ground, summary: dict[str, Any], stage: str) -> list[dict[str, Any]]:
    """Set the realised shares of the denoisers beside the intended ones."""
    rows = stage_rows(ground, "ul2r", ground.recipe.seeds[0])
    source = rows.source
    assert isinstance(source, DenoisedCorpus)
    counted = examples_by_source(rows, summary["steps"] * summary["batch_rows"])
    targets: dict[str, int] = {}
    for record in JsonLines(ground.out / "stages" / stage / "metrics.jsonl").read():
        for name, (_, count) in record["sources"].items():
            targets[name] = targets.get(name, 0) + count
    return denoiser_table(source, counted, targets)


def denoiser_table(
    source: DenoisedCorpus, counted: dict[str, int], targets: dict[str, int]
) -> list[dict[str, Any]]:
    """Tabulate denoisers: intended rate, realised share of examples, and targets."""
    rates = source.rates()
    total = max(1, sum(counted.values()))
    return [
        {
            "name": name,
            "rate": rates.get(name, 0.0),
            "realised_share": counted.get(name, 0) / total,
            "examples": counted.get(name, 0),
            "target_tokens": targets.get(name, 0),
        }
        for name in dict.fromkeys((*rates, *counted))
    ]


def examples_by_source(stage: StageRows, num_rows: int) -> dict[str, int]:
    """Count the examples of the first rows by denoiser, from plans alone."""
    assert isinstance(stage.rows, Stream) and isinstance(stage.source, DenoisedCorpus)
    counted: dict[str, int] = {}
    for number in range(num_rows):
        for index in stage.rows.examples(number).tolist():
            name = stage.source.denoiser(index).name
            counted[name] = counted.get(name, 0) + 1
    return counted


def _flan(ground: Ground, summary: dict[str, Any]) -> dict[str, Any]:
    stage = stage_rows(ground, "flan", ground.recipe.seeds[0])
    assert isinstance(stage.rows, Stream)
    num_rows = summary["steps"] * summary["batch_rows"]
    num_examples = sum(len(stage.rows.examples(number)) for number in range(num_rows))
    faults = {"task_faults": ground.task_faults.to_json()}
    # With a share of plain text the instruction examples are some of the rows' examples.
    source = stage.source
    return faults | (source.facts(num_examples) if isinstance(source, InstructionSource) else {})


def manifest(ground: Ground, *, threads: int, started: float, command: Sequence[str]) -> dict[str, Any]:
    """Build manifest.json: versions, hardware, times, hashes."""
    stages: dict[str, Any] = {}
    for node in training_nodes(*_plan(ground)):
        folder = ground.out / "stages" / node.name
        timing, summary = read_timing(folder), read_json(folder / "summary.json")
        stages[node.name] = {
            "seconds": timing.seconds + timing.save_seconds,
            "tokens_per_second": timing.tokens_per_second,
            "flops": summary["flops"],
            "steps": summary["steps"],
        }
    return {
        "secondwind": version("secondwind"),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count(), "system": platform.system()},
        "threads": threads,
        "stages": stages,
        "command": [Path(command[0]).name, *command[1:]],
        "started": _stamp(started),
        "finished": _stamp(time.time()),
        "hashes": {
            str(path.relative_to(ground.out)): file_sha256(path)
            for path in sorted((ground.out / "models").glob("*/*.safetensors"))
        },
    }


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
