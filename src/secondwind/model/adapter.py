"""LoRA: train a low-rank update of each linear layer, and the rows of the adopted tokens, through peft.

    y = W x + (alpha / rank) B A x     W [out, in] is frozen; A [rank, in] and B [out, rank] train, B from 0

Sentinels and mode tokens start untrained, so their rows of the embedding tables train as well, input and
output; tied tables stay tied. Merging adds B A to W and puts the rows back, so that what is exported is a
plain network without adapter. Each stage trains an adapter of its own on its merged parent.

Source: Hu et al., LoRA, arXiv:2106.09685, section 4.1.
"""

import importlib.util
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from secondwind.errors import ModelError
from secondwind.model.load import LanguageModel
from secondwind.randomness import key
from secondwind.vocabulary import Vocabulary

_NAME = "default"  # peft keeps adapters by name; there is one


@dataclass(frozen=True)
class Adapter:
    """What to train instead of all parameters; the fields are those of a recipe.

    Args:
        rank: of the update.
        alpha: the update is scaled by alpha / rank.
        dropout: of the update's input, in [0, 1).
        target_modules: `all-linear` (without the output layer), or a regular expression that a module's
            whole name must match.
    """

    type: Literal["lora"] = "lora"
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    target_modules: str = "all-linear"


@dataclass(frozen=True, eq=False)
class Adapted:
    """A model with an adapter in it, and the way back.

    Args:
        model: its network shares the frozen weights with the model that was adapted, and replaces it.
    """

    model: LanguageModel
    _tuner: Any

    def merged(self) -> LanguageModel:
        """Add the update to the weights and remove the adapter; `model` must not be used any more."""
        network = self._tuner.merge_and_unload()
        network.requires_grad_(True)
        return replace(self.model, network=network)


def adapt(model: LanguageModel, adapter: Adapter, *, seed: int) -> Adapted:
    """Freeze a network in place and put an adapter into it; its logits stay as they are.

    Args:
        seed: of the fresh matrices A.

    Raises:
        ModelError: peft is not installed; no module has such a name; the architecture cannot be adapted.
    """
    require_peft()
    from peft import LoraConfig
    from peft.tuners.lora import LoraModel

    network = model.network
    _refuse_biased_head(network)
    settings = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,  # type: ignore[arg-type]  # peft multiplies by it, whatever its stub says
        lora_dropout=adapter.dropout,
        target_modules=adapter.target_modules,
        trainable_token_indices=_trained_rows(network, model.vocabulary) or None,
        # GPT-2's layers store their weights transposed.
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in network.modules()),
    )
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key(seed, "adapter"))
            tuner = LoraModel(network, {_NAME: settings}, _NAME)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"'{network.config.model_type}' cannot take the adapter {asdict(adapter)}: {error} Wanted "
            "target_modules that match linear layers of the model. Use all-linear."
        ) from error
    adapted = replace(model, network=network, record=model.record | {"adapter": asdict(adapter)})
    return Adapted(adapted, tuner)


def sketch(folder: Path, vocabulary: Vocabulary, adapter: Adapter) -> PreTrainedModel:
    """Build the adapted network of a model folder without any weights, to count what it has.

    Raises:
        ModelError: see `adapt`.
    """
    config = AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        network = cast(PreTrainedModel, AutoModelForCausalLM.from_config(config))
    model = LanguageModel(network, None, vocabulary, "causal", "dense", str(folder))
    return adapt(model, adapter, seed=0).model.network


def require_peft() -> None:
    """Raise where peft is not installed.

    Raises:
        ModelError: says how to install it.
    """
    if importlib.util.find_spec("peft") is None:
        raise ModelError(
            "model.adapter needs the package peft, which is not installed. Wanted the extra `lora`. Install "
            "it with: pip install 'secondwind[lora]', or set model.adapter to null."
        )


def _trained_rows(network: PreTrainedModel, vocabulary: Vocabulary) -> dict[str, list[int]]:
    """Return the rows that train, by the name of their table; a tied output table follows the input one."""
    rows = sorted({*vocabulary.sentinels, *vocabulary.modes.values(), *vocabulary.fresh} - {vocabulary.pad})
    if not rows:
        return {}
    names = {id(module): name for name, module in network.named_modules()}
    inputs, outputs = _tables(network)
    tables = [inputs] if outputs.weight is inputs.weight else [inputs, outputs]
    return {names[id(table)]: rows for table in tables}


def _refuse_biased_head(network: PreTrainedModel) -> None:
    # peft's layer for trained rows leaves the bias of an output layer out, without a word.
    if getattr(_tables(network)[1], "bias", None) is not None:
        raise ModelError(
            f"'{network.config.model_type}' has a bias in its output layer, which an adapter would drop. "
            "Wanted an output layer without one. Set model.adapter to null."
        )


def _tables(network: PreTrainedModel) -> tuple[nn.Embedding, nn.Linear]:
    inputs, outputs = network.get_input_embeddings(), network.get_output_embeddings()
    assert isinstance(inputs, nn.Embedding) and isinstance(outputs, nn.Linear)
    return inputs, outputs
