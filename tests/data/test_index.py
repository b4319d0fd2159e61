"""The index of rows survives a file, and a damaged file is never believed."""

from pathlib import Path

import numpy as np
import pytest

from secondwind.data.index import RowIndex, load_index

BLOCKS = [[5, 7, 7], [8], [3, 1]]


def make_index() -> RowIndex:
    index = RowIndex()
    for tokens in BLOCKS:
        index.add_block(np.array(tokens))
    return index


def told(index: RowIndex) -> tuple[int, list[int]]:
    return index.num_blocks, index.row_tokens(0, index.num_rows).tolist()


def test_rows_are_found_in_their_blocks() -> None:
    index = make_index()
    assert [index.find(row) for row in range(6)] == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1)]
    assert told(index) == (3, [5, 7, 7, 8, 3, 1])


def test_saved_index_is_read_back_and_grows_on(tmp_path: Path) -> None:
    make_index().save(tmp_path / "rows", identity="me")
    index = load_index(tmp_path / "rows", identity="me", log=pytest.fail)
    assert told(index) == told(make_index())
    index.add_block(np.array([9, 9]))
    assert told(index) == (4, [5, 7, 7, 8, 3, 1, 9, 9])
    assert index.find(7) == (3, 1)


def test_the_sources_index_is_kept_beside(tmp_path: Path) -> None:
    make_index().save(tmp_path / "rows", identity="me", source=np.array([0, 2**40, 7]))
    index = load_index(tmp_path / "rows", identity="me", log=pytest.fail)
    assert index.source.tolist() == [0, 2**40, 7]
    assert told(index) == told(make_index())


def test_index_has_grown_when_it_is_a_quarter_larger_than_its_file(tmp_path: Path) -> None:
    index = make_index()
    assert index.has_grown
    index.save(tmp_path / "rows", identity="me")
    assert not index.has_grown
    index.add_block(np.array([4]))  # 7 rows after 6
    assert not index.has_grown
    index.add_block(np.array([4]))
    assert index.has_grown
    index.save(tmp_path / "rows", identity="me")
    assert not load_index(tmp_path / "rows", identity="me", log=pytest.fail).has_grown


def test_index_of_another_stream_is_left_alone(tmp_path: Path) -> None:
    make_index().save(tmp_path / "rows", identity="me")
    assert told(load_index(tmp_path / "rows", identity="you", log=pytest.fail)) == (0, [])


def test_missing_index_is_empty(tmp_path: Path) -> None:
    assert told(load_index(tmp_path / "rows", identity="me", log=pytest.fail)) == (0, [])


def flipped(content: bytes) -> bytes:
    return content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]


@pytest.mark.parametrize(
    "damage",
    [
        flipped,
        lambda content: content[:-1],
        lambda content: content + b"0",
        lambda content: b"",
        lambda content: b"[]\n" + content.partition(b"\n")[2],
        lambda content: content.replace(b'"rows": 6', b'"rows": 7'),
    ],
    ids=["bit flipped", "truncated", "longer", "emptied", "no header", "wrong count"],
)
def test_damaged_index_is_told_of_and_not_believed(damage: object, tmp_path: Path) -> None:
    file, lines = tmp_path / "rows", list[str]()
    make_index().save(file, identity="me")
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    assert told(load_index(file, identity="me", log=lines.append)) == (0, [])
    assert len(lines) == 1 and str(file) in lines[0] and "damaged" in lines[0]
