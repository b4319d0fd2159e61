"""The z-loss: optimised beside the loss, normalised like it, reported apart."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from secondwind.errors import NonFiniteLoss
from secondwind.example import Batch
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_logits
from secondwind.runs import JsonLines
from secondwind.training import step as steps
from secondwind.training.loop import train
from tests.training.conftest import TinyRows, make_model, make_settings


def trained(
    weight: float, folder: Path, *, micro_batch_rows: int
) -> tuple[list[dict[str, Any]], LanguageModel]:
    """Train two steps; return the metrics and the model."""
    model = make_model()
    settings = make_settings(steps=2, z_loss=weight, micro_batch_rows=micro_batch_rows, learning_rate=1e-3)
    train(model, TinyRows(), settings, folder)
    return JsonLines(folder / "metrics.jsonl").read(), model


def test_the_z_loss_is_a_mean_over_targets_beside_the_loss_and_pulls_logits_together(tmp_path):
    off, plain = trained(0.0, tmp_path / "off", micro_batch_rows=4)
    on, pulled = trained(0.5, tmp_path / "on", micro_batch_rows=4)
    cut, _ = trained(0.5, tmp_path / "cut", micro_batch_rows=1)
    assert all("z_loss" not in record for record in off)
    rows = Batch.stack(TinyRows().rows(range(6)))
    with torch.no_grad():
        log_z = target_logits(make_model(), rows).logsumexp(1)
        after = [target_logits(model, rows).logsumexp(1).square().mean() for model in (plain, pulled)]
    assert on[0]["z_loss"] == pytest.approx(0.5 * log_z.square().mean().item(), rel=1e-5)
    assert on[0]["loss"] == off[0]["loss"]  # before the first update they are the same model
    assert [one["z_loss"] for one in on] == pytest.approx([one["z_loss"] for one in cut], rel=1e-5)
    assert after[1] < after[0]


def test_a_z_loss_that_is_not_finite_stops_training(tmp_path, monkeypatch):
    original = steps.target_loss

    def target_loss(model, batch, **named):
        loss = original(model, batch, **named)
        return replace(loss, z_total=loss.z_total * float("inf"))

    monkeypatch.setattr(steps, "target_loss", target_loss)
    with pytest.raises(NonFiniteLoss, match="step 1"):
        train(make_model(), TinyRows(), make_settings(z_loss=0.1), tmp_path)
