"""Rows of the embedding tables that were never trained: grow the table, start them at the mean.

Reserved tokens and rows beyond the tokenizer hold whatever initialisation left there, often outliers.
At the mean of the trained rows, plus a little noise to tell them apart, a new token disturbs no other
prediction by much and is itself predicted no more than an average one.

Source: Hewitt, "Initializing New Word Embeddings for Pretrained Language Models", 2021,
    nlp.stanford.edu/~johnhew/vocab-expansion.html.
"""

from collections.abc import Set
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from secondwind.randomness import key

NOISE = 0.1  # in standard deviations of the trained rows, per dimension


def table_rows(network: PreTrainedModel) -> int:
    """Return how many rows the input table has: every id must be below."""
    return len(cast(Tensor, network.get_input_embeddings().weight))


def grow_table(network: PreTrainedModel, num_rows: int) -> None:
    """Grow input and output tables to `num_rows`; tied tables stay tied, equal sizes change nothing."""
    if table_rows(network) != num_rows:
        network.resize_token_embeddings(num_rows, mean_resizing=False)


@torch.no_grad()
def start_fresh_rows(
    network: PreTrainedModel, *, fresh: Set[int], trained: Set[int], seed: int
) -> dict[str, Any]:
    """Set the fresh rows of input and output tables to the mean of the trained ones plus seeded noise.

    Args:
        trained: ids that the model has learned; rows in neither set stay as they are and count for nothing.

    Returns:
        What was done, for secondwind.json.
    """
    rows, known = sorted(fresh), sorted(trained)
    outputs = cast(nn.Linear, network.get_output_embeddings())
    inputs = cast(nn.Embedding, network.get_input_embeddings())
    tied = outputs.weight is inputs.weight
    if rows:
        _start_rows(inputs.weight, rows, known, key(seed, "fresh rows", 0))
        if not tied:
            _start_rows(outputs.weight, rows, known, key(seed, "fresh rows", 1))
        bias = getattr(outputs, "bias", None)
        if bias is not None:
            bias[rows] = bias[known].mean()
    return {
        "rule": f"mean of the trained rows + {NOISE} standard deviations of noise",
        "seed": seed,
        "num_rows": len(rows),
        "num_trained": len(known),
        "tied": tied,
    }


def _start_rows(table: Tensor, rows: list[int], known: list[int], seed: int) -> None:
    trained = table[known]
    noise = torch.randn(len(rows), table.shape[1], generator=torch.Generator().manual_seed(seed))
    fresh = trained.mean(0) + NOISE * trained.std(0) * noise.to(table.device, table.dtype)
    table[rows] = fresh
