"""Documents come out the same from any packing and any place; damage is counted, never passed over."""

import bz2
import gzip
import io
import json
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import fsspec
import pytest

from secondwind.data import Document, Faults, formats, read_documents, source_identity
from secondwind.errors import DataError

TEXTS = ["The cat sat.", "zwei\nDrei ü", "a longer text, " * 400]


def zstd(content: bytes) -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor(write_checksum=True).compress(content)


def table(values: list[Any], field: str = "text") -> bytes:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    packed = io.BytesIO()
    columns = {"n": list(range(len(values))), field: values}
    parquet.write_table(pyarrow.table(columns), packed, row_group_size=2, write_page_checksum=True)
    return packed.getvalue()


PACKINGS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd, "": bytes}


def lines(texts: list[str]) -> bytes:
    return b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts)


def read(path: str | Path, **settings: Any) -> list[Document]:
    return list(read_documents(path, faults=Faults(), **settings))


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


@pytest.mark.parametrize("suffix", PACKINGS)
@pytest.mark.parametrize("name_tells", [True, False])
def test_packed_lines_give_the_same_documents(tmp_path: Path, suffix: str, name_tells: bool) -> None:
    file = tmp_path / ("corpus.jsonl" + suffix * name_tells)
    file.write_bytes(PACKINGS[suffix](lines(TEXTS)))
    assert [document.text for document in read(file)] == TEXTS
    assert [document.text for document in read(tmp_path)] == TEXTS


def test_two_zstd_frames_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl.zst").write_bytes(zstd(lines(TEXTS[:1])) + zstd(lines(TEXTS[1:])))
    assert [document.text for document in read(tmp_path)] == TEXTS


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_packed_file_that_ends_early_is_counted(tmp_path: Path, suffix: str) -> None:
    texts = [Random(number).randbytes(9000).hex() for number in range(150)]
    packed = PACKINGS[suffix](lines(texts))
    (tmp_path / f"corpus.jsonl{suffix}").write_bytes(packed[: len(packed) * 3 // 4])
    faults = Faults()
    documents = list(read_documents(tmp_path, faults=faults))
    assert texts[: len(documents)] == [document.text for document in documents]
    assert 0 < len(documents) < 150
    assert faults.count("damaged file") == 1


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_flipped_bit_in_a_packed_file_is_never_passed_over(tmp_path: Path, suffix: str) -> None:
    packed = PACKINGS[suffix](lines(TEXTS))
    for place in range(0, len(packed), 7):
        flipped = bytearray(packed)
        flipped[place] ^= 1 << place % 8
        (tmp_path / f"corpus.jsonl{suffix}").write_bytes(flipped)
        faults = Faults()
        try:
            documents = list(read_documents(tmp_path / f"corpus.jsonl{suffix}", faults=faults))
        except DataError:
            continue
        # A flipped bit in a header's name, time or flags leaves the text alone.
        assert faults.total or [document.text for document in documents] == TEXTS


def test_table_gives_a_document_a_row(tmp_path: Path) -> None:
    (tmp_path / "part.parquet").write_bytes(table([*TEXTS, None, "", "last"]))
    faults = Faults()
    documents = list(read_documents(tmp_path, faults=faults))
    assert [document.text for document in documents] == [*TEXTS, "last"]
    assert documents[-1].id == f"{tmp_path / 'part.parquet'}:6"
    counts = {reason: faults.count(reason) for reason in faults.to_json()}
    assert counts == {"not a string": 1, "empty text": 1}


def test_cell_that_is_too_large_is_counted(tmp_path: Path) -> None:
    (tmp_path / "part.parquet").write_bytes(table(TEXTS))
    faults = Faults()
    assert len(list(read_documents(tmp_path, faults=faults, max_bytes=100))) == 2
    assert faults.count("too large") == 1


def test_table_without_the_column_names_those_it_has(tmp_path: Path) -> None:
    (tmp_path / "part.parquet").write_bytes(table(TEXTS, "content"))
    with pytest.raises(DataError, match="no column 'text'. It has: n, content"):
        read(tmp_path)
    assert len(read(tmp_path, text_field="content")) == 3


def test_flipped_bit_in_a_table_is_never_passed_over(tmp_path: Path) -> None:
    packed = table(TEXTS)
    for place in range(0, len(packed), 11):
        flipped = bytearray(packed)
        flipped[place] ^= 1 << place % 8
        (tmp_path / "part.parquet").write_bytes(flipped)
        faults = Faults()
        try:
            documents = list(read_documents(tmp_path / "part.parquet", faults=faults))
        except DataError:
            continue
        assert faults.total or [document.text for document in documents] == TEXTS


def test_table_that_ends_early_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "part.parquet").write_bytes(table(TEXTS)[:-30])
    with pytest.raises(DataError, match="damaged file"):
        read(tmp_path)


@pytest.mark.parametrize(("name", "content"), [("zstandard", b"\x28\xb5\x2f\xfd"), ("pyarrow", b"PAR1")])
def test_missing_library_is_named_with_its_extra(
    tmp_path: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (name, f"{name}.parquet"):
        monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "corpus").write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}.*pip install 'secondwind\[data\]'"):
        read(tmp_path / "corpus")


