"""Count what a network multiplies by: the sizes that `secondwind.flops` needs."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple, cast

from torch import Tensor, nn
from transformers import PreTrainedModel

from secondwind.flops import Frozen, ModelSize
from secondwind.model.architecture import decoder_config, layer_types

_NUM_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
_NUM_ACTIVE = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_top_k", "moe_k")
_ONE_OF_MANY = re.compile(r"\bexperts\.\d+\.")


class _Matrix(NamedTuple):
    """Weights, and the share of them that a token meets."""

    weight: Tensor
    share: Fraction

    @property
    def met(self) -> Fraction:
        return self.weight.numel() * self.share


def model_size(network: PreTrainedModel) -> ModelSize:
    """Count matmul parameters: those that a token meets, the head apart.

    Every linear layer, router and convolution counts. Of n experts, of which a token is sent to k, k / n
    count, whatever an implementation computes besides. Embedding tables do not count (a look-up is no
    multiplication), except as the head where tied. The matrices of an adapter count; the parts of a
    multi-modal model that read no text do not. What recurrent layers do with their states is not counted.
    """
    config = decoder_config(network.config)
    return ModelSize(
        body_parameters=round(sum(matrix.met for matrix in _body(network))),
        head_parameters=_head(network).weight.numel(),
        num_layers=sum(_attends(kind) for kind in layer_types(config)),
        attention_width=_attention_width(config),
    )


def frozen_size(network: PreTrainedModel) -> Frozen:
    """Count the matmul parameters that do not train; none unless an adapter does."""
    head = _head(network).weight
    return Frozen(
        round(sum(matrix.met for matrix in _body(network) if not matrix.weight.requires_grad)),
        0 if head.requires_grad else head.numel(),
    )


def _attends(layer_type: str) -> bool:
    return layer_type == "hybrid" or ("attention" in layer_type and "linear" not in layer_type)


def _attention_width(config: Any) -> int:
    """Return heads x head width; the mean of both where queries and values differ in width."""
    heads = getattr(config, "num_attention_heads", None)
    if not heads:
        return 0
    latent = getattr(config, "qk_nope_head_dim", None)  # multi-head latent attention: DeepSeek
    if latent is not None:
        return heads * (latent + config.qk_rope_head_dim + config.v_head_dim) // 2
    return heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)


def _head(network: PreTrainedModel) -> nn.Linear:
    outer: Any = network.get_output_embeddings()
    # An adapter that trains rows of the output layer wraps it.
    return cast(nn.Linear, outer.token_adapter.base_layer if hasattr(outer, "token_adapter") else outer)


def _body(network: PreTrainedModel) -> Iterator[_Matrix]:
    """Yield every matrix but the output layer."""
    config, head = decoder_config(network.config), _head(network)
    num_experts, num_active = _setting(config, _NUM_EXPERTS), _setting(config, _NUM_ACTIVE)
    active = Fraction(num_active, num_experts) if num_experts and num_active else Fraction(1)
    multi_modal = config is not network.config
    for path, module in (network.get_decoder() if multi_modal else network).named_modules():
        if module is head or isinstance(module, nn.Embedding) or "Norm" in type(module).__name__:
            continue
        for name, weight in module.named_parameters(recurse=False):
            is_stack = "expert" in path and weight.ndim == 3 and len(weight) == num_experts
            if is_stack or _ONE_OF_MANY.search(f"{path}."):
                yield _Matrix(weight, active if weight.ndim > 1 else Fraction(0))
            elif name.endswith("weight") and weight.ndim > 1:
                yield _Matrix(weight, Fraction(1))


def _setting(config: Any, names: tuple[str, ...]) -> int | None:
    found = (getattr(config, name, None) for name in names)
    return next((value for value in found if isinstance(value, int)), None)
