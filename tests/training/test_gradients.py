"""Who pulls how hard: gradients of groups of parameters, and of single sources."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from secondwind.example import Batch
from secondwind.model.loss import target_loss
from secondwind.runs import JsonLines
from secondwind.training.gradients import source_gradients
from secondwind.training.loop import train
from secondwind.training.records import MicroBatch
from tests.training.conftest import TinyRows, make_model, make_settings


def micro_batch() -> MicroBatch:
    return MicroBatch(range(4), Batch.stack(TinyRows().rows(range(4))))


def gradient(batch: Batch) -> torch.Tensor:
    """Return the gradient of a batch's mean loss as one vector."""
    model = make_model()
    loss = target_loss(model, batch)
    (loss.total / loss.count).backward()
    gradients = [weight.grad for weight in model.network.parameters()]
    return torch.cat([gradient.flatten() for gradient in gradients if gradient is not None])


def test_each_source_has_the_gradient_that_its_targets_have_without_the_others():
    """The sources' own gradients, weighted by their targets, add up to that of the whole batch."""
    micro = micro_batch()
    found = source_gradients(make_model(), micro, make_settings(), 1, group=str)
    assert len(found) > 1
    total = torch.zeros(())
    for name, entry in found.items():
        mask = np.zeros_like(micro.rows.loss_mask)
        for row, sources in enumerate(micro.rows.sources):
            for segment, source in enumerate(sources, start=1):
                mask[row] |= (micro.rows.segment_ids[row] == segment) & (source == name)
        alone = replace(micro.rows, loss_mask=micro.rows.loss_mask & mask)
        part = gradient(alone)
        assert entry == {
            "norm": pytest.approx(part.norm().item(), rel=1e-5),
            "target_tokens": int(alone.loss_mask.sum()),
        }
        total = total + part * entry["target_tokens"]
    torch.testing.assert_close(total / micro.rows.num_targets, gradient(micro.rows), rtol=1e-4, atol=1e-6)


def test_sources_are_joined_by_their_group():
    micro = micro_batch()
    found = source_gradients(make_model(), micro, make_settings(), 1, group=lambda source: "all of them")
    assert found == {
        "all of them": {
            "norm": pytest.approx(gradient(micro.rows).norm().item(), rel=1e-5),
            "target_tokens": micro.rows.num_targets,
        }
    }


def test_looks_are_taken_when_due_and_change_nothing_that_is_learned(tmp_path):
    metrics = []
    for every in (0, 3):
        folder = tmp_path / str(every)
        train(make_model(dropout=0.5), TinyRows(), make_settings(gradients_every=every), folder)
        metrics.append(JsonLines(folder / "metrics.jsonl").read())
    looked = [record.pop("source_gradients", None) for record in metrics[1]]
    assert [step for step, found in enumerate(looked, start=1) if found] == [3, 6]
    assert all(math.isfinite(entry["norm"]) for entry in looked[2].values())
    assert metrics[0] == metrics[1]
