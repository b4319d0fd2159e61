"""A study from a recipe: arms x seeds, stages in order, each skipped when it is done.

    lay the ground -> train every node -> evaluate every arm -> results.json, data.json, samples.json

A run that was killed and is started again goes on inside the stage where it stopped, and ends with the
same bytes in results.json.
"""

import gc
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path
from typing import Any

from secondwind import recipe as recipes
from secondwind.data import Faults, steps_for_tokens
from secondwind.errors import RunError
from secondwind.evaluation import Protocol, Results
from secondwind.evaluation.engine import evaluate
from secondwind.model.export import export
from secondwind.model.load import RECORD, load
from secondwind.recipe import FlanSection, Recipe, Ul2rSection
from secondwind.runs import canonical_json, fingerprint, locked, read_json, write_atomically
from secondwind.study.facts import data_facts, manifest
from secondwind.study.ground import Ground, lay_ground
from secondwind.study.limits import announce_limits, refuse_unbuilt
from secondwind.study.monitor import Monitor, Silent
from secondwind.study.plan import Node, evaluation_nodes, training_nodes
from secondwind.study.results import collect
from secondwind.study.rows import raw_tokens_read, stage_rows
from secondwind.study.samples import collect_samples
from secondwind.study.settings import place, train_settings, use_threads, watch
from secondwind.study.suites import protocols, read_suites
from secondwind.training.loop import train

_SUMMARY = "summary.json"


def run(recipe: Recipe, out: Path, *, monitor: Monitor | None = None) -> Path:
    """Run a study, or go on with it, and return its folder.

    Raises:
        InputError: the recipe, a model, data or the run folder cannot be used.
        Paused: a signal stopped training; everything done is saved.
    """
    watcher: Monitor = monitor or Silent()
    started = time.time()
    refuse_unbuilt(recipe)
    with locked(out):
        _keep_recipe(recipe, out)
        threads = use_threads(recipe.training)
        announce_limits(recipe, watcher)
        faults = Faults()
        suites = read_suites(recipe, faults)
        if faults.total:
            write_atomically(out / "evaluations" / "faults.json", canonical_json(faults.to_json()))
        ground = lay_ground(recipe, out, watcher)
        asked = protocols(ground, suites)
        for node in training_nodes(recipe.arms, recipe.seeds):
            _train_node(ground, node, watcher)
        evaluated = {node: _evaluate_node(ground, node, asked, watcher) for node in _evaluated(recipe)}
        write_atomically(out / "data.json", canonical_json(data_facts(ground)))
        write_atomically(out / "samples.json", canonical_json(collect_samples(out, evaluated)))
        write_atomically(out / "metrics.jsonl", _all_metrics(ground))
        results = collect(ground, evaluated, _summaries(ground))
        write_atomically(out / "results.json", canonical_json(results))
        told = manifest(ground, threads=threads, started=started, command=sys.argv)
        write_atomically(out / "manifest.json", canonical_json(told | {"peak_memory_bytes": _peak_memory()}))
    return out


def stage_section(recipe: Recipe, stage: str) -> Ul2rSection | FlanSection:
    """Return the section that sets a stage; the control is set by UL2R's."""
    section = recipe.flan if stage == "flan" else recipe.ul2r
    assert section is not None
    return section


def _evaluated(recipe: Recipe) -> list[Node]:
    return evaluation_nodes(recipe.arms, recipe.seeds) if recipe.evaluation.protocols else []


def _keep_recipe(recipe: Recipe, out: Path) -> None:
    """Write the resolved recipe, or refuse to go on with another one than the run began with."""
    path, text = out / "recipe.yaml", recipes.dump(recipe)
    has_begun = any((out / name).exists() for name in ("models", "pretrained"))
    if path.exists() and has_begun and (before := path.read_text(encoding="utf-8")) != text:
        lines = unified_diff(before.splitlines(), text.splitlines(), "this run", "now", lineterm="", n=0)
        raise RunError(
            f"{out} was begun with another recipe:\n"
            + "\n".join(lines)
            + "\nGo on with the old one, or choose "
            "another folder with --out."
        )
    write_atomically(path, text)


def _train_node(ground: Ground, node: Node, monitor: Monitor) -> None:
    """Train one node from its parent and export it, unless that is done."""
    folder, model_folder = ground.out / "stages" / node.name, ground.out / "models" / node.name
    recipe, section = ground.recipe, stage_section(ground.recipe, node.stage)
    stage = stage_rows(ground, node.stage, node.seed)
    budget = recipes.num_tokens(section.tokens, pretraining_tokens=ground.pretraining_tokens)
    steps = steps_for_tokens(stage.rows, budget, section.batch_rows)
    settings = train_settings(section, recipe.training, steps=steps, seed=node.seed)
    parent = ground.base if not node.parent.path else ground.out / "models" / node.parent.name
    identity = fingerprint(
        {
            "parent": read_json(parent / RECORD)["fingerprints"],
            "rows": stage.rows.fingerprint(),
            "settings": asdict(settings),
        }
    )
    if (folder / _SUMMARY).exists() and (model_folder / RECORD).exists():
        if read_json(folder / _SUMMARY)["identity"] != identity:
            raise RunError(
                f"stage {node.name} in {ground.out} was trained on other rows or settings: its data or this "
                "program has changed since. Choose another folder with --out to train it anew."
            )
        return
    attention = "causal" if node.stage == "clm" else section.attention
    model = place(load(parent, attention=attention))
    summary = train(model, stage.rows, settings, folder, stage=node.name, progress=watch(monitor))
    raw = raw_tokens_read(stage, steps * section.batch_rows)
    told = {**asdict(summary), "identity": identity, "raw_tokens_read": raw, "batch_rows": section.batch_rows}
    export(
        model, model_folder, record={"arm": node.arm, "seed": node.seed, "stage": node.stage, "steps": steps}
    )
    write_atomically(folder / _SUMMARY, canonical_json(told))
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)  # the export holds what later stages need
    del model
    gc.collect()


def _evaluate_node(ground: Ground, node: Node, asked: Sequence[Protocol], monitor: Monitor) -> Results:
    """Ask one model everything; what was asked before is read from its files."""
    folder = ground.base if not node.path else ground.out / "models" / node.name
    model = place(load(folder))
    found = Results({})
    for protocol in asked:

        def tell(key: str, done: int, total: int) -> None:
            monitor.progress(f"eval {node.name}", done, total, key)

        found |= evaluate(
            model,
            protocol,
            data=None,
            out=ground.out / "evaluations" / node.name,
            progress=tell,
        )
    del model
    gc.collect()
    return found


def _summaries(ground: Ground) -> dict[Node, dict[str, Any]]:
    """Read what each stage wrote when it ended."""
    nodes = training_nodes(ground.recipe.arms, ground.recipe.seeds)
    return {node: read_json(ground.out / "stages" / node.name / _SUMMARY) for node in nodes}


def _all_metrics(ground: Ground) -> str:
    """Join the metrics of all stages, in the order in which they ran."""
    nodes = training_nodes(ground.recipe.arms, ground.recipe.seeds)
    files = [ground.out / "stages" / node.name / "metrics.jsonl" for node in nodes]
    pretraining = ground.out / "pretrained" / "stage" / "metrics.jsonl"
    return "".join(path.read_text(encoding="utf-8") for path in [pretraining, *files] if path.exists())


def _peak_memory() -> int:
    """Return the largest resident size of this process, in bytes."""
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kibibytes if sys.platform == "darwin" else kibibytes * 1024
