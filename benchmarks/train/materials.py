"""Make what all contenders share: a folder with random weights, and examples like Natural Instructions.

    inputs    100 to 400 tokens: a definition, perhaps two solved examples, the question
    targets   a word or two mostly, a sentence now and then; some 8 % of all tokens; EOS at the end

Token ids are drawn, since what they say costs nothing; everything comes from `secondwind.randomness`.
"""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models
from transformers import AutoConfig, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from secondwind.model.export import export
from secondwind.model.load import new_model
from secondwind.model.record import RECORD
from secondwind.randomness import Draws, key
from secondwind.runs import canonical_json
from secondwind.vocabulary import Vocabulary

NUM_SENTINELS = 200
_SPECIAL = 2 + 3 + NUM_SENTINELS  # EOS and pad, three modes, sentinels
# Share of the examples, fewest and most tokens of their targets: a label, a phrase, some sentences.
_TARGETS = ((0.55, 1, 4), (0.34, 8, 34), (0.11, 40, 100))
_INPUTS = (100, 400)
_SEED = 9  # its first 16 examples have the mean's share of targets, 8 %; other seeds have 3 to 12 % in 16

# Llama, 4 layers of width 256: half of its matrix parameters are the head.
SMALL: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 768,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
}


def make_model(folder: Path, config: dict[str, Any], *, vocabulary: int) -> None:
    """Write a model folder that every contender can load; its table has `vocabulary` rows."""
    disable_progress_bar()
    model = new_model(config, _tokenizer(vocabulary), seed=1, num_sentinels=NUM_SENTINELS)
    assert model.vocabulary.size == vocabulary, f"the table has {model.vocabulary.size} rows"
    export(model, folder, record={})


def make_outline(folder: Path, config: dict[str, Any], *, vocabulary: int) -> None:
    """Write the same folder without weights, for jobs that draw them."""
    tokenizer = _tokenizer(vocabulary)
    adopted = Vocabulary.adopt(tokenizer, num_sentinels=NUM_SENTINELS)
    assert adopted.size == vocabulary, f"the table has {adopted.size} rows"
    settings = {name: value for name, value in config.items() if name != "model_type"}
    settings |= {"vocab_size": vocabulary, "eos_token_id": adopted.eos, "pad_token_id": adopted.pad}
    AutoConfig.for_model(config["model_type"], bos_token_id=None, **settings).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / RECORD).write_text(canonical_json({"vocabulary": adopted.to_json()}), encoding="utf-8")


def _tokenizer(vocabulary: int) -> Any:
    """Return a tokenizer with one word for each ordinary id, which leaves room for what is adopted."""
    words = {f"w{number}": number for number in range(vocabulary - _SPECIAL)}
    words |= {"<|end|>": len(words), "<|pad|>": len(words) + 1}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w0")),
        eos_token="<|end|>",
        pad_token="<|pad|>",
    )


def make_examples(file: Path, number: int, *, vocabulary: int, seed: int = _SEED) -> tuple[int, int]:
    """Write examples; return how many tokens and how many targets they have."""
    ordinary = vocabulary - _SPECIAL
    pairs = [_example(Draws(key(seed, "bench-train", index)), ordinary) for index in range(number)]
    file.write_text(json.dumps(pairs), encoding="utf-8")
    num_targets = sum(len(targets) for _, targets in pairs)
    return num_targets + sum(len(inputs) for inputs, _ in pairs), num_targets


def _example(draws: Draws, ordinary: int) -> tuple[list[int], list[int]]:
    """Draw one example: two throws for the inputs, the smaller counts, so that short ones are frequent."""
    fewest, most = _INPUTS
    span = most - fewest + 1
    num_inputs = fewest + min(draws.below(span), draws.below(span))
    at, fewest, most = draws.below(10_000) / 10_000, 1, 1
    for share, low, high in _TARGETS:
        fewest, most = low, high
        if at < share:
            break
        at -= share
    inputs = [draws.below(ordinary) for _ in range(num_inputs)]
    targets = [draws.below(ordinary) for _ in range(fewest + draws.below(most - fewest + 1))]
    return inputs, [*targets, ordinary]  # EOS has the id behind the ordinary ones
