"""What a configuration says about its network: windows, positions, experts, what it cannot do.

    attention_layers(config)    type and window of each layer, or an error for layers that are no attention
    position_limit(config)      how long an example may be
    causal_reason(config)       why the network can only look back, where the configuration tells

Multi-modal configurations hold that of their decoder inside; every function here looks into it.
"""

from typing import Any

from secondwind.errors import ModelError

FULL, SLIDING = "full_attention", "sliding_attention"  # transformers' names of layer types
_POSITION_LIMITS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length")


def decoder_config(config: Any) -> Any:
    """Return the configuration of the text decoder."""
    return config.get_text_config(decoder=True)


def layer_types(config: Any) -> list[str]:
    """Name the type of each layer in order; models that do not say have one type alone."""
    config = decoder_config(config)
    types = getattr(config, "layer_types", None)
    if types:
        return [str(kind) for kind in types]
    kind = FULL if getattr(config, "sliding_window", None) is None else SLIDING
    return [kind] * config.num_hidden_layers


def attention_layers(config: Any) -> list[tuple[str, int | None]]:
    """Return the type of each layer and its attention window, in order.

    Raises:
        ModelError: a layer type that cannot follow the rule (linear, chunked, sparse attention).
    """
    if foreign := sorted({*layer_types(config)} - {FULL, SLIDING}):
        raise ModelError(
            f"'{config.model_type}' has layers of type {', '.join(foreign)}; wanted full or sliding "
            "attention only, since other layers cannot attend to a prefix in both directions nor keep packed "
            "examples apart. Load it with attention='causal', backend='auto', or choose another base model."
        )
    window = getattr(decoder_config(config), "sliding_window", None)
    return [(kind, window if kind == SLIDING else None) for kind in layer_types(config)]


def position_limit(config: Any) -> int | None:
    """Return how many positions the model was built for, or None where its configuration names no limit."""
    config = decoder_config(config)
    limits = (getattr(config, name, None) for name in _POSITION_LIMITS)
    return next((limit for limit in limits if isinstance(limit, int)), None)


def causal_reason(config: Any) -> str | None:
    """Say why no prefix can be seen in both directions, where the configuration alone tells; else None."""
    foreign = sorted({*layer_types(config)} - {FULL, SLIDING})
    if foreign:
        return f"has layers of type {', '.join(foreign)}, which only look back"
    if _has_alibi(decoder_config(config)):
        return "adds ALiBi's bias to its scores, which grows towards tokens behind the query"
    return None


def _has_alibi(config: Any) -> bool:
    """Tell whether attention scores get a bias by distance (arXiv:2108.12409), wherever a model says so."""
    nested = getattr(config, "attn_config", None)  # MPT
    flags = (getattr(config, "alibi", False), getattr(nested, "alibi", False))
    return config.model_type == "bloom" or any(flags)
