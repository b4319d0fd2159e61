"""Count what a network multiplies by: the sizes that `secondwind.flops` needs."""

from typing import Any, cast

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from secondwind.flops import Frozen, ModelSize


def model_size(network: PreTrainedModel) -> ModelSize:
    """Count matmul parameters: every linear layer, and GPT-2's transposed ones, the head apart.

    Embedding tables do not count (a look-up is no multiplication), except as the head where tied. The
    matrices of an adapter count. Experts stored as stacked tensors are not counted yet.
    """
    head, body = _matrices(network)
    config = network.config
    head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return ModelSize(
        body_parameters=sum(matrix.weight.numel() for matrix in body),
        head_parameters=head.weight.numel(),
        num_layers=config.num_hidden_layers,
        attention_width=config.num_attention_heads * head_width,
    )


def frozen_size(network: PreTrainedModel) -> Frozen:
    """Count the matmul parameters that do not train; none unless an adapter does."""
    head, body = _matrices(network)
    return Frozen(
        sum(matrix.weight.numel() for matrix in body if not matrix.weight.requires_grad),
        0 if head.weight.requires_grad else head.weight.numel(),
    )


def _matrices(network: PreTrainedModel) -> tuple[nn.Linear, list[nn.Linear | Conv1D]]:
    """Return the output layer and all other layers that multiply."""
    outer: Any = network.get_output_embeddings()
    # An adapter that trains rows of the output layer wraps it.
    head = cast(nn.Linear, outer.token_adapter.base_layer if hasattr(outer, "token_adapter") else outer)
    found = [module for module in network.modules() if isinstance(module, (nn.Linear, Conv1D))]
    return head, [module for module in found if module is not head]
