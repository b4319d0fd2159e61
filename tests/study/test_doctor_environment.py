"""`doctor` says what it found about the machine, and promises nothing that does not work."""

import shutil
from collections import namedtuple

import pytest

from secondwind.study import environment


def findings() -> dict[str, tuple[bool | None, str]]:
    return {check.name: (check.passed, check.finding) for check in environment()}


def test_the_environment_is_described_without_promises() -> None:
    found = findings()
    assert set(found) == {"python", "libraries", "CPU", "memory", "GPU", "precision", "free space"}
    assert found["python"][0] is True
    assert "torch 2" in found["libraries"][1] and "transformers 5" in found["libraries"][1]
    assert not any("pip install" in finding for _, finding in found.values())


def test_a_full_disk_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**29))
    passed, finding = findings()["free space"]
    assert passed is False
    assert finding.startswith("0.5 GiB in ") and "wanted more than 1: choose another folder" in finding
