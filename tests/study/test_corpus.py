"""A recipe's sources become one corpus, known again by its content and by nothing else."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tokenizers import pre_tokenizers

from secondwind.data import Corpus, Faults
from secondwind.recipe import CorpusSource, Recipe, load
from secondwind.study import corpus as corpus_module
from secondwind.study.corpus import documents, prepare_corpus
from secondwind.study.monitor import Silent
from secondwind.vocabulary import Vocabulary
from tests.vocabulary.makers import gpt2_like


def recipe(*sources: dict[str, Any], **settings: object) -> Recipe:
    values = {"sources": sources, "held_out": 0.1, "workers": 1} | settings
    return load("demo", overrides=[f"corpus.{name}={json.dumps(value)}" for name, value in values.items()])


def text(path: Path, name: str, number: int) -> dict[str, Any]:
    path.write_text("".join(json.dumps({"text": f"{name} tells story {n}"}) + "\n" for n in range(number)))
    return {"path": str(path)}


class Preparing:
    """Prepare into one folder, and count what is really encoded."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.num_read = folder, 0
        self.tokenizer = gpt2_like()
        self.vocabulary = Vocabulary.adopt(self.tokenizer, num_sentinels=5)
        read = corpus_module.read_documents

        def counted(*arguments: Any, **settings: Any) -> Any:
            self.num_read += 1
            return read(*arguments, **settings)

        monkeypatch.setattr(corpus_module, "read_documents", counted)

    def __call__(self, recipe: Recipe) -> Corpus:
        return prepare_corpus(recipe, self.tokenizer, self.vocabulary, self.folder, Silent())


@pytest.fixture
def preparing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Preparing:
    return Preparing(tmp_path / "corpus", monkeypatch)


def test_rates_of_sources_are_rates_of_their_documents(tmp_path: Path, preparing: Preparing) -> None:
    rare, often = text(tmp_path / "rare.jsonl", "Ann", 400), text(tmp_path / "often.jsonl", "Ben", 100)
    corpus = preparing(recipe(rare | {"rate": 0.25}, often | {"rate": 3}, held_out=0))
    counts = Counter(Path(id.rsplit(":", 1)[0]).stem for id in corpus.train.ids)
    assert counts["often"] == 300
    assert 70 <= counts["rare"] <= 130
    assert corpus.facts["left_out_by_rate"] == 400 - counts["rare"]


def test_toy_documents_have_the_rate_of_their_source() -> None:
    source = CorpusSource(path="toyworld:fresh", limit=3, rate=2.0)
    assert [document.rate for document in documents(source, Faults())] == [2.0] * 3


def test_changed_number_of_workers_reads_nothing_again(tmp_path: Path, preparing: Preparing) -> None:
    source = text(tmp_path / "a.jsonl", "Ann", 50)
    first = preparing(recipe(source))
    again = preparing(recipe(source, workers=2))
    assert preparing.num_read == 1
    assert again.train.fingerprint() == first.train.fingerprint()


@pytest.mark.parametrize("change", ["file", "rate", "duplicates", "pre_tokenizer"])
def test_anything_that_changes_the_tokens_makes_the_corpus_anew(
    tmp_path: Path, preparing: Preparing, change: str
) -> None:
    source, settings = text(tmp_path / "a.jsonl", "Ann", 50), {}
    preparing(recipe(source))
    if change == "file":
        text(tmp_path / "a.jsonl", "Ben", 50)
    elif change == "rate":
        source["rate"] = 2
    elif change == "duplicates":
        settings = {"duplicates": "keep"}
    else:  # the entries of the vocabulary stay, and what becomes of text does not
        splitter = pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.ByteLevel()])
        preparing.tokenizer.backend_tokenizer.pre_tokenizer = splitter
    preparing(recipe(source, **settings))
    assert preparing.num_read == 2


def test_auto_workers_are_as_many_as_there_are_cpus(
    tmp_path: Path, preparing: Preparing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    prepare = corpus_module.prepare

    def noting(*arguments: Any, **settings: Any) -> Corpus:
        asked.append(settings["workers"])
        return prepare(*arguments, **settings)

    monkeypatch.setattr(corpus_module, "prepare", noting)
    monkeypatch.setattr(corpus_module, "available_cpus", lambda: 7)
    source = text(tmp_path / "a.jsonl", "Ann", 50)
    preparing(recipe(source, workers="auto"))
    preparing(recipe(source, workers=3))
    assert asked == [7, 3]
