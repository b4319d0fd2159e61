"""A growing file goes on at its last mark that holds, and cuts off what stands behind it."""

import hashlib
from pathlib import Path

import pytest

from secondwind.data.growing import GrowingFile, Mark, intact_marks

STRETCHES = [b"first", b"", b"third!", b"4th"]


def grown(path: Path) -> list[Mark]:
    file = GrowingFile(path)
    marks: list[Mark] = []
    for stretch in STRETCHES:
        file.write(stretch)
        marks.append(file.mark())
    file.write(b"not marked")
    file.close()
    return marks


def test_file_goes_on_at_its_last_mark(tmp_path: Path) -> None:
    marks = grown(tmp_path / "file")
    assert intact_marks(tmp_path / "file", marks) == 4
    file = GrowingFile(tmp_path / "file", marks)
    file.write(b"more")
    content = b"".join(STRETCHES) + b"more"
    assert file.close() == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert (tmp_path / "file").read_bytes() == content


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        (lambda content: content, 4),
        (lambda content: content[:14], 4),
        (lambda content: content[:13], 3),
        (lambda content: content[:5], 2),
        (lambda content: content[:4], 0),
        (lambda content: b"F" + content[1:], 0),
        (lambda content: content[:6] + b"?" + content[7:], 2),
        (lambda content: b"", 0),
    ],
)
def test_marks_hold_up_to_the_first_damage(tmp_path: Path, damage: object, kept: int) -> None:
    marks = grown(tmp_path / "file")
    (tmp_path / "file").write_bytes(damage((tmp_path / "file").read_bytes()))  # type: ignore[operator]
    assert intact_marks(tmp_path / "file", marks) == kept


def test_missing_file_has_no_marks_that_hold(tmp_path: Path) -> None:
    assert intact_marks(tmp_path / "file", [Mark(0, hashlib.sha256().hexdigest())]) == 0
