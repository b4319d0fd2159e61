"""The run for a GPU loses nothing that was measured, and says what is not as it should be."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.gpu import run
from benchmarks.gpu.parts import ROOT, Kept, Part, run_part
from benchmarks.gpu.summary import print_summary, summary_of

HERE = {"part": "environment", "device": "H", "torch": "2", "transformers": "5", "trl": None, "missing": {}}


def python(source: str, limit: float = 60.0) -> Part:
    return Part("part", [sys.executable, "-u", "-c", source], limit)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_results_lie_on_the_disk_as_they_come_and_the_rest_goes_into_the_log(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    run_part(python("""print('{"part": "matmul", "size": 1}'); print("hello")"""), kept, seconds_left=60)
    assert lines_of(tmp_path / "results.jsonl") == kept.records
    assert kept.records[0] == {"part": "matmul", "size": 1}
    assert kept.records[1].items() >= {"part": "run", "name": "part", "ended": "done"}.items()
    assert (tmp_path / "log.txt").read_text() == "part: hello\n"


def test_a_part_that_outlives_its_limit_is_ended_with_its_children_and_keeps_what_it_said(
    tmp_path: Path,
) -> None:
    # The child holds the pipe open: were it left alive, the part would not end before it.
    child = "import time; time.sleep(600)"
    source = (
        "import subprocess, sys\n"
        """print('{"part": "matmul", "size": 2}')\n"""
        f"subprocess.run([sys.executable, '-c', {child!r}])\n"
    )
    kept = Kept(tmp_path)
    run_part(python(source, limit=2.0), kept, seconds_left=60)
    assert kept.of("matmul") == [{"part": "matmul", "size": 2}]
    assert kept.of("run")[0]["ended"] == "cut after 2 s"


def test_the_time_of_the_whole_run_limits_every_part(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    run_part(python("import time; time.sleep(600)"), kept, seconds_left=1.0)
    run_part(python("print(1)"), kept, seconds_left=-0.5)
    assert [record["ended"] for record in kept.of("run")] == [
        "cut after 1 s",
        "not begun: no time was left",
    ]


def test_a_part_that_fails_says_so(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    run_part(python("raise SystemExit(3)"), kept, seconds_left=60)
    assert kept.of("run")[0]["ended"] == "exit code 3"


@pytest.mark.parametrize(
    ("line", "test", "outcome"),
    [
        ("tests/gpu/test_a.py::test_b PASSED", "tests/gpu/test_a.py::test_b", "passed"),
        ("tests/gpu/test_a.py::test_b[x y-1] FAILED", "tests/gpu/test_a.py::test_b[x y-1]", "failed"),
        ("tests/gpu/test_a.py::test_b SKIPPED (no GPU)", "tests/gpu/test_a.py::test_b", "skipped"),
        ("[gw1] [ 50%] PASSED tests/gpu/test_a.py::test_b[x] ", "tests/gpu/test_a.py::test_b[x]", "passed"),
        ("[gw10] ERROR tests/gpu/test_a.py::test_b", "tests/gpu/test_a.py::test_b", "error"),
    ],
)
def test_lines_of_pytest_become_results(tmp_path: Path, line: str, test: str, outcome: str) -> None:
    kept = Kept(tmp_path)
    kept.take("parity", line)
    assert kept.records == [{"part": "parity", "test": test, "outcome": outcome}]


def trained(contender: str, tokens_per_second: float, loss: float = 10.0, **more: Any) -> dict[str, Any]:
    return {
        "part": "training",
        "size": "0.6B",
        "contender": contender,
        "tokens_per_second": tokens_per_second,
        "extra_peak_bytes": 2**30,
        "losses": [loss],
        **more,
    }


def backend(name: str, loss: float) -> dict[str, Any]:
    return {
        "part": "backends",
        "backend": name,
        "row_length": 2048,
        "loss": loss,
        "tokens_per_second": 1.0,
        "extra_peak_bytes": None,
        "first_seconds": 1.0,
    }


def faults(tmp_path: Path, *records: dict[str, Any], dry: bool = False) -> list[str]:
    kept = Kept(tmp_path)
    for record in (HERE, {"part": "matmul", "flops_per_second": 100.0}, *records):
        kept.add(record)
    summary = summary_of(kept, dry=dry)
    print_summary(summary)
    assert summary["is_well"] == (not summary["faults"])
    return summary["faults"]


def test_a_run_that_reaches_its_goals_is_well(tmp_path: Path) -> None:
    passed = {"part": "parity", "test": "t", "outcome": "passed"}
    ul2r = trained("ul2r", 9.0, flops_per_second=51.0)
    records = (passed, ul2r, trained("ours", 12.0), trained("trl", 9.9), trained("trl-flex", 1.0))
    assert faults(tmp_path, *records, backend("dense", 5.0), backend("flex", 5.01)) == []


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ([trained("ul2r", 9.0, flops_per_second=49.0)], "0.6B: 49% of the matrix rate, goal 50%"),
        # The faster of TRL's attentions counts.
        (
            [trained("ours", 12.0), trained("trl", 6.0), trained("trl-flex", 11.0)],
            "0.6B: 1.09 times TRL's tokens/s, goal 1.2",
        ),
        ([{"part": "parity", "test": "t", "outcome": "skipped"}], "t: skipped"),
        ([{"part": "backends", "backend": "flex", "row_length": 1, "error": "no"}], "backend flex: no"),
        (
            [{"part": "run", "name": "matmul", "ended": "cut after 2 s", "seconds": 2.0}],
            "matmul: cut after 2 s",
        ),
    ],
)
def test_what_missed_its_goal_is_named(
    tmp_path: Path, records: list[dict[str, Any]], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faults(tmp_path, *records) == [fault]
    assert f"MISSED  {fault}" in capsys.readouterr().out


def test_another_loss_is_a_fault_even_in_a_dry_run(tmp_path: Path) -> None:
    records = [trained("ours", 12.0), trained("trl", 6.0, loss=10.1)]
    records += [backend("dense", 5.0), backend("varlen", 5.1)]
    assert faults(tmp_path, *records, dry=True) == [
        "0.6B: trl begins with loss 10.1000, ours with 10.0000: not the same training",
        "varlen at 2048: loss 5.1000, dense 5.0000",
    ]


def test_without_a_gpu_nothing_but_a_dry_run_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "environment", lambda: {**HERE, "device": None, "missing": {"trl": "TRL"}})
    monkeypatch.setattr("sys.argv", ["run", "--out", str(tmp_path)])
    assert run.main() == 1
    told = capsys.readouterr().err
    assert "missing: trl" in told and "--dry-run" in told


@pytest.mark.slow
def test_a_dry_run_goes_through_every_part(tmp_path: Path) -> None:
    command = [str(ROOT / "benchmarks" / "gpu.sh"), "--dry-run", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["parity"] and summary["matrix_flops_per_second"] > 0
    assert {one["contender"] for one in summary["training"]} == {*run.CONTENDERS}
    assert summary["training"][0]["share_of_matrix_rate"] > 0
    assert {one["backend"] for one in summary["backends"]} == {*run.BACKENDS}
    measured = [one for one in summary["backends"] if "loss" in one]
    assert {one["backend"] for one in measured} >= {"document", "dense"}
    assert len(lines_of(tmp_path / "results.jsonl")) >= 2 + len(measured) + len(summary["training"])
