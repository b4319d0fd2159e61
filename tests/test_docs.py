"""Drawn rows in the docs are what their commands print."""

import re
import shlex
from pathlib import Path

import pytest

from secondwind.cli import main

DOCS = Path(__file__).parents[1] / "docs"
DRAWN = re.compile(r"```\n\$ (secondwind show --text [^\n]+)\n(.*?)\n```", re.DOTALL)


@pytest.mark.parametrize("page", ["denoising.md"])
def test_drawings_are_what_their_commands_print(
    page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    drawings = DRAWN.findall((DOCS / page).read_text(encoding="utf-8"))
    assert len(drawings) >= 4
    for command, drawn in drawings:
        assert main(shlex.split(command)[1:]) == 0
        assert capsys.readouterr().out.rstrip() == drawn, command
