"""A corpus is encoded once, split by text, deduplicated and accounted for."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secondwind.data import Corpus, Document, Faults, prepare, read_documents
from secondwind.errors import DataError, VocabularyError
from tests.data.conftest import LetterTokenizer, make_vocabulary

DOCUMENTS = [Document(f"document {number}", f"a.jsonl:{number}") for number in range(1500)]


def run(documents: Any, folder: Path, **changed: Any) -> Corpus:
    settings = {"held_out": 0.0, "faults": Faults(), "identity": {"sources": ["a.jsonl"]}} | changed
    tokenizer = settings.pop("tokenizer", LetterTokenizer())
    return prepare(documents, tokenizer, make_vocabulary(bos=True), folder, **settings)


def test_documents_are_encoded_in_order(tmp_path: Path) -> None:
    corpus = run(DOCUMENTS, tmp_path / "corpus")
    encoded = LetterTokenizer()(
        [document.text for document in DOCUMENTS], add_special_tokens=False, split_special_tokens=True
    )["input_ids"]
    assert [corpus.train.document(number).tolist() for number in range(1500)] == encoded
    assert corpus.train.ids == tuple(document.id for document in DOCUMENTS)
    assert corpus.held_out is None
    assert corpus.facts == {
        "documents": 1500,
        "tokens": sum(map(len, encoded)),
        "held_out_documents": 0,
        "held_out_tokens": 0,
        "duplicates": 0,
        "left_out_by_rate": 0,
        "faults": {},
    }


def test_held_out_documents_are_chosen_by_their_text(tmp_path: Path) -> None:
    whole = run(DOCUMENTS, tmp_path / "whole", held_out=0.1)
    backwards = run(DOCUMENTS[::-1], tmp_path / "backwards", held_out=0.1)
    assert whole.held_out is not None and backwards.held_out is not None
    assert set(whole.held_out.ids) == set(backwards.held_out.ids)
    assert not set(whole.held_out.ids) & set(whole.train.ids)
    assert whole.train.num_documents + whole.held_out.num_documents == 1500
    assert 100 <= whole.held_out.num_documents <= 200
    assert whole.facts["held_out_documents"] == whole.held_out.num_documents


def test_duplicates_are_left_out_and_named(tmp_path: Path) -> None:
    faults = Faults()
    copies = [Document("document 3", "b.jsonl:1"), Document("document 3 ", "b.jsonl:2")]
    corpus = run([*DOCUMENTS[:5], *copies], tmp_path / "corpus", faults=faults)
    assert corpus.train.ids[5:] == ("b.jsonl:2",)
    assert corpus.facts["duplicates"] == 1
    assert faults.to_json() == {"duplicate": {"count": 1, "first": ["b.jsonl:1"]}}


def test_duplicates_can_be_kept_and_are_counted_still(tmp_path: Path) -> None:
    faults = Faults()
    documents = [*DOCUMENTS[:5], Document("document 3", "b.jsonl:1")]
    corpus = run(documents, tmp_path / "corpus", faults=faults, duplicates="keep")
    assert corpus.train.ids[5:] == ("b.jsonl:1",)
    assert corpus.facts["duplicates"] == 1
    assert faults.to_json() == {"duplicate, kept": {"count": 1, "first": ["b.jsonl:1"]}}


def test_kept_duplicates_lie_on_one_side(tmp_path: Path) -> None:
    corpus = run([*DOCUMENTS, *DOCUMENTS], tmp_path / "corpus", held_out=0.1, duplicates="keep")
    assert corpus.held_out is not None
    for side in (corpus.train, corpus.held_out):
        assert set(Counter(side.ids).values()) == {2}
    assert not set(corpus.held_out.ids) & set(corpus.train.ids)


@pytest.mark.parametrize(("rate", "fewest", "most"), [(0.25, 325, 425), (1.0, 1500, 1500), (2.5, 3650, 3850)])
def test_rate_repeats_documents_or_leaves_some_out(
    tmp_path: Path, rate: float, fewest: int, most: int
) -> None:
    documents = [Document(document.text, document.id, rate) for document in DOCUMENTS]
    corpus = run(documents, tmp_path / "corpus")
    times = Counter(corpus.train.ids)
    assert fewest <= corpus.train.num_documents <= most
    assert set(times.values()) <= {max(1, int(rate)), int(rate) + 1}
    assert corpus.facts["left_out_by_rate"] == 1500 - len(times)
    backwards = run(documents[::-1], tmp_path / "backwards")
    assert Counter(backwards.train.ids) == times


def test_rate_leaves_the_held_out_documents_alone(tmp_path: Path) -> None:
    sides = [
        run([Document(d.text, d.id, rate) for d in DOCUMENTS], tmp_path / str(rate), held_out=0.1).held_out
        for rate in (0.01, 1.0, 3.0)
    ]
    assert len({side.fingerprint() for side in sides if side is not None}) == 1


def test_document_without_tokens_is_counted(tmp_path: Path) -> None:
    faults = Faults()
    corpus = run([Document("~", "a:1"), Document("ab", "a:2")], tmp_path / "corpus", faults=faults)
    assert corpus.train.ids == ("a:2",)
    assert corpus.facts["faults"] == faults.to_json() == {"no tokens": {"count": 1, "first": ["a:1"]}}


def never_read() -> Iterator[Document]:
    raise AssertionError("the documents were read again")
    yield


def test_same_inputs_find_the_folder_again(tmp_path: Path) -> None:
    first = run(DOCUMENTS, tmp_path / "corpus", held_out=0.1)
    again = run(never_read(), tmp_path / "corpus", held_out=0.1)
    assert again.facts == first.facts
    assert again.train.fingerprint() == first.train.fingerprint()
    assert again.held_out is not None


@pytest.mark.parametrize("changed", [{"identity": {"sources": ["b.jsonl"]}}, {"held_out": 0.2}], ids=str)
def test_other_inputs_replace_the_folder(tmp_path: Path, changed: dict[str, Any]) -> None:
    run(DOCUMENTS, tmp_path / "corpus")
    assert run(DOCUMENTS[:7], tmp_path / "corpus", **changed).facts["documents"] <= 7
    assert [file.name for file in tmp_path.iterdir()] == ["corpus"]


def test_progress_is_told_after_each_chunk(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    corpus = run(DOCUMENTS, tmp_path / "corpus", progress=lambda *counts: told.append(counts))
    assert [documents for documents, _ in told] == [512, 1024, 1500]
    assert told[-1][1] == corpus.train.num_tokens


class LeakyTokenizer(LetterTokenizer):
    """Turn `!` into a given id, as a broken tokenizer would."""

    def __init__(self, leaked: int) -> None:
        self.leaked = leaked

    def __call__(self, text: list[str], **settings: object) -> dict[str, list[list[int]]]:
        return {"input_ids": [[self.leaked if c == "!" else 10 for c in piece] for piece in text]}


@pytest.mark.parametrize(
    ("leaked", "what"), [(5, r"reserved id 5 \(<0>\)"), (64, "id 64 at token 5, but the table has 64 rows")]
)
def test_document_with_an_id_that_is_not_ordinary_is_named(tmp_path: Path, leaked: int, what: str) -> None:
    documents = [*DOCUMENTS[:3], Document("oh no!", "b.jsonl:7")]
    with pytest.raises(VocabularyError, match=rf"document b\.jsonl:7 holds the {what}"):
        run(documents, tmp_path / "corpus", tokenizer=LeakyTokenizer(leaked))
    assert list(tmp_path.iterdir()) == []


def test_corpus_without_documents_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no document is left to train on"):
        run([], tmp_path / "corpus")


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_share_that_is_no_share_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(DataError, match="held_out is"):
        run(DOCUMENTS, tmp_path / "corpus", held_out=share)


@pytest.mark.parametrize("name", ["corpus.json", "train/tokens.bin", "held_out/manifest.json"])
def test_damaged_corpus_is_named(tmp_path: Path, name: str) -> None:
    run(DOCUMENTS, tmp_path / "corpus", held_out=0.1)
    file = tmp_path / "corpus" / name
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(DataError, match=f"{name} is damaged"):
        run(DOCUMENTS, tmp_path / "corpus", held_out=0.1)


def test_real_text_becomes_a_corpus(tmp_path: Path) -> None:
    folder = os.environ.get("SECONDWIND_DATA")
    if not folder:
        pytest.skip("SECONDWIND_DATA does not name a folder with development data")
    faults = Faults()
    documents = read_documents(f"{folder}/pretrain/en_modern.jsonl.gz", limit=200, faults=faults)
    corpus = run(documents, tmp_path / "corpus", held_out=0.05, faults=faults)
    assert corpus.facts["documents"] + corpus.facts["held_out_documents"] == 200
    assert faults.total == 0
