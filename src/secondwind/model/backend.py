"""Choose how a network renders the rule: the fastest backend that is proven on it, with the reason.

    on CUDA    varlen, flex, document, dense        on the CPU    document, dense
    where no mask of ours is honoured, under causal attention alone: unpacked

A backend is taken where it can serve the layers, where the weights read back out of it are the rule's, and
where the network's logits and gradients under it are those of the dense mask. One that was asked for by
name is taken or refused, never replaced.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast, get_args

import numpy as np
import torch
from transformers import AttentionInterface, PreTrainedModel

from secondwind.errors import ModelError, nearest
from secondwind.model.architecture import attention_layers, decoder_config
from secondwind.model.attention.function import PACKED_ATTENTION, Call, packed_attention
from secondwind.model.embeddings import table_rows
from secondwind.model.forward import LAYOUTS, Attention, Backend
from secondwind.model.proof import probe_batch, prove_mask
from secondwind.model.selfcheck import compare, heads_problem, record_calls, reference

BackendChoice = Literal["auto", "dense", "document", "flex", "varlen", "unpacked"]
_BY_SPEED: tuple[Backend, ...] = ("varlen", "flex", "document")
_ON_CPU: tuple[Backend, ...] = ("document",)


class Chosen(NamedTuple):
    """A backend, and why it was taken: what it was held to, and what was wrong with faster ones."""

    backend: Backend
    reason: str


def settle_backend(network: PreTrainedModel, choice: BackendChoice, *, attention: Attention) -> Chosen:
    """Make the network follow the rule, and check that it does.

    The check runs in the caller's precision: settle under autocast what will be computed under autocast.

    Raises:
        ModelError: an unknown backend; or the network does not follow the rule under it.
    """
    if choice not in get_args(BackendChoice):
        raise ModelError(
            f"no attention backend '{choice}'; wanted one of {', '.join(get_args(BackendChoice))}."
            + nearest(choice, get_args(BackendChoice))
        )
    _restore_own_attention(network)
    unmasked = _prove(network, choice, attention)
    if unmasked is not None:
        return Chosen("unpacked", unmasked)
    if choice == "dense":
        return Chosen("dense", "asked for")
    on_cpu = network.device.type == "cpu"
    names = (_ON_CPU if on_cpu else _BY_SPEED) if choice == "auto" else (choice,)
    found = _first_proven(network, cast(tuple[Backend, ...], names), attention)
    if found.backend == "dense" and choice != "auto":
        raise ModelError(
            f"'{network.config.model_type}' cannot use backend='{choice}': "
            f"{found.reason.removeprefix(f'not {choice}: ')}. Use backend='auto' or 'dense'."
        )
    place = "on the CPU; " if on_cpu and choice == "auto" else ""
    return found._replace(reason=place + found.reason)


def _restore_own_attention(network: PreTrainedModel) -> None:
    """Let the network attend by its own code: what is held to itself proves nothing."""
    settled = network.config._attn_implementation
    # transformers' sdpa refuses soft-capped scores.
    capped = getattr(decoder_config(network.config), "attn_logit_softcapping", None) is not None
    if capped or settled is None:
        network.set_attn_implementation("eager")
    elif settled == PACKED_ATTENTION:
        try:
            network.set_attn_implementation("sdpa")
        except (ValueError, ImportError):  # architectures that have eager attention alone
            network.set_attn_implementation("eager")


def _prove(network: PreTrainedModel, choice: BackendChoice, attention: Attention) -> str | None:
    """Prove the dense mask, or the network's own causal attention and return why it is left to that.

    Raises:
        ModelError: neither is proven, or not the one that was asked for.
    """
    reason = "asked for"
    # In float32: what a token must not move has to stay the same to the last digits.
    with torch.autocast(network.device.type, enabled=False):
        if choice != "unpacked":
            try:
                prove_mask(network, attention)
            except ModelError as refusal:
                if choice != "auto" or attention != "causal":
                    raise
                reason = f"not dense: {refusal}"
            else:
                return None
        prove_mask(network, attention, backend="unpacked")
    return reason


def _first_proven(network: PreTrainedModel, names: Sequence[Backend], attention: Attention) -> Chosen:
    """Leave the network with the first backend that passes, else as it was, with the dense one."""
    own = network.config._attn_implementation or "eager"
    batch = probe_batch(1, table_rows(network))
    everywhere = np.ones_like(batch.loss_mask)
    try:
        wanted = reference(network, batch, everywhere, attention=attention)  # by the network's own code
    except Exception as error:  # what cannot be held to anything is left as it was proven
        return Chosen(
            "dense", f"no other can be compared with it: {type(error).__name__}: {error}".rstrip(".")
        )
    AttentionInterface.register(PACKED_ATTENTION, packed_attention)
    refused: list[str] = []
    calls: list[Call] = []
    for name in names:
        proof = None
        try:
            network.set_attn_implementation(PACKED_ATTENTION)
            calls = calls or record_calls(network)
            problem = _calls_problem(network, calls) or _layout_problem(network, name, calls)
            if problem is None:
                proof = compare(network, batch, everywhere, attention=attention, backend=name, wanted=wanted)
        except Exception as error:  # foreign code refuses unknown names and arguments in its own ways
            problem = f"{type(error).__name__}: {error}".rstrip(".")
        if proof is not None and proof.passed:
            return Chosen(name, "; ".join([f"equals dense within {proof.difference:.0e}", *refused]))
        if proof is not None:
            problem = f"it differs from dense by {proof.difference:.1e}, more than {proof.limit:.0e}"
        refused.append(f"not {name}: {problem}")
    network.set_attn_implementation(own)
    return Chosen("dense", "; ".join(refused))


def _calls_problem(network: PreTrainedModel, calls: Sequence[Call]) -> str | None:
    """Say what no flat backend could serve, or None."""
    if not calls:
        return "its layers never call the function registered with transformers' AttentionInterface"
    asked = {call.settings.window for call in calls}
    windows = {window for _, window in attention_layers(network.config)}
    if asked != windows:
        return f"its layers asked for the windows {_listed(asked)}, its configuration says {_listed(windows)}"
    return None


def _listed(windows: set[int | None]) -> str:
    widths = sorted(window for window in windows if window is not None)
    return " and ".join(["any"] * (None in windows) + [str(width) for width in widths])


def _layout_problem(network: PreTrainedModel, name: Backend, calls: Sequence[Call]) -> str | None:
    kind, device = LAYOUTS[name], network.device
    problem = kind.unsupported(calls, device)
    if problem is not None:
        return problem
    # Layers of one kind differ in their sinks alone, which are looked at once.
    kinds = {call._replace(settings=call.settings._replace(sinks=None)): call for call in calls}
    return next(filter(None, (heads_problem(kind, call, device) for call in kinds.values())), None)
