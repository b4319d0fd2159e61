"""Write a tiny random model of every family of the support table, each a whole Hugging Face folder.

.venv/bin/python -m scripts.tiny_models OUT [NAME ...]     then     secondwind doctor OUT/*

Weights are large, so that a token moves every logit that can see it by far more than rounding does.
"""

import argparse
import os
from copy import deepcopy
from pathlib import Path
from typing import Any

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import torch
from tests.model.architectures.catalogue import TINY
from tests.model.conftest import make_tokenizer
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.pytorch_utils import Conv1D

_WEIGHT_DEVIATION = 0.15
_SPARE_ROWS = 8  # some families add a token of their own to a tokenizer


def tiny_network(name: str, *, vocab_size: int) -> PreTrainedModel:
    """Make one network of the catalogue; its weights depend on the name alone."""
    settings = deepcopy(TINY[name]) | {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 1}
    model_type = settings.pop("model_type")
    for part in (settings, settings.get("text_config", {})):
        part["vocab_size"] = vocab_size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(sum(name.encode()))
        config = AutoConfig.for_model(model_type, **settings)
        network: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        with torch.no_grad():
            for parameter in _large(network):
                parameter.normal_(0.0, _WEIGHT_DEVIATION)
    return network.eval()


def _large(network: nn.Module) -> list[nn.Parameter]:
    """Return the matrices: of linear layers, of tables, of stacked experts; and learned sinks."""
    found: dict[int, nn.Parameter] = {}
    for module in network.modules():
        of_matrices = isinstance(module, nn.Linear | nn.Embedding | Conv1D)
        for name, parameter in module.named_parameters(recurse=False):
            stacked = parameter.ndim == 3 and not isinstance(module, nn.Conv1d)
            if (of_matrices and name == "weight") or stacked or name == "sinks":
                found[id(parameter)] = parameter
    return list(found.values())


def write(name: str, folder: Path) -> None:
    """Write one model with its tokenizer into a folder."""
    tokenizer = make_tokenizer()
    tiny_network(name, vocab_size=len(tokenizer) + _SPARE_ROWS).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    """Write the named models, or all."""
    parser = argparse.ArgumentParser(description="Write tiny random models as Hugging Face folders.")
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    arguments = parser.parse_args()
    for name in arguments.names or TINY:
        write(name, arguments.out / name)
        print(arguments.out / name)


if __name__ == "__main__":
    main()
