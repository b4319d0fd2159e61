"""What cannot be done yet is refused or said, never ignored."""

import pytest

from secondwind.errors import RecipeError
from secondwind.recipe import load
from secondwind.study.limits import announce_limits, refuse_unbuilt
from secondwind.study.monitor import Silent


class Heard(Silent):
    """Keep what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.mark.parametrize(
    ("override", "name"),
    [
        ("model.adapter={type: lora}", "model.adapter"),
        ("model.backend=flex", "model.backend"),
        ("corpus.engine=ray", "corpus.engine: ray"),
        ("corpus.sources=[{path: 'toyworld:fresh', rate: 2}]", "corpus.sources.rate"),
        ("flan.sources=[{path: 'toyworld:tasks', rate: 2}]", "flan.sources.rate"),
        ("training.parallel=fsdp", "training.parallel"),
    ],
)
def test_a_setting_without_effect_is_refused(override: str, name: str) -> None:
    with pytest.raises(RecipeError, match=name):
        refuse_unbuilt(load("demo", overrides=[override]))


def test_the_shipped_recipes_ask_for_nothing_unbuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDWIND_DATA", "data")
    for name in ("demo", "toy-base", "parity", "real-text", "pythia-160m", "qwen3-0.6b", "llama-3.2-1b"):
        refuse_unbuilt(load(name))


def test_a_default_that_does_nothing_yet_is_said() -> None:
    heard = Heard()
    announce_limits(load("demo"), heard)
    assert "not yet searched for evaluation items" in heard.lines[0]
    silent = Heard()
    announce_limits(load("demo", overrides=["evaluation.decontaminate=off"]), silent)
    assert silent.lines == []
