"""Every family trains: each weight gets a gradient, and recomputed activations give the same."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from secondwind.example import Batch
from secondwind.model.load import LanguageModel, load
from secondwind.model.loss import target_loss
from tests.model.architectures.catalogue import TINY

VISION = ("vision_tower", "multi_modal_projector")  # no text passes through them


def gradients(model: LanguageModel, batch: Batch) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)  # some families drop out
    model.network.zero_grad()
    target_loss(model, batch).total.backward()
    found = {name: weight.grad for name, weight in model.network.named_parameters()}
    missing = [n for n, grad in found.items() if grad is None and not any(part in n for part in VISION)]
    assert missing == []
    return {name: grad.clone() for name, grad in found.items() if grad is not None}


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_every_weight_learns_and_recomputed_activations_change_nothing(
    name: str, packed: Batch, folder_of: Callable[[str], Path]
) -> None:
    model = load(folder_of(name), attention="causal", num_sentinels=4)
    model.network.train()
    plain = gradients(model, packed)
    assert all(torch.isfinite(grad).all() for grad in plain.values())
    model.network.activation_checkpointing_enable()
    for weight, grad in gradients(model, packed).items():
        torch.testing.assert_close(grad, plain[weight], rtol=1e-4, atol=1e-5, msg=weight)
