"""Chunks under FSDP2: two ranks, one of which has few targets, get the gradients of one process."""

import subprocess
import sys

import pytest
import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from secondwind.example import Batch
from secondwind.model import chunked
from secondwind.model.loss import target_loss
from tests.model.conftest import CONFIGS, WINDOWED, make_batch, make_model

FAMILIES = {"llama": CONFIGS["llama"], "gemma2": {**WINDOWED["gemma2"], "final_logit_softcapping": 3.0}}


def batch_of(rank: int) -> Batch:
    """Return 17 targets, or 3 that need no chunks."""
    return make_batch([[(4, 3), (3, 4), (1, 1)], [(0, 6), (7, 4)]] if rank else [[(4, 3)]], row_length=18)


def compare(family: str) -> None:
    """Compare the gradients that two ranks have together with those of both batches in one process."""
    whole, sharded = make_model(FAMILIES[family]), make_model(FAMILIES[family])
    mesh = init_device_mesh("cpu", (2,))
    for layer in sharded.network.get_decoder().layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(sharded.network, mesh=mesh)
    chunked.max_positions = lambda _: 10**9
    for rank in (0, 1):
        (target_loss(whole, batch_of(rank)).total / 2).backward()
    chunked.max_positions = lambda _: 4
    for _ in range(2):
        sharded.network.zero_grad()
        target_loss(sharded, batch_of(distributed.get_rank())).total.backward()
    wanted = dict(whole.network.named_parameters())
    for name, parameter in sharded.network.named_parameters():
        found, gradient = parameter.grad.full_tensor(), wanted[name].grad
        assert (found - gradient).norm() < 2e-6 * gradient.norm(), name
    assert chunked.body_of(sharded) is not None


@pytest.mark.slow
def test_sharded_ranks_get_the_gradients_of_one_process() -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    done = subprocess.run(
        [*command, "-m", "tests.model.test_chunked_ranks"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("same gradients") == 2 * len(FAMILIES)


if __name__ == "__main__":
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    for name in FAMILIES:
        compare(name)
        print("same gradients", flush=True)
    distributed.destroy_process_group()
