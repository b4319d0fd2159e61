"""A base from nothing: which tokenizers it takes, and what is kept of a trained one."""

from pathlib import Path

import pytest

from secondwind.errors import RecipeError
from secondwind.recipe import Recipe, loads
from secondwind.study import Silent
from secondwind.study.pretrain import pretrain
from tests.e2e.conftest import TINY

TRAINED = "{vocabulary_size: 600}"


def recipe(tokenizer: str = TRAINED) -> Recipe:
    return loads(TINY.replace(TRAINED, tokenizer), name="tiny.yaml")


class Watching(Silent):
    """Remembers which stages reported progress."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def progress(self, stage: str, done: int, total: int, detail: str = "") -> None:
        self.stages.append(stage)


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        ("toyworld:tokeniser", "'toyworld:tokeniser'; the toy world has one tokenizer: toyworld:tokenizer"),
        ("toyworld:base", "'toyworld:base'; the toy world has one tokenizer: toyworld:tokenizer"),
        ("./nowhere", r"nowhere', which cannot be loaded: .* Wanted the folder of a tokenizer"),
    ],
)
def test_an_unknown_tokenizer_is_refused_by_name(tokenizer: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "nowhere").mkdir()
    changed = recipe(f'"{tokenizer.replace("./", f"{tmp_path}/")}"')
    with pytest.raises(RecipeError, match=words):
        pretrain(changed, tmp_path / "run", Silent(), train_it=False)


def test_training_the_tokenizer_reports_progress_and_keeps_it_whole(tmp_path: Path) -> None:
    monitor = Watching()
    changed = loads(TINY.replace("limit: 400", "limit: 2100"), name="tiny.yaml")
    pretrain(changed, tmp_path, monitor, train_it=False)
    assert monitor.stages == ["tokenizer", "tokenizer"]
    kept = tmp_path / "pretrained" / "tokenizer"
    assert {"tokenizer.json", "tokenizer_config.json"} <= {path.name for path in kept.iterdir()}
