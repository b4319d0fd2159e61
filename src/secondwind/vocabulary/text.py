"""The one text boundary: pieces of text become ids here, in training and in evaluation alike.

    encode(["The cat", " sat"], tokenizer)      [[The] [▁cat]] [[▁sat]]       Llama 2, T5
                                                [[The] [Ġcat]] [[Ġsat]]       GPT-2, Llama 3
    decode([The ▁cat ▁sat], tokenizer)          "The cat sat"

A tokenizer treats a text as a whole document: it may put a space before it, strip its ends, and read
special strings in it as special tokens. A piece is a part of a text, so none of that may happen. The
user's tokenizer stays as it is: a private copy does the work (`faithful.py`), made once and forgotten
with the tokenizer.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from secondwind.errors import VocabularyError
from secondwind.vocabulary.faithful import faithful_decoder, faithful_encoder
from secondwind.vocabulary.tokenizer import Tokenizer


class _Boundary(NamedTuple):
    """The private copies of a backend, and how many tokens it had when they were made."""

    num_tokens: int
    encoder: Any
    decoder: Any


_BOUNDARIES: WeakKeyDictionary[Any, _Boundary] = WeakKeyDictionary()


def encode(pieces: Sequence[str], tokenizer: Tokenizer) -> list[list[int]]:
    """Turn each piece of text into ids, apart from its neighbours.

    Pieces are encoded apart and concatenated by the caller, so that the border between inputs and
    targets is the same in training and in evaluation. A target owns the space before it. No BOS, EOS or
    dummy prefix is added, and special strings inside a piece stay text.

    Raises:
        VocabularyError: the tokenizer cannot be copied, or a bare text was given.
    """
    if isinstance(pieces, str):
        raise VocabularyError(
            f"encode got one text of {len(pieces)} characters; wanted a list of pieces: [text]."
        )
    if not pieces:
        return []
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        encoded = tokenizer(list(pieces), add_special_tokens=False, split_special_tokens=True)
        return [list(ids) for ids in encoded["input_ids"]]
    # Without offsets and masks: half the time of calling the tokenizer itself.
    found = _boundary(backend).encoder.encode_batch_fast(list(pieces), add_special_tokens=False)
    return [piece.ids for piece in found]


def decode(ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """Turn ids into text: the inverse of `encode`, with special tokens spelled out.

    A leading space stays, where the tokenizer's own `decode` may take it for a dummy prefix.

    Raises:
        VocabularyError: the tokenizer cannot be copied.
    """
    backend = tokenizer.backend_tokenizer
    tokens = [backend.id_to_token(int(token)) for token in ids]
    known = [token for token in tokens if token is not None]  # rows beyond the tokenizer have no text
    decoder = _boundary(backend).decoder
    return " ".join(known) if decoder is None else str(decoder.decode(known))


def _boundary(backend: Any) -> _Boundary:
    # Tokens may be added at any time, and their number is read in microseconds. The other parts may be
    # large; who changes them does so before the first text.
    num_tokens = backend.get_vocab_size(with_added_tokens=True)
    known = _BOUNDARIES.get(backend)
    if known is None or known.num_tokens != num_tokens:
        known = _Boundary(num_tokens, faithful_encoder(backend), faithful_decoder(backend))
        _BOUNDARIES[backend] = known
    return known
