r"""A private copy of a tokenizer that encodes a piece of text as just that piece.

    what a tokenizer does to a whole text                  where                              in the copy
    a space before it (the dummy prefix)                   Metaspace, ByteLevel, Prepend,     never
                                                           Replace "^"
    white space at its ends stripped                       Strip                              kept
    spaces dropped, each word marked (T5, XLM-R)           WhitespaceSplit, Metaspace         runs become one
    special strings read as tokens                         added tokens, model                text
    random merges, cut texts, padding, BOS and EOS         dropout, truncation, ...           none

What a tokenizer does to every part of a text (lower case, Unicode forms, doubled spaces) is how its
model learned to read, and stays.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from secondwind.errors import VocabularyError
from secondwind.vocabulary.tokenizer import RESERVED, SENTINEL

_Part = dict[str, Any]
_SPACES = (" ", "▁")
# A special token that looks like ordinary text, such as a line break, is left to the model.
_MARKUP = re.compile(r"^(?:<.*>|\[.*\]|\{.*\})$", re.DOTALL)


def faithful_encoder(backend: Any) -> Any:
    """Return a copy of a backend that adds nothing to a piece and keeps special strings as text.

    Raises:
        VocabularyError: the backend has parts written in Python.
    """
    state = _state(backend)
    state["truncation"] = state["padding"] = state["post_processor"] = None
    normalizers = [part for part in _parts(state["normalizer"], "normalizers") if not _touches_ends(part)]
    splitters = _parts(state["pre_tokenizer"], "pretokenizers")
    if _marks_split_words(splitters):
        # Words are split at white space first, and each is marked: without the first mark the second
        # could not be told from it. One space per run gives the same words, and marks from the spaces.
        # Some makers turn doubled spaces into a mark before that, so marks belong to a run too.
        run = rf"[\s{re.escape(splitters[-1]['replacement'])}]+"
        normalizers.append({"type": "Replace", "pattern": {"Regex": run}, "content": " "})
        splitters = splitters[-1:]
    state["normalizer"] = _sequence(normalizers, "normalizers")
    state["pre_tokenizer"] = _sequence(list(_without_prefix(splitters)), "pretokenizers")
    if "dropout" in state["model"]:
        state["model"]["dropout"] = None
    _hide_special(state)
    copy = _backend_of(state, like=backend)
    copy.encode_special_tokens = True
    ordinary = (token for token in state["added_tokens"] if not token["special"])
    assert all(copy.token_to_id(token["content"]) == token["id"] for token in ordinary), (
        "ids moved in the copy"
    )
    return copy


def faithful_decoder(backend: Any) -> Any:
    """Return a decoder that strips and tidies nothing, or None where the tokenizer has none."""
    if backend.decoder is None:
        return None
    decoders = _parts(json.loads(backend.decoder.__getstate__()), "decoders")
    kept = [_untidied(part) for part in decoders if not _touches_ends(part)] or [{"type": "Fuse"}]
    state: _Part = {
        "version": "1.0",
        "added_tokens": [],
        "decoder": _sequence(kept, "decoders"),
        "model": {"type": "BPE", "vocab": {}, "merges": []},
    }
    return _backend_of(state, like=backend).decoder


def _state(backend: Any) -> _Part:
    try:
        return json.loads(backend.to_str())
    except Exception as error:  # the Rust side raises plain Exception
        raise VocabularyError(
            f"the tokenizer cannot be copied: {error}. Wanted one whose parts can be saved, which a part "
            "written in Python cannot. Use the fast tokenizer of the model as it was published."
        ) from error


def _backend_of(state: _Part, *, like: Any) -> Any:
    try:
        return like.from_str(json.dumps(state))
    except Exception as error:  # the Rust side raises plain Exception
        raise VocabularyError(
            f"the tokenizer cannot be copied: {error}. Wanted a tokenizer.json that this version of the "
            "tokenizers library can read. Update the library, or convert the tokenizer again."
        ) from error


def _parts(state: _Part | None, name: str) -> list[_Part]:
    """Flatten nested sequences."""
    if state is None:
        return []
    if state["type"] != "Sequence":
        return [state]
    return [part for inner in state[name] for part in _parts(inner, name)]


def _sequence(parts: list[_Part], name: str) -> _Part | None:
    return {"type": "Sequence", name: parts} if parts else None


def _touches_ends(part: _Part) -> bool:
    """Tell whether a normalizer or decoder does something to the start or the end of a text alone."""
    if part["type"] == "Strip" and "content" in part:  # a decoder
        return part["content"] in _SPACES
    if part["type"] == "Replace":
        at_start = str(part["pattern"].get("Regex", "")).startswith("^")
        return at_start and part["content"] in ("", *_SPACES)
    return part["type"] in ("Prepend", "Strip")


def _marks_split_words(splitters: list[_Part]) -> bool:
    *before, last = splitters or [{"type": ""}]
    return (
        last["type"] == "Metaspace"
        and last["prepend_scheme"] == "always"
        and len(before) > 0
        and all(part["type"] == "WhitespaceSplit" for part in before)
    )


def _without_prefix(splitters: list[_Part]) -> Iterator[_Part]:
    for number, part in enumerate(splitters):
        # Behind another splitter, "always" and add_prefix_space mark every part and not just the first:
        # the model has learned those marks, and they stay.
        if part["type"] == "Metaspace" and (number == 0 or part["prepend_scheme"] == "first"):
            yield part | {"prepend_scheme": "never"}
        elif part["type"] == "ByteLevel" and number == 0:
            yield part | {"add_prefix_space": False}
        else:
            yield part


def _untidied(decoder: _Part) -> _Part:
    if decoder["type"] == "Metaspace":
        return decoder | {"prepend_scheme": "never"}
    if decoder["type"] == "WordPiece":  # tidying would turn "do not" into "don't"
        return decoder | {"cleanup": False}
    return decoder


def _hide_special(state: _Part) -> None:
    """Rename special tokens, so that no text can spell them.

    Splitting special strings is not enough: a Unigram model that lists `</s>` or `<extra_id_0>` as a
    piece with score 0 prefers it to any spelling, and makers mark some reserved tokens as ordinary ones.
    """
    for token in state["added_tokens"]:
        token["special"] = token["special"] or _is_reserved(token["content"])
    special = {token["content"] for token in state["added_tokens"] if token["special"]}

    def renamed(name: str) -> str:
        hidden = _is_reserved(name) or (name in special and _MARKUP.match(name))
        # Unicode promises that these two characters are never used for interchange.
        return f"\ufdd0{name}\ufdd1" if hidden else name

    model = state["model"]
    before = {name for name, *_ in model["vocab"]} if model["type"] == "Unigram" else set(model["vocab"])
    for token in state["added_tokens"]:
        if token["content"] in before:  # the same string in both places, so that the id stays
            token["content"] = renamed(token["content"])
    if model["type"] == "Unigram":
        model["vocab"] = [[renamed(name), score] for name, score in model["vocab"]]
        return
    model["vocab"] = {renamed(name): token for name, token in model["vocab"].items()}
    if model.get("unk_token"):
        model["unk_token"] = renamed(model["unk_token"])
    if model["type"] == "BPE":
        _drop_merges(model, renamed)


def _drop_merges(model: _Part, renamed: Callable[[str], str]) -> None:
    """Leave out merges that lead to or from a renamed token."""
    prefix = model.get("continuing_subword_prefix") or ""

    def kept(merge: list[str] | str) -> bool:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        joined = left + right.removeprefix(prefix)
        return all(renamed(name) == name for name in (left, right, joined))

    model["merges"] = [merge for merge in model["merges"] if kept(merge)]


def _is_reserved(name: str) -> bool:
    return bool(RESERVED.match(name) or SENTINEL.match(name))
