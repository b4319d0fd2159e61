"""Documents are read as people have them; what cannot be read is counted with its place."""

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondwind.data import Document, Faults, read_documents
from secondwind.errors import DataError


def write(path: Path, *lines: str | bytes) -> Path:
    content = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def record(text: object, field: str = "text") -> str:
    return json.dumps({field: text})


@pytest.mark.parametrize("name", ["corpus.jsonl", "corpus.jsonl.gz", "corpus.json", "corpus"])
def test_jsonl_gives_a_document_a_line(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, record("one"), "", record("zwei\nDrei ü"))
    faults = Faults()
    assert list(read_documents(str(file), faults=faults)) == [
        Document("one", f"{file}:1"),
        Document("zwei\nDrei ü", f"{file}:3"),
    ]
    assert faults.total == 0


@pytest.mark.parametrize("name", ["notes.txt", "notes.txt.gz", "NOTES"])
def test_plain_text_file_is_one_document(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, "\ufeffA title", "", "A line.")
    assert list(read_documents(str(file), faults=Faults())) == [Document("A title\n\nA line.\n", f"{file}:1")]


def test_packed_file_is_known_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(gzip.compress(record("one").encode()))
    assert [document.text for document in read_documents(str(file), faults=Faults())] == ["one"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "The', "broken JSON"),
        ("[" * 100_000, "broken JSON"),
        ("[1, 2]", "not a JSON object"),
        ("{}", "missing field"),
        (record(7), "not a string"),
        (record(None), "not a string"),
        (record(""), "empty text"),
        (record(" \n\t"), "empty text"),
        (b'{"text": "caf\xe9"}', "not UTF-8"),
        (b'{"text": "\\ud800"}', "not UTF-8"),
        (record("x" * 300), "too large"),
    ],
    ids=str,
)
def test_record_that_cannot_be_used_is_counted_with_its_place(
    tmp_path: Path, line: str | bytes, reason: str
) -> None:
    max_bytes = 200 if reason == "too large" else 200_000
    file = write(tmp_path / "corpus.jsonl", record("good"), line, record("also good"))
    faults = Faults()
    documents = list(read_documents(str(file), faults=faults, max_bytes=max_bytes))
    assert [document.id for document in documents] == [f"{file}:1", f"{file}:3"]
    report = faults.to_json()
    assert list(report) == [reason]
    assert report[reason]["count"] == 1
    assert report[reason]["first"][0].startswith(f"{file}:2")


def test_text_field_can_be_named(tmp_path: Path) -> None:
    file = write(tmp_path / "corpus.jsonl", record("one", "content"))
    documents = read_documents(str(file), text_field="content", faults=Faults())
    assert [document.text for document in documents] == ["one"]


def test_folder_gives_its_files_by_name_and_counts_the_others(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl.gz", record("second"))
    write(tmp_path / "a.txt", "first")
    write(tmp_path / "LICENCE", "no document")
    (tmp_path / "inner").mkdir()
    write(tmp_path / "inner" / "c.txt", "further in")
    faults = Faults()
    texts = [document.text for document in read_documents(str(tmp_path), faults=faults)]
    assert texts == ["first\n", "second"]
    report = {"count": 1, "first": [str(tmp_path / "LICENCE")]}
    assert faults.to_json() == {"not a document file": report}


def test_glob_reaches_inner_folders(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    write(tmp_path / "inner" / "c.txt", "further in")
    write(tmp_path / "d.txt", "here")
    texts = [document.text for document in read_documents(str(tmp_path / "**" / "*.txt"), faults=Faults())]
    assert texts == ["here\n", "further in\n"]


@pytest.mark.parametrize(("limit", "count"), [(0, 0), (1, 1), (3, 3), (9, 4)])
def test_limit_counts_documents_over_all_files(tmp_path: Path, limit: int, count: int) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write(tmp_path / name, record("one"), record("two"))
    assert len(list(read_documents(str(tmp_path), limit=limit, faults=Faults()))) == count


def test_missing_path_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.jsonl", tmp_path / "*.jsonl", tmp_path):
        with pytest.raises(DataError, match="no documents at"):
            list(read_documents(str(path), faults=Faults()))


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\x00\x00", "{}".encode("utf-16"), gzip.compress(b"\x00\x01\x02", mtime=0)]
)
def test_binary_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "corpus.jsonl").write_bytes(content)
    with pytest.raises(DataError, match="binary or UTF-16"):
        list(read_documents(str(tmp_path / "corpus.jsonl"), faults=Faults()))


@pytest.mark.parametrize("content", [b"", b"no JSON\n", b"\xff\xfe\xfd"])
def test_file_in_which_nothing_can_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "corpus.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=r"nothing in .*corpus\.jsonl can be read"):
        list(read_documents(str(tmp_path / "corpus.jsonl"), faults=Faults()))


def test_truncated_gzip_gives_what_is_whole_and_counts_the_rest(tmp_path: Path) -> None:
    lines = [record(os.urandom(3000).hex()) for _ in range(20)]
    file = write(tmp_path / "corpus.jsonl.gz", *lines)
    file.write_bytes(file.read_bytes()[:-20_000])
    faults = Faults()
    documents = list(read_documents(str(file), faults=faults))
    assert 0 < len(documents) < 20
    assert faults.to_json()["damaged file"]["count"] == 1


@pytest.mark.parametrize("place", [0, 40])
def test_gzip_in_which_nothing_can_be_read_is_an_error(tmp_path: Path, place: int) -> None:
    packed = gzip.compress(record("one").encode())
    (tmp_path / "corpus.jsonl.gz").write_bytes(packed[:12] + b"\xff" * place)
    with pytest.raises(DataError, match="damaged file"):
        list(read_documents(str(tmp_path / "corpus.jsonl.gz"), faults=Faults()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes_give_documents_or_a_data_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "corpus.jsonl").write_bytes(content)
    faults = Faults()
    try:
        documents = list(read_documents(str(tmp_path / "corpus.jsonl"), faults=faults))
    except DataError as error:
        assert "corpus.jsonl" in str(error)
    else:
        assert documents


def test_faults_keep_all_counts_but_only_the_first_places() -> None:
    faults = Faults()
    for line in range(1000):
        faults.add("empty text", f"a.jsonl:{line}", "nothing but spaces" if line == 0 else "")
    faults.add("broken JSON", "b.jsonl:1")
    assert (faults.total, faults.count("empty text"), faults.count("unheard of")) == (1001, 1000, 0)
    first = faults.to_json()["empty text"]["first"]
    assert first[:2] == ["a.jsonl:0 (nothing but spaces)", "a.jsonl:1"]
    assert len(first) == 5