@pytest.mark.parametrize("path", ["memory://bucket/a.jsonl", "memory://bucket", "memory://bucket/*.jsonl*"])
def test_address_is_read_as_a_path_is(memory: Any, path: str) -> None:
    memory.pipe("/bucket/a.jsonl", lines(TEXTS))
    if path != "memory://bucket/a.jsonl":
        memory.pipe("/bucket/b.jsonl.gz", gzip.compress(lines(["more"])))
        memory.pipe("/bucket/LICENCE", b"no document")
    documents = read(path)
    assert [document.text for document in documents][:3] == TEXTS
    assert documents[0].id == "memory:///bucket/a.jsonl:1"
    assert len(documents) == (3 if path.endswith("a.jsonl") else 4)


def test_file_address_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(TEXTS))
    assert [document.text for document in read(f"file://{tmp_path}/a.jsonl")] == TEXTS


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("memory://bucket/nothing.jsonl", "no documents at memory://bucket/nothing.jsonl"),
        ("nosuch://bucket/a.jsonl", "nosuch://bucket/a.jsonl cannot be read: Protocol not known"),
        ("hub:name", "names no data set"),
        ("hub:a/b/c/d/e", "names no data set"),
    ],
)
def test_address_that_leads_nowhere_is_an_error(memory: Any, path: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(path)


def test_connection_that_breaks_is_an_error_that_says_what_to_do(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise TimeoutError("the other side said nothing")

    memory.pipe("/bucket/a.jsonl", lines(TEXTS))
    monkeypatch.setattr(type(memory), "open", lambda *_: Broken())
    with pytest.raises(
        DataError, match=r"memory:///bucket/a.jsonl cannot be read: the other side said nothing"
    ):
        read("memory://bucket/a.jsonl")


def test_identity_follows_the_content(tmp_path: Path, memory: Any) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(TEXTS))
    memory.pipe("/bucket/a.jsonl", lines(TEXTS))
    before = [source_identity(tmp_path), source_identity("memory://bucket")]
    assert before == [source_identity(tmp_path), source_identity("memory://bucket")]
    (tmp_path / "a.jsonl").write_bytes(lines(TEXTS[:2]))
    memory.pipe("/bucket/a.jsonl", lines(TEXTS[:2]))
    assert source_identity(tmp_path) != before[0]
    assert source_identity("memory://bucket") != before[1]


@pytest.fixture
def hub(memory: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stand-in for the hub: the same folders in memory."""
    monkeypatch.setattr(formats, "_HUB_FILES", formats._HUB_FILES.replace("hf://", "memory://"))
    folder = "/datasets/org/name@refs/convert/parquet"
    memory.pipe(f"{folder}/default/train/0000.parquet", table(TEXTS[:2]))
    memory.pipe(f"{folder}/default/train/0001.parquet", table(TEXTS[2:]))
    memory.pipe(f"{folder}/default/test/0000.parquet", table(["a test"]))
    return memory


@pytest.mark.parametrize("path", ["hub:org/name", "hub:org/name/default", "hub:org/name/default/train"])
def test_data_set_of_the_hub_is_read_by_name(hub: Any, path: str) -> None:
    assert [document.text for document in read(path)] == TEXTS
    assert [document.text for document in read("hub:org/name/default/test")] == ["a test"]


def test_data_set_with_configurations_wants_one_named(hub: Any) -> None:
    hub.pipe("/datasets/org/name@refs/convert/parquet/extra/train/0000.parquet", table(["extra"]))
    with pytest.raises(DataError, match="2 configurations: default, extra"):
        read("hub:org/name")
    assert [document.text for document in read("hub:org/name/extra")] == ["extra"]
