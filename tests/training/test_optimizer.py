"""Which parameters decay, which Adafactor it is, and the names of optimizer state."""

import pytest
import torch

from secondwind.training.optimizer import (
    make_optimizer,
    optimizer_tensors,
    restore_optimizer,
    set_learning_rate,
)
from tests.training.conftest import make_network, make_settings


def _update(network: torch.nn.Module, optimizer: torch.optim.Optimizer, *, seed: int) -> None:
    """Make one update with random gradients."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step()


@pytest.mark.parametrize("name", ["adamw", "adafactor"])
def test_weight_decay_falls_on_matrices_alone(name):
    optimizer = make_optimizer(make_network(), make_settings(optimizer=name, weight_decay=0.3))
    decays = {p.ndim: group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decays == {2: 0.3, 1: 0.0}


def test_adafactor_is_that_of_torch():
    optimizer = make_optimizer(make_network(), make_settings(optimizer="adafactor"))
    assert type(optimizer) is torch.optim.Adafactor


def test_frozen_parameters_are_left_alone():
    network = make_network()
    network.get_input_embeddings().weight.requires_grad_(False)
    optimizer = make_optimizer(network, make_settings())
    trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert id(network.get_input_embeddings().weight) not in trained
    assert len(trained) == len(list(network.parameters())) - 1


@pytest.mark.parametrize("name", ["adamw", "adafactor"])
def test_restored_optimizer_makes_the_same_next_update(name):
    first, second = make_network(seed=1), make_network(seed=1)
    settings = make_settings(optimizer=name)
    one, other = make_optimizer(first, settings), make_optimizer(second, settings)
    _update(first, one, seed=1)
    second.load_state_dict(first.state_dict())
    restore_optimizer(second, other, optimizer_tensors(first, one))
    for seed, (network, optimizer) in [(2, (first, one)), (2, (second, other))]:
        set_learning_rate(optimizer, 0.05)
        _update(network, optimizer, seed=seed)
    for mine, theirs in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_optimizer_state_is_named_after_the_parameters():
    network = make_network()
    optimizer = make_optimizer(network, make_settings())
    _update(network, optimizer, seed=0)
    tensors = optimizer_tensors(network, optimizer)
    names = [name for name, _ in network.named_parameters()]
    assert set(tensors) == {f"{kind}/{name}" for kind in ("step", "exp_avg", "exp_avg_sq") for name in names}
    assert tensors["exp_avg/model.norm.weight"].shape == (16,)
