"""The recipes for open checkpoints run on tiny random models of the same architecture and tokenizer kind.

No network: each model is made here, saved as a plain Hugging Face folder, and named with --set.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from secondwind import recipe as recipes
from secondwind import study, toyworld

_WIDTHS = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}


def _backend(end: str, *special: str) -> Tokenizer:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(toyworld.corpus("fresh", 200), trainer=trainer)
    backend.add_special_tokens([AddedToken(name, special=True) for name in (end, *special)])
    return backend


def _pythia() -> tuple[dict[str, Any], PreTrainedTokenizerFast]:
    """GPT-NeoX: one special token is EOS and a BOS that no text starts with; a padded, untied table."""
    end = "<|endoftext|>"
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=_backend(end), eos_token=end, bos_token=end)
    return {"model_type": "gpt_neox", "rotary_pct": 0.25, "vocab_size": 600, **_WIDTHS}, tokenizer


def _qwen3() -> tuple[dict[str, Any], PreTrainedTokenizerFast]:
    """Qwen3: EOS and pad are one token, no BOS; tied embeddings, per-head norms."""
    end = "<|endoftext|>"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_backend(end, "<|im_start|>", "<|im_end|>"), eos_token=end, pad_token=end
    )
    config = {"model_type": "qwen3", "num_key_value_heads": 1, "head_dim": 16, "tie_word_embeddings": True}
    return {**config, "vocab_size": 640, **_WIDTHS}, tokenizer


def _llama() -> tuple[dict[str, Any], PreTrainedTokenizerFast]:
    """Llama 3.2: BOS before every text, reserved special tokens, no pad; tied embeddings."""
    begin, end = "<|begin_of_text|>", "<|end_of_text|>"
    reserved = [f"<|reserved_special_token_{n}|>" for n in range(8)]
    backend = _backend(end, begin, *reserved)
    backend.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A", special_tokens=[(begin, backend.token_to_id(begin))]
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=begin, eos_token=end)
    config = {"model_type": "llama", "num_key_value_heads": 1, "tie_word_embeddings": True}
    return {**config, "vocab_size": len(tokenizer), **_WIDTHS}, tokenizer


_MODELS = {"pythia-160m": _pythia, "qwen3-0.6b": _qwen3, "llama-3.2-1b": _llama}


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a corpus, tasks and a list of held-out tasks where the recipes look for them."""
    folder = tmp_path / "data"
    (folder / "pretrain").mkdir(parents=True)
    documents = [json.dumps({"text": text}) for text in toyworld.corpus("fresh", 300)]
    (folder / "pretrain" / "toy.jsonl").write_text("\n".join(documents) + "\n")
    tasks = [{"inputs": f"Say {n}.", "targets": f"{n}", "task": f"say_{n % 3}"} for n in range(60)]
    (folder / "tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    splits = folder / "natural_instructions" / "splits" / "default"
    splits.mkdir(parents=True)
    (splits / "test_tasks.txt").write_text("task000_none\n")
    monkeypatch.setenv("SECONDWIND_DATA", str(folder))
    return folder


@pytest.mark.parametrize("name", sorted(_MODELS))
def test_a_recipe_for_an_open_checkpoint_runs_on_a_tiny_one(
    name: str, tmp_path: Path, data_folder: Path
) -> None:
    config, tokenizer = _MODELS[name]()
    model_type = config.pop("model_type")
    folder = tmp_path / "model"
    settings = AutoConfig.for_model(model_type, max_position_embeddings=128, **config)
    AutoModelForCausalLM.from_config(settings).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    recipe = recipes.load(
        name,
        overrides=[
            f"model.path={folder}",
            "model.revision=null",
            "model.pretraining_tokens=1e6",
            f"corpus.sources=[{{path: {data_folder}/pretrain/*.jsonl}}]",
            "corpus.held_out=5%",
            f"flan.sources=[{{path: {data_folder}/tasks.jsonl}}]",
            *(
                f"{stage}.{key}"
                for stage in ("ul2r", "flan")
                for key in ("tokens=1e3", "row_length=96", "batch_rows=4")
            ),
            "evaluation.protocols=[{suite: toy, limit: 1}, {suite: perplexity, limit: 4}]",
            "seeds=[1]",
            "training.threads=1",
        ],
    )
    run = study.run(recipe, tmp_path / "run")
    found = json.loads((run / "results.json").read_text())
    assert set(found["arms"]) == set(recipe.arms)
    assert found["arms"]["flan"]["1"]["toy_mmlu"]["attention"] == "causal"
    assert found["arms"]["ul2r"]["1"]["toy_mmlu"]["attention"] == "prefix"
    exported = AutoModelForCausalLM.from_pretrained(run / "models" / "ul2r+flan-1")
    assert exported.config.model_type == model_type
