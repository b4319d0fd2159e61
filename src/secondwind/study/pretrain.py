"""A base from nothing, for studies from scratch: train a tokenizer, encode the corpus, train, export.

recipe.pretrain + recipe.corpus  ->  pretrained/tokenizer/   a byte-level BPE
                                     pretrained/corpus/      token shards
                                     pretrained/final/       a plain Hugging Face folder
                                     pretrained/step-N/      one per share in `checkpoints`
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as BackendTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from secondwind import toyworld
from secondwind.data import Document, Faults, Packer, Stream, TokenShards, prepare, steps_for_tokens
from secondwind.denoise import CAUSAL, DenoisedCorpus
from secondwind.model.export import export
from secondwind.model.load import LanguageModel, new_model
from secondwind.recipe import CorpusSource, PretrainSection, Recipe, TokenizerSection
from secondwind.study.monitor import Monitor
from secondwind.study.settings import train_settings, watch
from secondwind.training.loop import train
from secondwind.vocabulary import Tokenizer

Documents = Callable[[CorpusSource, Faults], Iterator[Document]]

_TOKENIZER_DOCUMENTS = 50_000
_END, _PAD = "<|end|>", "<|pad|>"


def pretrain(
    recipe: Recipe, documents: Documents, out: Path, monitor: Monitor, *, train_it: bool = True
) -> Path:
    """Train the base and return its folder, a plain Hugging Face one; a finished base is kept.

    Args:
        train_it: False exports the random weights, for a preview.
    """
    section, corpus = recipe.pretrain, recipe.corpus
    assert section is not None and corpus is not None
    folder = out / "pretrained"
    final = folder / "final"
    if (final / "config.json").exists():
        return final
    faults = Faults()

    def everything() -> Iterator[Document]:
        for source in corpus.sources:
            yield from documents(source, faults)

    tokenizer = _tokenizer(section, folder / "tokenizer", (document.text for document in everything()))
    model = new_model(dict(section.config), tokenizer, seed=section.seed, num_sentinels=0)
    if train_it:
        monitor.say(f"pretraining a base of {model.network.num_parameters() / 1e6:.1f} M parameters")
        shards = prepare(
            everything(),
            tokenizer,
            model.vocabulary,
            folder / "corpus",
            held_out=corpus.held_out,
            faults=faults,
            identity={"recipe": recipe.model_dump(mode="json", include={"corpus", "pretrain"})},
            progress=lambda done, tokens: monitor.progress(
                "pretrain corpus", done, 0, f"documents, {tokens:,} tokens"
            ),
        ).train
        _train(model, shards, recipe, folder, monitor)
    export(model, final, record=_record(section))
    return final


def _train(model: LanguageModel, shards: TokenShards, recipe: Recipe, folder: Path, monitor: Monitor) -> None:
    """Train by plain causal language modelling, keeping a copy at each of the wanted shares."""
    section = recipe.pretrain
    assert section is not None
    source = DenoisedCorpus(shards, CAUSAL, model.vocabulary, seed=section.seed, room=section.row_length)
    rows = Stream(source, Packer(section.row_length, model.vocabulary), section.seed)
    steps = steps_for_tokens(rows, section.tokens, section.batch_rows)
    settings = train_settings(section, recipe.training, steps=steps, seed=section.seed)
    wanted = {max(1, round(share * steps)) for share in section.checkpoints}

    def keep(step: int) -> None:
        if step in wanted:
            export(model, folder / f"step-{step}", record=_record(section) | {"step": step, "steps": steps})

    train(model, rows, settings, folder / "stage", stage="pretrain", progress=watch(monitor, after=keep))


def _record(section: PretrainSection) -> dict[str, Any]:
    return {"arm": "pretrain", "tokens": section.tokens}


def _tokenizer(section: PretrainSection, folder: Path, texts: Iterable[str]) -> Tokenizer:
    """Load or train the tokenizer, and keep it."""
    if isinstance(section.tokenizer, str) and not section.tokenizer.startswith("toyworld:"):
        return AutoTokenizer.from_pretrained(section.tokenizer)
    if not (folder / "tokenizer.json").exists():
        if isinstance(section.tokenizer, TokenizerSection):
            backend = _train_bpe(islice(texts, _TOKENIZER_DOCUMENTS), section.tokenizer.vocabulary_size)
        else:
            backend = toyworld.train_tokenizer(20_000)
        PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=_END, pad_token=_PAD).save_pretrained(
            folder
        )
    return AutoTokenizer.from_pretrained(folder)


def _train_bpe(texts: Iterator[str], vocabulary_size: int) -> BackendTokenizer:
    """Train a byte-level BPE as GPT-2's, without a dummy prefix."""
    tokenizer = BackendTokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[_PAD, _END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return tokenizer
