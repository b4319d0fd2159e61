"""The support table of the docs is what `doctor` finds on the models themselves."""

import re
from pathlib import Path

import pytest
from scripts.support_table import row

from tests.model.architectures.catalogue import TINY

PAGE = Path(__file__).parents[3] / "docs" / "architectures.md"
# Learned positions; windows and soft caps; sinks and experts; a dense mask; ALiBi; recurrent layers.
QUICK = ("gpt2", "gemma2", "gpt_oss", "falcon", "bloom", "mamba")


def documented() -> dict[str, str]:
    """Return the lines of the table by the name of their model."""
    page = PAGE.read_text(encoding="utf-8")
    lines = page[page.index("| model | backend |") :].split("\n\n")[0].splitlines()[2:]
    return {re.split(r" ?\| ?", line)[1]: line for line in lines}


def test_every_family_has_its_line_and_none_of_its_checks_failed() -> None:
    lines = documented()
    assert list(lines) == list(TINY)
    assert not any("FAIL" in line or "| - |" in line for line in lines.values())


@pytest.mark.parametrize("name", QUICK)
def test_a_line_is_what_the_doctor_finds(name: str) -> None:
    assert row(name) == documented()[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TINY if name not in QUICK])
def test_every_other_line_is_what_the_doctor_finds(name: str) -> None:
    assert row(name) == documented()[name]
