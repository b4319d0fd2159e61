"""Adopt a tokenizer: find or make the special ids that denoising and instructions need.

    Vocabulary.adopt(tokenizer, num_sentinels=3)
        eos, pad    the tokenizer's own, else reserved tokens, else new ones
        sentinels   <extra_id_0> <extra_id_1> <extra_id_2>     reserved tokens first, else new ones
        modes       [R] [S] [X]                                one id each

`encode` is the only place where text becomes ids, in training and in evaluation alike.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from secondwind.errors import ModelError, VocabularyError
from secondwind.example import Tokens

# Tokens that model makers leave unused for others to adopt: Llama 3, Gemma, BERT, Qwen 1, Phi.
_RESERVED = re.compile(
    r"^(?:<\|reserved_special_token_(\d+)\|>|<unused(\d+)>|\[unused(\d+)\]|<\|extra_(\d+)\|>|<\|dummy_(\d+)\|>)$"
)
_SENTINEL = re.compile(r"^<extra_id_(\d+)>$")
_ROW_MULTIPLE = 128  # tables of a multiple of 128 rows keep matrix kernels on their fast path


class Tokenizer(Protocol):
    """What this project uses of a Hugging Face fast tokenizer."""

    eos_token_id: int | None
    pad_token_id: int | None
    bos_token_id: int | None

    @property
    def backend_tokenizer(self) -> Any:
        """Return the tokenizer of the `tokenizers` library."""
        ...

    def __len__(self) -> int: ...

    def __call__(self, text: Any, **settings: Any) -> Any:
        """Encode text, or a list of texts."""
        ...

    def get_vocab(self) -> dict[str, int]:
        """Return every token string with its id."""
        ...

    def add_special_tokens(self, special_tokens_dict: Any, **settings: Any) -> int:
        """Name a token's role, for example {"eos_token": "</s>"}."""
        ...

    def add_tokens(self, new_tokens: Any, special_tokens: bool = False) -> int:
        """Add token strings at the end of the vocabulary."""
        ...


