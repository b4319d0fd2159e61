"""Files of a run folder are whole or absent, logs survive half a line, and one process holds a folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from secondwind.errors import RunError
from secondwind.runs import (
    JsonLines,
    canonical_json,
    file_sha256,
    fingerprint,
    locked,
    read_json,
    write_atomically,
)


def test_equal_values_give_equal_bytes_and_prints() -> None:
    assert canonical_json({"b": 1, "a": [0.1]}) == canonical_json({"a": [0.1], "b": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "results.json"
    write_atomically(target, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RunError, match=r"cannot write .*results.json: No space left on device"):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_missing_and_damaged_json_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"a.json is missing"):
        read_json(tmp_path / "a.json")
    (tmp_path / "b.json").write_text('{"x": ')
    with pytest.raises(RunError, match=r"b.json is damaged"):
        read_json(tmp_path / "b.json")


def test_half_a_last_line_is_left_out_and_cut_back_keeps_the_first(tmp_path: Path) -> None:
    log = JsonLines(tmp_path / "metrics.jsonl")
    assert log.read() == []
    for step in range(3):
        log.append({"step": step})
    with log.path.open("a") as file:
        file.write('{"step": 3')
    assert [record["step"] for record in log.read()] == [0, 1, 2]
    log.cut_back(2)
    assert [record["step"] for record in log.read()] == [0, 1]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from secondwind.runs import locked\n"
        f"with locked(Path({str(tmp_path)!r})): pass"
    )
    with locked(tmp_path):
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert other.returncode != 0
    assert "is in use by another process" in other.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write the run folder"), locked(tmp_path / "file" / "run"):
        pass


def test_file_hash_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")
