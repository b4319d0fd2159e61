"""Move a model to the device it will compute on, and choose its attention backend there."""

from dataclasses import replace
from typing import Any, Literal, cast

import torch

from secondwind.model.backend import BackendChoice, settle_backend
from secondwind.model.load import LanguageModel


def placed(
    model: LanguageModel,
    device: str,
    *,
    backend: BackendChoice = "auto",
    precision: Literal["bf16", "fp32"] = "fp32",
) -> LanguageModel:
    """Return the model on a device, with the backend that is proven there; the network itself moves.

    On the CPU `auto` keeps what `load` chose and proved there, since no precision changes that choice.

    Args:
        device: `cpu`, or what torch calls an accelerator.
        precision: of the computation that follows: some backends know bf16 alone.

    Raises:
        ModelError: the backend that was asked for cannot be used there.
    """
    if device == model.device.type == "cpu" and backend in ("auto", model.backend):
        return model
    cast(Any, model.network).to(device)  # its stub forgets that a device is accepted
    with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
        chosen = settle_backend(model.network, backend, attention=model.attention)
    return replace(model, backend=chosen.backend, backend_reason=chosen.reason)
