"""Checkpoints under every fault: whole, or refused by name, or replaced by an older one with a loud line."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError

from secondwind.errors import RunError
from secondwind.training import checkpoint
from secondwind.training.optimizer import make_optimizer
from tests.training.conftest import make_network, make_settings

ALL_FILES = (*checkpoint.FILES, checkpoint.MANIFEST)


def _ignore(_line: str) -> None:
    return None


def _saved(folder: Path, *steps: int, keep: int = 9, tied: bool = False) -> list[Path]:
    """Save one checkpoint per step, each with other parameters."""
    paths = []
    for step in steps:
        network = make_network(seed=step, tied=tied)
        optimizer = make_optimizer(network, make_settings())
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        state = {"counts": {"step": step}}
        paths.append(
            checkpoint.save(
                folder, step, network=network, optimizer=optimizer, average={}, state=state, keep=keep
            )
        )
    return paths


def _flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip_middle(path: Path) -> None:
    _flip(path, path.stat().st_size * 4)


FAULTS = {
    "missing": Path.unlink,
    "truncated": _truncate,
    "flipped": _flip_middle,
    "empty": lambda p: p.write_bytes(b""),
}


@pytest.mark.parametrize("tied", [False, True])
def test_restored_parameters_and_optimizer_state_are_bit_equal(tmp_path, tied):
    (saved,) = _saved(tmp_path, 7, tied=tied)
    network = make_network(seed=99, tied=tied)
    optimizer = make_optimizer(network, make_settings())
    checkpoint.restore(saved, network=network, optimizer=optimizer)
    again = checkpoint.save(tmp_path, 8, network=network, optimizer=optimizer, average={}, state={}, keep=9)
    for name in (checkpoint.PARAMETERS, checkpoint.OPTIMIZER):
        assert (saved / name).read_bytes() == (again / name).read_bytes()
    assert checkpoint.read_state(saved) == {"counts": {"step": 7}}


def test_tied_parameters_stay_tied_and_are_saved_once(tmp_path):
    network = make_network(tied=True)
    names = set(checkpoint.parameter_tensors(network))
    assert "model.embed_tokens.weight" in names
    assert "lm_head.weight" not in names
    (saved,) = _saved(tmp_path, 1, tied=True)
    checkpoint.restore(saved, network=network, optimizer=make_optimizer(network, make_settings()))
    assert network.lm_head.weight is network.model.embed_tokens.weight


def test_checkpoint_holds_exactly_its_files(tmp_path):
    (saved,) = _saved(tmp_path, 3)
    assert sorted(path.name for path in saved.iterdir()) == sorted(ALL_FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["step-3"]
    assert checkpoint.damage(saved) is None


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ALL_FILES)
def test_every_fault_of_every_file_falls_back_loudly_to_the_older_checkpoint(tmp_path, name, fault):
    older, newer = _saved(tmp_path, 10, 20)
    FAULTS[fault](newer / name)
    lines: list[str] = []
    assert checkpoint.newest_verified(tmp_path, log=lines.append) == older
    assert len(lines) == 1
    assert "CHECKPOINT DAMAGED" in lines[0]
    assert name in lines[0]
    assert "Going back to step-10" in lines[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged-step-20", "step-10"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ALL_FILES)
def test_every_fault_of_every_file_is_refused_when_no_older_checkpoint_is_whole(tmp_path, name, fault):
    (only,) = _saved(tmp_path, 10)
    FAULTS[fault](only / name)
    for _ in range(2):  # nothing is set aside, so that a second start does not begin anew in silence
        with pytest.raises(RunError, match=f"all 1 checkpoints .*step-10: {name}"):
            checkpoint.newest_verified(tmp_path, log=_ignore)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return one checkpoint, shared by the bit flips."""
    return _saved(tmp_path_factory.mktemp("whole"), 5)[0]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=st.sampled_from(ALL_FILES), place=st.floats(0, 1, exclude_max=True))
def test_any_flipped_bit_is_found(whole, name, place):
    bit = int(place * (whole / name).stat().st_size * 8)
    _flip(whole / name, bit)
    try:
        assert name in (checkpoint.damage(whole) or "")
    finally:
        _flip(whole / name, bit)
    assert checkpoint.damage(whole) is None


def test_renamed_checkpoint_is_damaged(tmp_path):
    (saved,) = _saved(tmp_path, 5)
    assert "belongs to step 5" in (checkpoint.damage(saved.rename(tmp_path / "step-6")) or "")


def test_no_checkpoint_is_no_error(tmp_path):
    assert checkpoint.newest_verified(tmp_path / "absent", log=pytest.fail) is None


def test_checkpoints_are_ordered_by_number(tmp_path):
    _saved(tmp_path, 9, 10, 100)
    (tmp_path / "step-notes").mkdir()
    assert [path.name for path in checkpoint.list_checkpoints(tmp_path)] == ["step-100", "step-10", "step-9"]


def test_rotation_keeps_the_newest(tmp_path):
    _saved(tmp_path, 1, 2, 3, 4, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-3", "step-4"]


def test_rotation_never_removes_the_last_verified_checkpoint(tmp_path):
    _, second, third = _saved(tmp_path, 1, 2, 3)
    _truncate(second / checkpoint.PARAMETERS)
    _truncate(third / checkpoint.PARAMETERS)
    checkpoint.rotate(tmp_path, keep=2)
    assert [path.name for path in checkpoint.list_checkpoints(tmp_path)] == ["step-3", "step-2", "step-1"]


def test_full_disk_is_seen_before_anything_is_written(tmp_path, monkeypatch):
    _saved(tmp_path, 1)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 20, 1 << 20, 1000))
    with pytest.raises(RunError, match=r"it needs [\d,]+ bytes, and 1,000 bytes are free"):
        _saved(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-1"]


def test_failing_write_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    (earlier,) = _saved(tmp_path, 1)

    def fail(*_: object) -> None:
        raise SafetensorError("Error while serializing: No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(RunError, match=r"step-2: .*No space left on device.*before is untouched"):
        _saved(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-1"]
    assert checkpoint.newest_verified(tmp_path, log=pytest.fail) == earlier


def test_another_model_is_refused(tmp_path):
    (saved,) = _saved(tmp_path, 1, tied=True)
    network = make_network(tied=False)
    with pytest.raises(RunError, match="another model: lm_head.weight was absent, is"):
        checkpoint.restore(saved, network=network, optimizer=make_optimizer(network, make_settings()))


def test_other_settings_are_refused_with_what_changed(tmp_path):
    before = {"rows": "abc", "settings": {"learning_rate": 0.1, "steps": 8}}
    now = {"rows": "abd", "settings": {"learning_rate": 0.2, "steps": 8}}
    checkpoint.refuse_other_identity(tmp_path, before, dict(before))
    with pytest.raises(RunError) as caught:
        checkpoint.refuse_other_identity(tmp_path, before, now)
    assert "rows was abc, is abd; settings.learning_rate was 0.1, is 0.2." in str(caught.value)
