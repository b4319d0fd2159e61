"""How large the gradients are: of each group of parameters, and of each denoiser or cluster of tasks.

The second says who pulls how hard. Every so many steps, the targets of one source after another are kept
and the rest of the loss is masked, in the first micro-batch of that step; nothing is updated:

    tokens     R R R R | S S S S S | R R R         loss of R alone  -> norm .8 over 5 targets
    loss_mask  . . # # | . . # # . | . # #         loss of S alone  -> norm .3 over 2 targets
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import get_total_norm

from secondwind.example import Batch, Flags
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_loss
from secondwind.randomness import key
from secondwind.training.records import MicroBatch, StepResult
from secondwind.training.settings import TrainSettings

Group = Callable[[str], str]  # from a source to what it is counted under, for example a task's cluster


@contextmanager
def computing(model: LanguageModel, settings: TrainSettings, step: int, number: int) -> Iterator[None]:
    """Compute micro-batch `number` of a step: in the precision of the settings, with its own dropout.

    Dropout, where a model has any, is keyed like all randomness here, so no state is saved.
    """
    torch.manual_seed(key(settings.seed, "dropout", step, number))
    with torch.autocast(model.device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
        yield


def gradient_norms(network: nn.Module) -> dict[str, float]:
    """Return the norm of the gradient in each group of parameters, before clipping.

    embeddings   tables and rows of tables      matrices   all other weights, an adapter's too
    vectors      biases, gains and norms
    """
    groups: dict[str, list[torch.Tensor]] = {}
    for name, parameter in network.named_parameters():
        if parameter.grad is not None:
            groups.setdefault(_group(name, parameter, network), []).append(parameter.grad)
    return {name: get_total_norm(groups[name]).item() for name in sorted(groups)}


def _group(name: str, parameter: nn.Parameter, network: Any) -> str:
    tables = [network.get_input_embeddings(), network.get_output_embeddings()]
    if "trainable_tokens_" in name or any(parameter is getattr(table, "weight", None) for table in tables):
        return "embeddings"
    return "matrices" if parameter.ndim >= 2 else "vectors"


def gradient_record(
    model: LanguageModel, micro: MicroBatch, settings: TrainSettings, result: StepResult, *, group: Group
) -> dict[str, Any]:
    """Return what a step's line of metrics says about the gradients of its sources; {} where none are due.

    They are of the first micro-batch of this step, under the parameters that its update left.
    """
    every = settings.gradients_every
    if not every or result.step % every or not result.is_finite:
        return {}
    return {"source_gradients": source_gradients(model, micro, settings, result.step, group=group)}


def source_gradients(
    model: LanguageModel, micro: MicroBatch, settings: TrainSettings, step: int, *, group: Group
) -> dict[str, dict[str, Any]]:
    """Return the norm of the gradient of each group's mean loss over its targets in these rows.

    One forward and backward pass a group, in the memory of one step; leaves no gradient behind.

    Args:
        step: whose dropout is used.
        group: joins sources, for example the tasks of a cluster.
    """
    found: dict[str, dict[str, Any]] = {}
    names = _groups_of_tokens(micro.rows, group)
    for name in sorted({name for name in names[micro.rows.loss_mask].tolist()}):
        rows = _with_targets(micro.rows, names == name)
        model.network.zero_grad()
        with computing(model, settings, step, 0):
            loss = target_loss(model, rows)
        (loss.total / loss.count).backward()
        found[name] = {"norm": _total_norm(model.network), "target_tokens": loss.count}
    model.network.zero_grad()
    return found


def _groups_of_tokens(batch: Batch, group: Group) -> Any:
    """Return the group's name at each token, object[B, L]; padding has none."""
    names = np.full(batch.tokens.shape, "", dtype=object)
    for row, sources in enumerate(batch.sources):
        table = np.array(["", *(group(source) for source in sources)], dtype=object)
        names[row] = table[batch.segment_ids[row]]
    return names


def _with_targets(batch: Batch, wanted: Flags) -> Batch:
    return replace(batch, loss_mask=batch.loss_mask & wanted)


def _total_norm(network: nn.Module) -> float:
    return get_total_norm([p.grad for p in network.parameters() if p.grad is not None]).item()
