"""Shards give back what was written, and a damaged one is named and refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondwind.data import TokenShards
from secondwind.errors import DataError, RunError

DOCUMENTS = [("a.jsonl:1", [5, 6, 7]), ("a.jsonl:2", []), ("ümlaut\n:3", [8, 2**31 - 1])]
FILES = ["tokens.bin", "offsets.npy", "ids.txt", "manifest.json"]

reused_folder = settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def test_documents_come_back_as_written(tmp_path: Path) -> None:
    shards = TokenShards.write(DOCUMENTS, tmp_path / "shards")
    assert [shards.document(number).tolist() for number in range(3)] == [tokens for _, tokens in DOCUMENTS]
    assert shards.ids == tuple(id for id, _ in DOCUMENTS)
    assert (shards.num_documents, shards.num_tokens) == (3, 5)
    assert shards.lengths.tolist() == [3, 0, 2]
    assert shards.document(0).dtype == np.int32
    assert sorted(file.name for file in (tmp_path / "shards").iterdir()) == sorted(FILES)


@reused_folder
@given(documents=st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=20), max_size=10))
def test_any_documents_come_back_as_written(tmp_path: Path, documents: list[list[int]]) -> None:
    written = [(str(number), tokens) for number, tokens in enumerate(documents)]
    shards = TokenShards.write(written, tmp_path / "shards")
    assert [shards.document(number).tolist() for number in range(len(documents))] == documents
    assert shards.num_tokens == sum(map(len, documents))


def test_documents_are_read_only_views(tmp_path: Path) -> None:
    shards = TokenShards.write(DOCUMENTS, tmp_path / "shards")
    with pytest.raises(ValueError, match="read-only"):
        shards.document(0)[0] = 1


def test_fingerprint_follows_the_content_and_not_the_place(tmp_path: Path) -> None:
    first = TokenShards.write(DOCUMENTS, tmp_path / "one")
    renamed = TokenShards.write([(f"other {id}", tokens) for id, tokens in DOCUMENTS], tmp_path / "two")
    moved_border = TokenShards.write([("1", [5, 6]), ("2", [7]), DOCUMENTS[2]], tmp_path / "three")
    assert first.fingerprint() == renamed.fingerprint() != moved_border.fingerprint()


def test_document_outside_the_corpus_is_an_index_error(tmp_path: Path) -> None:
    shards = TokenShards.write(DOCUMENTS, tmp_path / "shards")
    for number in (-1, 3):
        with pytest.raises(IndexError, match="corpus of 3 documents"):
            shards.document(number)


@pytest.mark.parametrize("name", FILES)
def test_deleted_file_is_named(tmp_path: Path, name: str) -> None:
    TokenShards.write(DOCUMENTS, tmp_path / "shards")
    (tmp_path / "shards" / name).unlink()
    with pytest.raises(DataError, match=f"{name} is .*missing"):
        TokenShards.open(tmp_path / "shards")


@pytest.mark.parametrize("name", FILES)
def test_truncated_file_is_named(tmp_path: Path, name: str) -> None:
    TokenShards.write(DOCUMENTS, tmp_path / "shards")
    file = tmp_path / "shards" / name
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(DataError, match=f"{name} is damaged"):
        TokenShards.open(tmp_path / "shards")


@pytest.mark.parametrize("name", FILES)
def test_flipped_bit_in_any_byte_is_refused(tmp_path: Path, name: str) -> None:
    TokenShards.write(DOCUMENTS, tmp_path / "shards")
    file = tmp_path / "shards" / name
    whole = file.read_bytes()
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        file.write_bytes(flipped)
        with pytest.raises(DataError, match=r"is damaged|is missing"):
            TokenShards.open(tmp_path / "shards")
    file.write_bytes(whole)
    assert TokenShards.open(tmp_path / "shards").num_tokens == 5


def test_writing_again_replaces_the_folder(tmp_path: Path) -> None:
    TokenShards.write(DOCUMENTS, tmp_path / "shards")
    shards = TokenShards.write([("new", [9])], tmp_path / "shards")
    assert shards.document(0).tolist() == [9]
    assert [file.name for file in tmp_path.iterdir()] == ["shards"]


def test_failure_while_writing_leaves_the_old_folder_alone(tmp_path: Path) -> None:
    TokenShards.write(DOCUMENTS, tmp_path / "shards")

    def broken() -> object:
        yield "first", [1, 2]
        raise DataError("the second document cannot be read")

    with pytest.raises(DataError, match="second document"):
        TokenShards.write(broken(), tmp_path / "shards")
    assert TokenShards.open(tmp_path / "shards").num_documents == 3
    assert [file.name for file in tmp_path.iterdir()] == ["shards"]


def test_place_that_cannot_be_written_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match="cannot write"):
        TokenShards.write(DOCUMENTS, tmp_path / "file" / "shards")
