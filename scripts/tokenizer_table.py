"""Print what adoption does to tokenizers of every kind: the tables of docs/vocabulary.md.

.venv/bin/python -m scripts.tokenizer_table

The tokenizers are those that the tests train (tests/vocabulary/makers.py).
"""

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from collections.abc import Iterable
from typing import Any

from tests.vocabulary.makers import TOKENIZERS

from secondwind.toyworld import corpus
from secondwind.vocabulary import Vocabulary, decode, encode
from secondwind.vocabulary.tokenizer import reserved_number

NUM_SENTINELS = 40
PADDED_ROWS = {"Qwen-like": 704}  # tables that are larger than the tokenizer
NUM_DOCUMENTS = 300
FEATURES = {
    "capitals": "The CAT",
    "accents": "café crème",
    "spaces": "the cat sat",
    "double spaces": "the  cat",
    "accents apart from their letters": "cafe\u0301",
    "a space at the start": " the cat",
    "a space at the end": "the cat ",
    "line breaks": "the cat\nsat\n",
    "special strings": "a </s> <extra_id_0>[R]<|end|>",
    "unseen characters": "the ꙮ 猫 🐈 cat",
}


def adoption_table() -> str:
    """Return one row a tokenizer: what was adopted, the BOS and EOS rule, and what text survives."""
    head = (
        "tokenizer",
        "model",
        "EOS",
        "pad",
        "modes, sentinels",
        "table rows",
        "its own template",
        "BOS",
        "text comes back",
    )
    return _table(head, (_adoption(name) for name in TOKENIZERS))


def _adoption(name: str) -> tuple[str, ...]:
    tokenizer = TOKENIZERS[name]()
    own = tokenizer.get_vocab()
    rows = PADDED_ROWS.get(name, len(own))
    template = _template(tokenizer)
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=NUM_SENTINELS, embedding_rows=rows)
    denoising = (*vocabulary.modes.values(), *vocabulary.sentinels)
    origins = [_origin(vocabulary.names[token], token in vocabulary.fresh, own) for token in denoising]
    counted = [f"{origins.count(origin)} {origin}" for origin in dict.fromkeys(origins)]
    return (
        name,
        type(tokenizer.backend_tokenizer.model).__name__,
        *(_with_origin(token, vocabulary, own) for token in (vocabulary.eos, vocabulary.pad)),
        ", ".join(counted),
        f"{rows} -> {vocabulary.size}" if vocabulary.size > rows else f"{rows}, {vocabulary.room} free",
        template,
        "none" if vocabulary.bos is None else f"`{_shown(vocabulary.names[vocabulary.bos])}`",
        _survival(tokenizer),
    )


def _origin(name: str, fresh: bool, own: dict[str, int]) -> str:
    if not fresh:
        return "own"
    return "reserved" if name in own and reserved_number(name) is not None else "new"


def _with_origin(token: int, vocabulary: Vocabulary, own: dict[str, int]) -> str:
    name = vocabulary.names[token]
    return f"`{_shown(name)}` {_origin(name, token in vocabulary.fresh, own)}"


def _template(tokenizer: Any) -> str:
    """Show what the tokenizer itself puts around a text; `encode` adds none of it."""
    whole, plain = (tokenizer("a", add_special_tokens=wanted).tokens() for wanted in (True, False))
    start = next(place for place in range(len(whole)) if whole[place : place + len(plain)] == plain)
    before, after = whole[:start], whole[start + len(plain) :]
    quoted = [[f"`{_shown(name)}`" for name in names] for names in (before, after)]
    return " ".join((*quoted[0], "text", *quoted[1]))


def _shown(name: str) -> str:
    return name.replace("|", "\\|")  # a bar would end the column


def _survival(tokenizer: Any) -> str:
    lost = [
        feature
        for feature, text in FEATURES.items()
        if decode([token for piece in encode([text, text], tokenizer) for token in piece], tokenizer)
        != text * 2
    ]
    return f"without {', '.join(lost)}" if lost else "exact"


def start_table() -> str:
    """Return one row a tokenizer with a dummy prefix: what its absence changes at a document's start."""
    head = ("tokenizer", "documents that change", "tokens replaced", "by", "of tokens in a document")
    return _table(head, (row for name in TOKENIZERS if (row := _start(name))))


def _start(name: str) -> tuple[str, ...] | None:
    tokenizer = TOKENIZERS[name]()
    if tokenizer.tokenize("a") == [tokenizer.convert_ids_to_tokens(i) for i in encode(["a"], tokenizer)[0]]:
        return None
    documents = list(corpus("held_out", NUM_DOCUMENTS))
    own = [tokenizer(text, add_special_tokens=False).input_ids for text in documents]
    replaced = [_without_tail(*pair) for pair in zip(own, encode(documents, tokenizer), strict=True)]
    before, after = (sum(numbers) / len(documents) for numbers in zip(*replaced, strict=True))
    changed = sum(numbers != (0, 0) for numbers in replaced) / len(documents)
    length = sum(map(len, own)) / len(documents)
    return name, f"{changed:.0%}", f"{before:.1f}", f"{after:.1f}", f"{length:.0f}"


def _without_tail(own: list[int], ours: list[int]) -> tuple[int, int]:
    """Count the tokens of each before the part that both end with."""
    common = 0
    while common < min(len(own), len(ours)) and own[-1 - common] == ours[-1 - common]:
        common += 1
    return len(own) - common, len(ours) - common


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(adoption_table(), start_table(), sep="\n\n")
