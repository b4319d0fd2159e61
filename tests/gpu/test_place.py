"""What a study does on an accelerator is what it does on the CPU, within rounding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from secondwind.model.generate import generate
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_loss
from secondwind.study.settings import place
from secondwind.training.loop import train
from secondwind.training.records import StepReport
from tests.model.conftest import CONFIGS, make_batch
from tests.model.conftest import make_model as make_family
from tests.training.conftest import TinyRows, make_model, make_settings

pytestmark = pytest.mark.gpu

DEVICE = "cuda"
BATCH = make_batch([[(4, 3), (3, 4), (1, 1)], [(0, 6), (7, 4)]], row_length=18)


def placed(model: LanguageModel) -> LanguageModel:
    """Place a model as a study does, and make sure that it moved: else every test here says nothing."""
    model = place(model, backend=model.backend)
    assert {parameter.device.type for parameter in model.network.parameters()} == {DEVICE}
    assert model.device.type == DEVICE
    return model


def loss_and_gradients(model: LanguageModel) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    loss = target_loss(model, BATCH)
    loss.total.backward()
    gradients = {n: p.grad.cpu() for n, p in model.network.named_parameters() if p.grad is not None}
    return loss.per_target.detach().cpu(), gradients


@pytest.mark.parametrize("backend", ["dense", "document"])
@pytest.mark.parametrize("attention", ["prefix", "causal"])
@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_losses_and_gradients_equal_those_of_the_cpu(family: str, attention: Any, backend: Any) -> None:
    wanted = loss_and_gradients(make_family(CONFIGS[family], backend=backend, attention=attention))
    found = loss_and_gradients(placed(make_family(CONFIGS[family], backend=backend, attention=attention)))
    torch.testing.assert_close(found[0], wanted[0], rtol=1e-4, atol=1e-4)
    assert set(found[1]) == set(wanted[1]) != set()
    for name, gradient in found[1].items():
        torch.testing.assert_close(gradient, wanted[1][name], rtol=1e-3, atol=1e-4, msg=name)


def losses(folder: Path, *, precision: Any = "fp32", on_device: bool = True) -> list[float]:
    """Train the tiny model and return the loss of every step."""
    model, found = make_model(), []

    def keep(report: StepReport) -> None:
        found.append(report.loss)

    if on_device:
        placed(model)
    train(model, TinyRows(), make_settings(precision=precision), folder, progress=keep)
    return found


def test_a_training_run_follows_that_of_the_cpu(tmp_path: Path) -> None:
    wanted = losses(tmp_path / "cpu", on_device=False)
    assert losses(tmp_path / "device") == pytest.approx(wanted, abs=1e-3)
    assert wanted[-1] < wanted[0]


def test_bf16_follows_fp32(tmp_path: Path) -> None:
    wanted = losses(tmp_path / "fp32")
    assert losses(tmp_path / "bf16", precision="bf16") == pytest.approx(wanted, abs=5e-2)


class Killed(BaseException):
    """Stands for kill -9."""


def test_a_killed_run_goes_on_with_the_same_rows_and_nearly_the_same_losses(tmp_path: Path) -> None:
    wanted = losses(tmp_path / "unbroken")

    def kill(report: StepReport) -> None:
        if report.step == 5:
            raise Killed

    with pytest.raises(Killed):
        train(placed(make_model()), TinyRows(), make_settings(), tmp_path / "killed", progress=kill)
    rest = losses(tmp_path / "killed")
    assert len(rest) == 5  # the last checkpoint stands after step 3
    assert rest == pytest.approx(wanted[3:], abs=1e-3)


def test_generation_equals_that_of_the_cpu() -> None:
    inputs = [np.arange(5, 14, dtype=np.int32), np.arange(40, 44, dtype=np.int32)]
    wanted = generate(make_family(CONFIGS["llama"]), inputs, max_new_tokens=8)
    found = generate(placed(make_family(CONFIGS["llama"])), inputs, max_new_tokens=8)
    assert [tokens.tolist() for tokens in found] == [tokens.tolist() for tokens in wanted]
