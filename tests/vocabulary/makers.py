"""Tokenizers of every kind, trained here on a small text of this project's own.

    TOKENIZERS["Llama-2-like"]()      a fresh `PreTrainedTokenizerFast` that may be changed

Each has the parts that its model family has: model, normalizer, pre-tokenizer, template, special tokens.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from math import log
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from secondwind.toyworld import corpus

_SENTENCES = """\
The quick brown fox jumps over the lazy dog, and the dog doesn't mind.
Where does the cat live? On the mat, by the door, under the old stairs.
A café in Zürich sells 24 kinds of crème brûlée for 7.50 each.
Options:\n- yes\n- no\n\nAnswer: yes (it is the only one that fits).
Marks: < > [ ] { } | _ / # * + = % & @ $ ; ! ' "
def double(x):\n    return 2 * x  # twice
"""
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
NUM_PIECES = 600
Trained = dict[str, Any]


@cache
def text() -> tuple[str, ...]:
    """Return the training text, a piece an entry."""
    return (*(_SENTENCES.splitlines() * 5), *corpus("base", 150))


def _state(tokenizer: Tokenizer, trainer: Any) -> Trained:
    tokenizer.train_from_iterator(text(), trainer=trainer)
    return json.loads(tokenizer.to_str())["model"]


@cache
def _byte_level() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=NUM_PIECES, initial_alphabet=alphabet, show_progress=False)
    return json.dumps(_state(tokenizer, trainer))


@cache
def _sentencepiece_bpe() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return json.dumps(_state(tokenizer, trainers.BpeTrainer(vocab_size=NUM_PIECES, show_progress=False)))


@cache
def _unigram() -> str:
    """Score the pieces of the BPE by their counts: the library's trainer differs from run to run."""
    merged = Tokenizer.from_str(json.dumps({"version": "1.0", "model": json.loads(_sentencepiece_bpe())}))
    merged.pre_tokenizer = pre_tokenizers.Metaspace()
    counts = Counter(token for entry in text() for token in merged.encode(entry).tokens)
    pieces = merged.get_vocab(with_added_tokens=False)
    scores = {piece: log((counts[piece] + 0.5) / counts.total()) for piece in sorted(pieces)}
    return json.dumps({"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], *scores.items()]})


@cache
def _word_piece() -> str:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=NUM_PIECES, show_progress=False)
    return json.dumps(_state(tokenizer, trainer))


def _with_first(model: Trained, first: Sequence[str]) -> Trained:
    """Put tokens before the trained ones, as makers do with special tokens and bytes."""
    if model["type"] == "Unigram":
        rest = [entry for entry in model["vocab"] if entry[0] not in first]
        return model | {"vocab": [*([name, 0.0] for name in first), *rest]}
    rest = sorted(
        (name for name in model["vocab"] if name not in first), key=lambda name: model["vocab"][name]
    )
    return model | {"vocab": {name: token for token, name in enumerate([*first, *rest])}}


def _made(
    model: Trained,
    *,
    special: Sequence[str] = (),
    ordinary: Sequence[str] = (),
    parts: dict[str, Any],
    **roles: str,
) -> PreTrainedTokenizerFast:
    state = {"version": "1.0", "added_tokens": [], "model": model}
    tokenizer = Tokenizer.from_str(json.dumps(state))
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in special])
    tokenizer.add_tokens([AddedToken(name, normalized=False) for name in ordinary])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **roles)


def _byte_parts(*, add_prefix_space: bool = False, **more: Any) -> dict[str, Any]:
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    return {"pre_tokenizer": splitter, "decoder": decoders.ByteLevel(), **more}


def gpt2_like() -> PreTrainedTokenizerFast:
    """BOS, EOS and unknown are one token that nothing puts before text; no pad."""
    end = "<|endoftext|>"
    model = json.loads(_byte_level())
    return _made(model, special=[end], parts=_byte_parts(), bos_token=end, eos_token=end, unk_token=end)


def pythia_like() -> PreTrainedTokenizerFast:
    """Runs of spaces are added tokens, and ordinary ones; a padding token without the role."""
    model = json.loads(_byte_level())
    spaces = [" " * number for number in range(24, 1, -1)]
    special = ["<|endoftext|>", "<|padding|>"]
    end = special[0]
    return _made(
        _with_first(model, special),
        special=special,
        ordinary=spaces,
        parts=_byte_parts(normalizer=normalizers.NFC()),
        bos_token=end,
        eos_token=end,
    )


