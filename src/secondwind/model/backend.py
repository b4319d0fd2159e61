"""Choose how a network renders the rule: the fastest backend that gives the logits of the proven one."""

from typing import Literal, get_args

import torch
from torch import Tensor
from transformers import AttentionInterface, PreTrainedModel

from secondwind.errors import ModelError, nearest
from secondwind.model.attention.dense import layer_windows
from secondwind.model.attention.document import DocumentLayout
from secondwind.model.attention.function import PACKED_ATTENTION, packed_attention
from secondwind.model.embeddings import table_rows
from secondwind.model.forward import Attention, Backend, to_network
from secondwind.model.proof import TOLERANCE, probe_batch, prove_mask

BackendChoice = Literal["auto", "dense", "document"]


def settle_backend(network: PreTrainedModel, choice: BackendChoice, *, attention: Attention) -> Backend:
    """Make the network follow the rule, and check that it does.

    `auto` means `document` where it gives the same logits as `dense`, else `dense`.

    Raises:
        ModelError: an unknown backend; or the network does not follow the rule under it.
    """
    if choice not in get_args(BackendChoice):
        raise ModelError(
            f"no attention backend '{choice}'; wanted one of {', '.join(get_args(BackendChoice))}."
            + nearest(choice, get_args(BackendChoice))
        )
    if getattr(network.config, "attn_logit_softcapping", None) is not None:
        network.set_attn_implementation("eager")  # transformers' sdpa refuses soft-capped scores
    expected = prove_mask(network, attention)
    if choice == "dense":
        return "dense"
    own = network.config._attn_implementation
    problem = _try_document(network, attention, expected)
    if problem is None:
        return "document"
    network.set_attn_implementation(own or "eager")
    if choice == "document":
        raise ModelError(
            f"'{network.config.model_type}' cannot use backend='document': {problem}. Use backend='auto' or "
            "'dense'."
        )
    return "dense"


@torch.no_grad()
def _try_document(network: PreTrainedModel, attention: Attention, expected: Tensor) -> str | None:
    """Switch to the document backend; return what is wrong with it, or None."""
    AttentionInterface.register(PACKED_ATTENTION, packed_attention)
    batch = probe_batch(1, table_rows(network))
    layout = DocumentLayout.of(batch, attention=attention, device=network.device)
    try:
        network.set_attn_implementation(PACKED_ATTENTION)
        logits = network(
            input_ids=to_network(batch.tokens, network),
            position_ids=to_network(batch.positions, network),
            use_cache=False,
            secondwind_layout=layout,
        ).logits[0]
    except Exception as error:  # foreign code refuses unknown names and arguments in its own ways
        return f"{type(error).__name__}: {error}".rstrip(".")
    if not layout.windows:
        return "its layers never call the function registered with transformers' AttentionInterface"
    windows = set(layer_windows(network.config).values())
    if set(layout.windows) != windows:
        return f"its layers asked for the windows {set(layout.windows)}, its configuration says {windows}"
    difference = float((logits.float() - expected).abs().max() / expected.abs().max())
    return (
        None if difference <= 10 * TOLERANCE else f"its logits differ from the dense ones by {difference:.1e}"
    )