@dataclass(frozen=True)
class Vocabulary:
    """The special ids of one adopted tokenizer, and the size of the table they live in.

    Args:
        size: rows of the embedding table after adoption; every id is below it.
        eos: ends a document or an answer.
        pad: fills rows; never attended.
        bos: starts every packed segment, or None where the model uses none.
        sentinels: sentinel 0 comes first in the text.
        modes: mode name to id, for example {"R": 1001}.
        names: id to token string, for every special id.
        fresh: ids whose embedding rows were never trained and start anew.
    """

    size: int
    eos: int
    pad: int
    bos: int | None
    sentinels: tuple[int, ...]
    modes: Mapping[str, int]
    names: Mapping[int, str] = field(default_factory=dict[int, str])
    fresh: tuple[int, ...] = ()

    @property
    def num_sentinels(self) -> int:
        """Count the sentinels."""
        return len(self.sentinels)

    @property
    def reserved(self) -> frozenset[int]:
        """Return the ids that no document may contain."""
        own = {self.eos, self.pad, *self.sentinels, *self.modes.values()}
        return frozenset(own if self.bos is None else own | {self.bos})

    def refuse_reserved(self, tokens: Tokens, what: str) -> None:
        """Raise if a document holds a reserved id.

        Raises:
            VocabularyError: names the first such id, its token and its place.
        """
        hits = np.flatnonzero(np.isin(tokens, list(self.reserved)))
        if len(hits):
            place = int(hits[0])
            found = int(tokens[place])
            raise VocabularyError(
                f"{what} holds the reserved id {found} ({self.names.get(found, '?')}) at token {place}. "
                "Documents must hold ordinary tokens only. Encode text with secondwind.vocabulary.encode, "
                "which keeps special strings as text."
            )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form, as stored in `secondwind.json`."""
        return {
            "size": self.size,
            "eos": self.eos,
            "pad": self.pad,
            "bos": self.bos,
            "sentinels": list(self.sentinels),
            "modes": dict(self.modes),
            "names": {str(token): name for token, name in sorted(self.names.items())},
            "fresh": list(self.fresh),
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Vocabulary":
        """Rebuild a vocabulary from `to_json`."""
        try:
            return Vocabulary(
                size=int(stored["size"]),
                eos=int(stored["eos"]),
                pad=int(stored["pad"]),
                bos=None if stored["bos"] is None else int(stored["bos"]),
                sentinels=tuple(int(token) for token in stored["sentinels"]),
                modes={str(name): int(token) for name, token in stored["modes"].items()},
                names={int(token): str(name) for token, name in stored["names"].items()},
                fresh=tuple(int(token) for token in stored["fresh"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise VocabularyError(
                f"the stored vocabulary is damaged: {error!r}. Wanted the fields that Vocabulary.to_json "
                "writes. Export the model again, or delete its secondwind.json to adopt the tokenizer anew."
            ) from error

    @staticmethod
    def adopt(
        tokenizer: Tokenizer,
        *,
        num_sentinels: int,
        modes: Sequence[str] = ("R", "S", "X"),
        embedding_rows: int | None = None,
    ) -> "Vocabulary":
        """Find or make EOS, pad, sentinels and mode tokens; new tokens are added to `tokenizer`.

        Reserved tokens of the tokenizer are used first, then table rows beyond the tokenizer, then
        the table grows to a multiple of 128 rows. Adopting an adopted tokenizer changes nothing.

        Args:
            embedding_rows: rows of the model's table; None means exactly the tokenizer's size.

        Raises:
            ModelError: the tokenizer has ids beyond the model's table.
        """
        size_before = max(tokenizer.get_vocab().values()) + 1
        if embedding_rows is not None and size_before > embedding_rows:
            raise ModelError(
                f"the tokenizer has ids up to {size_before - 1}, but the model's embedding table has "
                f"{embedding_rows} rows. They do not belong together: use the tokenizer that the model "
                "was trained with."
            )
        claim = _Claims(tokenizer)
        eos = tokenizer.eos_token_id
        if eos is None:
            eos = claim.named("<|end|>")
            tokenizer.add_special_tokens({"eos_token": claim.name(eos)})
        pad = tokenizer.pad_token_id
        if pad is None:
            pad = claim.named("<|pad|>")
            tokenizer.add_special_tokens({"pad_token": claim.name(pad)})
        mode_ids = {mode: claim.named(f"[{mode}]") for mode in modes}
        sentinels = tuple(claim.named(f"<extra_id_{number}>") for number in range(num_sentinels))
        special = {eos, pad, *mode_ids.values(), *sentinels}
        bos = _bos_in_use(tokenizer)
        rows = max(max(special) + 1, size_before, embedding_rows or 0)
        if rows > (embedding_rows or 0):
            rows = -(-rows // _ROW_MULTIPLE) * _ROW_MULTIPLE
        return Vocabulary(
            size=rows,
            eos=eos,
            pad=pad,
            bos=bos,
            sentinels=sentinels,
            modes=mode_ids,
            names={token: claim.name(token) for token in (special if bos is None else special | {bos})},
            fresh=tuple(sorted(claim.fresh)),
        )


class _Claims:
    """Hand out special tokens: one of that name, else a reserved one, else a new one."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids = tokenizer.get_vocab()
        self._names = {token: name for name, token in self._ids.items()}
        self._special = {str(name) for name in getattr(tokenizer, "all_special_tokens", [])}
        self._special |= {str(t) for t in getattr(tokenizer, "added_tokens_decoder", {}).values()}
        self._spare = self._reserved()
        self.fresh: set[int] = set()

    def _reserved(self) -> Iterator[str]:
        numbered = ((match, name) for name in self._ids if (match := _RESERVED.match(name)))
        yield from (
            name for _, name in sorted((int(next(g for g in m.groups() if g)), name) for m, name in numbered)
        )

    def name(self, token: int) -> str:
        """Return the token string of an id."""
        return self._names[token]

    def named(self, name: str) -> int:
        """Return the id of a special token, made if it is missing."""
        if name in self._ids and (_SENTINEL.match(name) or name in self._special):
            return self._ids[name]
        if name in self._ids:  # an ordinary token of the same spelling must stay text
            name = f"<|secondwind:{name}|>"
        spare = next(self._spare, None)
        if spare is None:
            self._tokenizer.add_tokens([name], special_tokens=True)
            spare = name
            self._ids = self._tokenizer.get_vocab()
            self._special.add(name)
        token = self._ids[spare]
        self._names[token] = spare
        self.fresh.add(token)
        return token


def _bos_in_use(tokenizer: Tokenizer) -> int | None:
    """Return BOS only where the tokenizer itself puts it before text.

    GPT-NeoX and Qwen name a BOS token that their models never saw at the start of a text.
    """
    bos = tokenizer.bos_token_id
    encoded = tokenizer("a").input_ids
    return bos if bos is not None and len(encoded) > 0 and encoded[0] == bos else None


def encode(pieces: Sequence[str], tokenizer: Tokenizer) -> list[list[int]]:
    """Turn each piece of text into ids, apart from its neighbours.

    Pieces are encoded apart and concatenated by the caller, so that the border between inputs and
    targets is the same in training and in evaluation. A target owns the space before it. No BOS or
    EOS is added, and special strings inside a piece stay text.
    """
    if not pieces:
        return []
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        encoded = tokenizer(list(pieces), add_special_tokens=False, split_special_tokens=True)
        return [list(ids) for ids in encoded["input_ids"]]
    # The backend without offsets and masks: half the time of calling the tokenizer itself.
    before = backend.encode_special_tokens
    backend.encode_special_tokens = True
    try:
        return [found.ids for found in backend.encode_batch_fast(list(pieces), add_special_tokens=False)]
    finally:
        backend.encode_special_tokens = before
