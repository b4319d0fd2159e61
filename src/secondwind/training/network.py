"""What is done to a network for as long as it trains, and undone behind it.

mode                       train, then eval
activation_checkpointing   transformers' own, layer by layer, without reentrance
compile                    feed-forward blocks by torch.compile, with lengths left open
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from transformers import PreTrainedModel

from secondwind.errors import ModelError
from secondwind.training.settings import TrainSettings

_BLOCKS = ("mlp", "feed_forward", "ffn")  # what architectures call them


@contextmanager
def training_mode(network: PreTrainedModel, settings: TrainSettings) -> Generator[None]:
    """Switch a network to training as the settings say, and back to evaluation.

    Raises:
        ModelError: the architecture has no activation checkpointing.
    """
    if settings.activation_checkpointing and not network.supports_gradient_checkpointing:
        raise ModelError(
            f"'{network.config.model_type}' has no activation checkpointing in transformers. Wanted an "
            "architecture with it. Set training.activation_checkpointing to false."
        )
    blocks = feed_forward_blocks(network) if settings.compile else []
    network.train()
    if settings.activation_checkpointing:
        _activation_checkpointing(network, "enable")({"use_reentrant": False})
    for block in blocks:
        block.compile(dynamic=True)
    try:
        yield
    finally:
        for block in blocks:
            block._compiled_call_impl = None  # torch has no way to take `Module.compile` back
        if settings.activation_checkpointing:
            _activation_checkpointing(network, "disable")()
        network.eval()


def _activation_checkpointing(network: Any, what: str) -> Callable[..., None]:
    """Return transformers' switch under its name of today, or that of before 5.23."""
    today = getattr(network, f"activation_checkpointing_{what}", None)
    return today or getattr(network, f"gradient_checkpointing_{what}")


def feed_forward_blocks(network: PreTrainedModel) -> list[Any]:
    """Return the blocks that `compile` is for.

    Raises:
        ModelError: the architecture calls them otherwise.
    """
    found = [module for name, module in network.named_modules() if name.rpartition(".")[2] in _BLOCKS]
    if not found:
        raise ModelError(
            f"'{network.config.model_type}' has no block that training.compile knows; wanted one called "
            f"{', '.join(_BLOCKS)}. Set training.compile to false."
        )
    return found
