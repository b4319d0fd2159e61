"""Count what a network multiplies by: the sizes that `secondwind.flops` needs."""

from typing import cast

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from secondwind.flops import ModelSize


def model_size(network: PreTrainedModel) -> ModelSize:
    """Count matmul parameters: every linear layer, and GPT-2's transposed ones, the head apart.

    Embedding tables do not count (a look-up is no multiplication), except as the head where tied.
    Experts stored as stacked tensors are not counted yet.
    """
    head = cast(nn.Linear, network.get_output_embeddings())
    body = sum(
        module.weight.numel()
        for module in network.modules()
        if isinstance(module, (nn.Linear, Conv1D)) and module is not head
    )
    config = network.config
    head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return ModelSize(
        body_parameters=body,
        head_parameters=head.weight.numel(),
        num_layers=config.num_hidden_layers,
        attention_width=config.num_attention_heads * head_width,
    )
