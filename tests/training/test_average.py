"""The mean of the last parameters, the same after any interruption."""

import pytest
import torch

from secondwind.errors import RunError
from secondwind.training import checkpoint
from secondwind.training.average import averaged_steps
from secondwind.training.loop import train
from tests.training.conftest import LORA, TinyRows, make_model, make_settings
from tests.training.test_loop import Killed, _kill_after, _metrics, _parameters


@pytest.mark.parametrize(("last", "steps"), [(0, []), (1, [8]), (2, [6, 8]), (3, [3, 6, 8]), (9, [3, 6, 8])])
def test_the_last_due_checkpoints_are_averaged(last, steps):
    assert averaged_steps(make_settings(average_last=last)) == steps


@pytest.mark.parametrize("adapter", [None, LORA])
def test_what_is_left_is_the_mean_of_the_parameters_at_the_due_steps(tmp_path, adapter):
    averaged, plain, found = make_model(adapter=adapter), make_model(adapter=adapter), {}

    def keep(report):
        found[report.step] = _parameters(plain)

    train(plain, TinyRows(), make_settings(), tmp_path / "plain", progress=keep)
    train(averaged, TinyRows(), make_settings(average_last=3), tmp_path / "averaged")
    assert _metrics(tmp_path / "averaged") == _metrics(tmp_path / "plain")
    wanted = (found[3] + found[6] + found[8]) / 3
    torch.testing.assert_close(_parameters(averaged), wanted, rtol=0, atol=1e-6)
    assert not torch.allclose(wanted, found[8], atol=1e-4)


@pytest.mark.parametrize("killed_after", [2, 5, 7, 8])
def test_an_average_is_bit_equal_after_a_kill(tmp_path, killed_after):
    settings, unbroken, model = make_settings(average_last=2), make_model(), make_model()
    train(unbroken, TinyRows(), settings, tmp_path / "unbroken")
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), settings, tmp_path / "killed", progress=_kill_after(killed_after))
    train(model, TinyRows(), settings, tmp_path / "killed")
    assert torch.equal(_parameters(model), _parameters(unbroken))
    again = make_model(seed=3)
    train(again, TinyRows(), settings, tmp_path / "killed", progress=pytest.fail)
    assert torch.equal(_parameters(again), _parameters(unbroken))


def test_the_sums_are_part_of_a_checkpoint_and_a_lost_one_is_named(tmp_path):
    train(make_model(), TinyRows(), make_settings(average_last=2), tmp_path)
    last = tmp_path / "checkpoints" / "step-8"
    assert checkpoint.damage(last) is None
    (last / checkpoint.AVERAGE).unlink()
    assert checkpoint.damage(last) == "average.safetensors is missing"


def test_which_checkpoints_are_averaged_may_not_change(tmp_path):
    settings = make_settings(average_last=2)
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), settings, tmp_path, progress=_kill_after(4))
    with pytest.raises(RunError, match="settings.checkpoint_every was 3, is 2"):
        train(make_model(), TinyRows(), make_settings(average_last=2, checkpoint_every=2), tmp_path)