def roberta_like() -> PreTrainedTokenizerFast:
    """The byte-level dummy prefix; the template puts BOS before and EOS behind."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    template = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=True)
    return _made(
        _with_first(json.loads(_byte_level()), special),
        special=special,
        parts=_byte_parts(add_prefix_space=True, post_processor=template),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )


def opt_like() -> PreTrainedTokenizerFast:
    """BOS and EOS are one token, and it stands before text."""
    special = ["<s>", "<pad>", "</s>"]
    template = processors.TemplateProcessing(single="</s> $A", special_tokens=[("</s>", 2)])
    return _made(
        _with_first(json.loads(_byte_level()), special),
        special=special,
        parts=_byte_parts(post_processor=template),
        bos_token="</s>",
        eos_token="</s>",
        pad_token="<pad>",
    )


def llama3_like() -> PreTrainedTokenizerFast:
    """BOS before text, reserved tokens to adopt, no pad."""
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"
    )
    model = json.loads(_byte_level()) | {"ignore_merges": True}
    begin = len(model["vocab"])
    special = [
        "<|begin_of_text|>",
        "<|end_of_text|>",
        *(f"<|reserved_special_token_{number}|>" for number in range(30)),
    ]
    splitter = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    template = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", begin)]
    )
    return _made(
        model,
        special=special,
        parts={"pre_tokenizer": splitter, "decoder": decoders.ByteLevel(), "post_processor": template},
        bos_token=special[0],
        eos_token=special[1],
    )


def qwen_like() -> PreTrainedTokenizerFast:
    """No BOS; EOS is also pad; the table has rows beyond the tokenizer."""
    model = json.loads(_byte_level())
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    return _made(
        model,
        special=special,
        ordinary=["<think>", "</think>"],
        parts=_byte_parts(normalizer=normalizers.NFC()),
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
    )


def bare() -> PreTrainedTokenizerFast:
    """No special token at all."""
    return _made(json.loads(_byte_level()), parts=_byte_parts())


def llama2_like() -> PreTrainedTokenizerFast:
    """The dummy prefix of a normalizer; bytes for unknown characters; BOS before text; pad is unknown."""
    special = ["<unk>", "<s>", "</s>"]
    model = _with_first(json.loads(_sentencepiece_bpe()), [*special, *BYTES])
    space = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    plain = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    parts = {
        "normalizer": space,
        "decoder": decoders.Sequence([*plain, decoders.Strip(" ", 1, 0)]),
        "post_processor": processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)]),
    }
    return _made(
        model | {"unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True},
        special=special,
        parts=parts,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<unk>",
    )


def gemma_like() -> PreTrainedTokenizerFast:
    """No dummy prefix; unused tokens that are added but not special, and runs of line breaks."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    unused = [f"<unused{number}>" for number in range(99)]
    breaks = ["\n" * number for number in range(1, 6)]
    model = _with_first(json.loads(_sentencepiece_bpe()), [*special, *unused, *breaks, *BYTES])
    parts = {
        "normalizer": normalizers.Replace(" ", "▁"),
        "pre_tokenizer": pre_tokenizers.Split(" ", "merged_with_previous"),
        "decoder": decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]),
        "post_processor": processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)]),
    }
    return _made(
        model | {"unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True},
        special=special,
        ordinary=[*unused, *breaks],
        parts=parts,
        bos_token="<bos>",
        eos_token="<eos>",
        unk_token="<unk>",
        pad_token="<pad>",
    )


def t5_like() -> PreTrainedTokenizerFast:
    """Words split at white space and marked; EOS behind text; sentinels among the pieces."""
    first = ["<pad>", "</s>", "<unk>", *(f"<extra_id_{number}>" for number in range(100))]
    model = _with_first(json.loads(_unigram()), first) | {"unk_id": 2}
    clean = [normalizers.NFKC(), normalizers.Strip(left=False), normalizers.Replace(Regex(" {2,}"), "▁")]
    parts = {
        "normalizer": normalizers.Sequence(clean),
        "pre_tokenizer": pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
        ),
        "decoder": decoders.Metaspace(),
        "post_processor": processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)]),
    }
    return _made(model, special=first, parts=parts, eos_token="</s>", pad_token="<pad>", unk_token="<unk>")


def unigram_first() -> PreTrainedTokenizerFast:
    """The dummy prefix of the first word alone; pad is the unknown token, which text can become."""
    special = ["<unk>", "<s>", "</s>"]
    model = _with_first(json.loads(_unigram()), special) | {"unk_id": 0}
    parts = {
        "pre_tokenizer": pre_tokenizers.Metaspace(prepend_scheme="first"),
        "decoder": decoders.Metaspace(prepend_scheme="first"),
        "post_processor": processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
        ),
    }
    return _made(
        model,
        special=special,
        parts=parts,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<unk>",
    )


def bert_like() -> PreTrainedTokenizerFast:
    """Lower case and no spaces; unused tokens to adopt; neither BOS nor EOS."""
    roles = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    first = ["[PAD]", *(f"[unused{number}]" for number in range(99)), *roles]
    parts = {
        "normalizer": normalizers.BertNormalizer(lowercase=True),
        "pre_tokenizer": pre_tokenizers.BertPreTokenizer(),
        "decoder": decoders.WordPiece(),
        "post_processor": processors.BertProcessing(("[SEP]", 102), ("[CLS]", 101)),
    }
    return _made(
        _with_first(json.loads(_word_piece()), first),
        special=["[PAD]", *roles],
        parts=parts,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "GPT-2-like": gpt2_like,
    "Pythia-like": pythia_like,
    "RoBERTa-like": roberta_like,
    "OPT-like": opt_like,
    "Llama-3-like": llama3_like,
    "Qwen-like": qwen_like,
    "bare": bare,
    "Llama-2-like": llama2_like,
    "Gemma-like": gemma_like,
    "T5-like": t5_like,
    "Unigram": unigram_first,
    "BERT-like": bert_like,
}
KINDS = {
    "Llama-2-like": "BPE, SentencePiece",
    "Gemma-like": "BPE, SentencePiece",
    "T5-like": "Unigram, SentencePiece",
    "Unigram": "Unigram, SentencePiece",
    "BERT-like": "WordPiece",
}
EXACT = [name for name in TOKENIZERS if KINDS.get(name, "").split(",")[0] in ("", "BPE")]
