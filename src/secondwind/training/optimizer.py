"""Optimizers, and their state as named tensors.

state tensor                        name in a checkpoint
exp_avg of layers.0.mlp.weight      exp_avg/layers.0.mlp.weight
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adafactor, AdamW, Optimizer

from secondwind.training.settings import TrainSettings

# GPT-3's choice (arXiv:2005.14165, appendix B) and that of most language models since.
ADAMW_BETAS = (0.9, 0.95)


def make_optimizer(network: nn.Module, settings: TrainSettings) -> Optimizer:
    """Build the optimizer over the parameters that train; weight decay falls on matrices alone.

    `adafactor` is `torch.optim.Adafactor`, not the one of `transformers`: no momentum, factored
    second moments, updates clipped at RMS 1, the learning rate multiplied by each parameter's RMS
    and capped at 1 / sqrt(step).

    Source: AdamW, arXiv:1711.05101; Adafactor, arXiv:1804.04235, algorithms 4 and 5.
    """
    training = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in training if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in training if p.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if settings.optimizer == "adafactor":
        return Adafactor(groups, lr=settings.learning_rate)
    return AdamW(groups, lr=settings.learning_rate, betas=ADAMW_BETAS, fused=True)


def set_learning_rate(optimizer: Optimizer, learning_rate: float) -> None:
    """Give all parameters this learning rate for the next update."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def optimizer_tensors(network: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state under the names of the parameters it belongs to."""
    names = _names_in_order(network, optimizer)
    state: dict[int, dict[str, Any]] = optimizer.state_dict()["state"]
    return {
        f"{kind}/{names[index]}": tensor for index, parts in state.items() for kind, tensor in parts.items()
    }


def restore_optimizer(network: nn.Module, optimizer: Optimizer, stored: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave."""
    index_of = {name: index for index, name in enumerate(_names_in_order(network, optimizer))}
    state: dict[int, dict[str, Tensor]] = {}
    for path, tensor in stored.items():
        kind, _, name = path.partition("/")
        # Cloned, since updates are made in place and a loaded tensor may be a view of the file.
        state.setdefault(index_of[name], {})[kind] = tensor.clone()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _names_in_order(network: nn.Module, optimizer: Optimizer) -> list[str]:
    """Return parameter names in the order in which torch numbers them in a state_dict."""
    name_of = {id(parameter): name for name, parameter in network.named_parameters()}
    return [name_of[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]


def clip_gradients(network: nn.Module, largest_norm: float) -> float:
    """Scale the gradients down to a norm of at most `largest_norm`; return the norm of before."""
    return torch.nn.utils.clip_grad_norm_(network.parameters(), largest_norm).item()
