"""Samples are read from the answer files of each arm's headline scores."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from secondwind.evaluation import Results
from secondwind.runs import JsonLines
from secondwind.study.plan import Node
from secondwind.study.samples import collect_samples


def write(out: Path, node: Node, stem: str, outputs: dict[str, str]) -> None:
    log = JsonLines(out / "evaluations" / node.name / f"{stem}.jsonl")
    log.append({"head": {}})
    for name, output in outputs.items():
        log.append({"task": "t", "id": name, "prompt": f"{name}?", "reference": ["x"], "output": output})


def results(**attention_by_key: str) -> Results:
    made: Any = {
        key.replace("AT", "@"): SimpleNamespace(attention=attention)
        for key, attention in attention_by_key.items()
    }
    return Results(made)


def test_each_arm_shows_the_answers_under_its_own_mask(tmp_path: Path) -> None:
    base, flan = Node((), 1), Node(("flan",), 1)
    write(tmp_path, base, "mmlu@causal", {"a": "base causal", "b": "base b"})
    write(tmp_path, base, "mmlu@prefix", {"a": "base prefix"})
    write(tmp_path, flan, "mmlu@prefix", {"a": "flan prefix"})
    evaluated = {
        base: results(mmlu="causal", mmluATprefix="prefix", perplexity="causal"),
        flan: results(mmlu="prefix", mmluATprefix="prefix", perplexity="causal"),
        Node(("flan",), 2): results(mmlu="prefix"),
    }
    (sample,) = collect_samples(tmp_path, cast(Any, evaluated))
    assert sample["benchmark"] == "mmlu" and sample["prompt"] == "a?"
    assert sample["outputs"] == {"base": "base causal", "flan": "flan prefix"}


def test_a_study_that_asked_nothing_has_no_samples(tmp_path: Path) -> None:
    assert collect_samples(tmp_path, {}) == []


def test_an_arm_that_filled_no_blank_shows_what_it_wrote(tmp_path: Path) -> None:
    base, ul2r = Node((), 1), Node(("ul2r",), 1)
    for node, answer in ((base, ["", ""]), (ul2r, ["", "mat"])):
        log = JsonLines(tmp_path / "evaluations" / node.name / "infilling@causal.jsonl")
        log.append({"head": {}})
        row = {"task": "t", "id": "a", "prompt": "The ___ on the ___.", "reference": ["cat", "mat"]}
        log.append(row | {"left_output": "", "answer": answer, "output": f"raw {node.arm}"})
    evaluated = {base: results(infilling="causal"), ul2r: results(infilling="causal")}
    (sample,) = collect_samples(tmp_path, cast(Any, evaluated))
    assert sample["outputs"] == {"base": {"unread": "raw base"}, "ul2r": ["", "mat"]}
