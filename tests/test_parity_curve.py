"""The kept curve of the recipe `parity` is compared step by step."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity_curve", ROOT / "scripts" / "parity_curve.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_kept_curve_covers_every_stage(script: ModuleType) -> None:
    losses = json.loads(script.KEPT.read_text())["losses"]
    assert set(losses) == {"pretrain", "ul2r-1", "clm-1", "flan-1", "ul2r+flan-1", "clm+flan-1"}
    assert all(len(curve) >= 10 for curve in losses.values())
    assert script.differences(losses, losses) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([3.0, 2.0 + 5e-7], []),
        ([3.0, 2.0 + 2e-6], ["ul2r-1: from step 2 on, by 2.00e-06 there"]),
        ([3.0, float("nan")], ["ul2r-1: from step 2 on, by nan there"]),
        ([3.0], ["ul2r-1: 1 losses, kept are 2"]),
    ],
)
def test_a_curve_that_parts_is_told_with_its_step(
    script: ModuleType, found: list[float], told: list[str]
) -> None:
    assert script.differences({"ul2r-1": found}, {"ul2r-1": [3.0, 2.0]}) == told


def test_losses_are_read_by_stage(script: ModuleType, tmp_path: Path) -> None:
    records = [{"stage": "a", "loss": 3.0}, {"stage": "b", "loss": 5.0}, {"stage": "a", "loss": 2.0}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert script.curve(tmp_path) == {"a": [3.0, 2.0], "b": [5.0]}
