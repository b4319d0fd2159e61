"""A small recipe as text, and a folder to put it in."""

from collections.abc import Callable
from pathlib import Path

import pytest

TEXT = """\
name: small
model: {path: org/base, pretraining_tokens: 150e9}
corpus:
  sources: [{path: "texts/*.jsonl"}]
ul2r:
  tokens: 0.1%
  learning_rate: 1e-4
flan:
  sources: [{path: tasks}]
  tokens: 50e6
arms: [base, ul2r, flan]
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a recipe file and gives its path."""

    def write_recipe(text: str) -> Path:
        path = tmp_path / "study.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_recipe
