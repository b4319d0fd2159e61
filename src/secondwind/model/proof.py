"""Prove by a tiny experiment that a network follows the rule.

A probe row of two short segments is run once as it is and once per token with that token changed. The
logits that move must be those whose queries are allowed to see the token: no neighbour's, no earlier
target's, and all of the prefix's. What a mask claims is not believed; what it does is measured.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from secondwind.errors import ModelError
from secondwind.example import Batch
from secondwind.model.attention.dense import layer_windows
from secondwind.model.embeddings import table_rows
from secondwind.model.forward import Attention, kept_logits, to_network
from secondwind.model.mask import allowed

_SEGMENTS = (1, 1, 2, 2, 2, 2)
_POSITIONS = (0, 1, 0, 1, 2, 3)
_PREFIX = (True, False, True, True, False, False)
TOLERANCE = 1e-5  # of the largest logit: above float32 noise, far below any effect of a token


def probe_batch(num_rows: int, vocabulary_rows: int) -> Batch:
    """Build the probe; row r > 0 has token r - 1 changed."""
    tokens = np.tile(np.arange(1, 1 + len(_SEGMENTS)), (num_rows, 1))
    for row in range(1, num_rows):
        tokens[row, row - 1] += len(_SEGMENTS)

    def repeated(values: tuple[int, ...], kind: type) -> np.ndarray:
        return np.tile(np.asarray(values, dtype=kind), (num_rows, 1))

    return Batch(
        tokens=(tokens % vocabulary_rows).astype(np.int32),
        segment_ids=repeated(_SEGMENTS, np.int32),
        positions=repeated(_POSITIONS, np.int32),
        prefix_mask=repeated(_PREFIX, np.bool_),
        loss_mask=np.zeros(tokens.shape, dtype=np.bool_),
    )


@torch.no_grad()
def prove_mask(network: PreTrainedModel, attention: Attention) -> Tensor:
    """Check by experiment that the network honours a 4-D mask; return the probe's logits [6, V].

    Raises:
        ModelError: the network takes no such mask, or does not honour it.
    """
    if attention == "prefix" and _has_alibi(network.config):
        raise ModelError(
            f"'{network.config.model_type}' adds ALiBi's bias to its scores, which grows towards tokens "
            "behind the query, so it cannot attend in both directions. Wanted other positions for a prefix "
            "mask. Load it with attention='causal', or choose another base model."
        )
    size = len(_SEGMENTS)
    batch = probe_batch(size + 1, table_rows(network))
    everywhere = np.ones_like(batch.loss_mask)
    training = network.training
    try:
        network.eval()  # dropout would move logits by itself
        flat = kept_logits(network, batch, everywhere, attention=attention, backend="dense")
    except ModelError:
        raise
    except Exception as error:  # foreign code fails in its own ways where it knows no 4-D mask
        raise ModelError(
            f"'{network.config.model_type}' cannot run under an explicit attention mask: {error!r}. Wanted a "
            "decoder that takes a 4-D mask and position ids. Choose another base model."
        ) from error
    finally:
        network.train(training)
    logits = flat.unflatten(0, (size + 1, size)).float()
    moved = (logits[1:] - logits[:1]).abs().amax(-1) > TOLERANCE * logits.abs().max()  # [token, query]
    prefix = batch.prefix_mask[0] & (attention == "prefix")
    visible = to_network(allowed(batch.segment_ids[0], prefix).T, network)
    windows = [window for window in layer_windows(network.config).values() if window is not None]
    leaks, blind = moved & ~visible, visible & ~moved
    if leaks.any() or (blind.any() and min(windows, default=size) >= size):
        token, query = (leaks if leaks.any() else blind).nonzero()[0].tolist()
        raise ModelError(
            f"'{network.config.model_type}' does not honour an explicit mask for {attention} attention: in a "
            f"row of two examples, token {token} {'moved' if leaks.any() else 'did not move'} the prediction "
            f"at token {query}. Recurrent layers, ALiBi and built-in causal masks do that. Load it with "
            "attention='causal', or choose another base model."
        )
    return logits[0]


def _has_alibi(config: Any) -> bool:
    """Tell whether attention scores get a bias by distance (arXiv:2108.12409), wherever a model says so."""
    nested = getattr(config, "attn_config", None)  # MPT
    flags = (getattr(config, "alibi", False), getattr(nested, "alibi", False))
    return config.model_type == "bloom" or any(flags)
