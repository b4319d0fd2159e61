"""The special ids of an adopted tokenizer: one frozen record, stored in `secondwind.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from secondwind.errors import TooFewSentinels, VocabularyError
from secondwind.example import Tokens
from secondwind.vocabulary.claims import Claims, bos_in_use, refuse_small_table, rows_for
from secondwind.vocabulary.tokenizer import Tokenizer


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
        fresh: ids whose embedding rows the model's maker never trained and that started anew.
        spare: reserved ids of the tokenizer that are still free, in the order in which they would be used.
        room: rows of the table beyond the tokenizer's last id.
    """

    size: int
    eos: int
    pad: int
    bos: int | None
    sentinels: tuple[int, ...]
    modes: Mapping[str, int]
    names: Mapping[int, str] = field(default_factory=dict[int, str])
    fresh: tuple[int, ...] = ()
    spare: tuple[int, ...] = ()
    room: int = 0

    @property
    def num_sentinels(self) -> int:
        """Count the sentinels."""
        return len(self.sentinels)

    @cached_property
    def reserved(self) -> frozenset[int]:
        """Return the ids that no document may contain."""
        own = {self.eos, self.pad, *self.sentinels, *self.modes.values()}
        return frozenset(own if self.bos is None else own | {self.bos})

    @cached_property
    def reserved_ranges(self) -> npt.NDArray[np.int64]:
        """Return the reserved ids as int64[R, 2] of rising ranges [first, last + 1)."""
        ids = np.asarray(sorted(self.reserved), dtype=np.int64)
        first = ids[np.diff(ids, prepend=-2) > 1]
        last = ids[np.diff(ids, append=ids[-1] + 2) > 1]
        return np.stack([first, last + 1], axis=1)

    @cached_property
    def sentinel_ids(self) -> Tokens:
        """Return the sentinels as int32[K]."""
        return np.asarray(self.sentinels, dtype=np.int32)

    def refuse_reserved(self, tokens: Tokens, what: str) -> None:
        """Raise if a document holds a reserved id, or one beyond the table.

        Raises:
            VocabularyError: names the first such id, its token and its place.
        """
        beyond = np.flatnonzero(tokens >= self.size)
        if len(beyond):
            place = int(beyond[0])
            raise VocabularyError(
                f"{what} holds the id {int(tokens[place])} at token {place}, but the table has "
                f"{self.size:,} rows. It was encoded with another tokenizer: encode it again."
            )
        hits = np.flatnonzero(np.isin(tokens, list(self.reserved)))
        if len(hits):
            place = int(hits[0])
            found = int(tokens[place])
            raise VocabularyError(
                f"{what} holds the reserved id {found} ({self.names.get(found, '?')}) at token {place}. "
                "Documents must hold ordinary tokens only. Encode text with secondwind.vocabulary.encode, "
                "which keeps special strings as text."
            )

    def require_sentinels(self, num_sentinels: int, what: str) -> None:
        """Raise if there are fewer sentinels than `what` needs.

        Args:
            what: who needs them, as the subject of a sentence: "denoiser 'X' in a window of 1,024 tokens".

        Raises:
            TooFewSentinels: says how many are missing and where they would come from.
        """
        missing = num_sentinels - self.num_sentinels
        if missing <= 0:
            return
        raise TooFewSentinels(
            f"{what} needs {num_sentinels:,} sentinels, but the vocabulary has {self.num_sentinels:,}. The "
            f"other {missing:,} would come from {self._source_of(missing)}. Adopt the base model again with "
            f"num_sentinels={num_sentinels}, or make fewer spans: shorter windows or a larger "
            "mean_span_length."
        )

    def _source_of(self, missing: int) -> str:
        num_new = max(0, missing - len(self.spare))
        parts = [f"{missing - num_new:,} reserved ids of the tokenizer"] if missing > num_new else []
        if num_new:
            rows = rows_for(self.size - self.room + num_new, self.size)
            grown = f"grows from {self.size:,} to {rows:,} rows" if rows > self.size else "has room for them"
            parts.append(f"{num_new:,} new tokens (the embedding table {grown})")
        return " and ".join(parts)

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
            "spare": list(self.spare),
            "room": self.room,
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
                spare=tuple(int(token) for token in stored["spare"]),
                room=int(stored["room"]),
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
        earlier: "Vocabulary | None" = None,
    ) -> "Vocabulary":
        """Find or make EOS, pad, sentinels and mode tokens; new tokens are added to `tokenizer`.

        Reserved tokens of the tokenizer are used first, then table rows beyond the tokenizer, then
        the table grows to a multiple of 128 rows. Adopting an adopted tokenizer changes nothing.

        Args:
            embedding_rows: rows of the model's table; None stands for a table that is yet to be made, of
                the next multiple of 128.
            earlier: what was adopted before from this tokenizer; its ids keep their meaning.

        Raises:
            ModelError: the tokenizer has ids beyond the model's table.
            VocabularyError: the tokenizer takes no new tokens, `earlier` is of another tokenizer, or a mode
                would have an id that means something else.
        """
        claims = Claims(tokenizer, {} if earlier is None else _meanings(earlier))
        refuse_small_table(claims.num_ids, embedding_rows)
        eos, pad = claims.want_role("eos", "<|end|>"), claims.want_role("pad", "<|pad|>")
        kept_modes = () if earlier is None else tuple(earlier.modes)
        wanted_modes = {mode: claims.want(f"[{mode}]") for mode in dict.fromkeys((*kept_modes, *modes))}
        most = num_sentinels if earlier is None else max(num_sentinels, earlier.num_sentinels)
        wanted = [claims.want(f"<extra_id_{number}>") for number in range(most)]
        ids = claims.settle()
        bos = bos_in_use(tokenizer)
        _refuse_shared({"eos": ids[eos], "pad": ids[pad]}, wanted_modes, ids, tokenizer)
        special = {ids[name] for name in (eos, pad, *wanted_modes.values(), *wanted)}
        rows = rows_for(claims.num_ids, embedding_rows)
        fresh = {*claims.fresh, *(() if earlier is None else earlier.fresh)}
        names = {token: name for name, token in ids.items()}
        return Vocabulary(
            size=rows,
            eos=ids[eos],
            pad=ids[pad],
            bos=bos,
            sentinels=tuple(ids[name] for name in wanted),
            modes={mode: ids[name] for mode, name in wanted_modes.items()},
            names={token: names[token] for token in (special if bos is None else special | {bos})},
            fresh=tuple(sorted(fresh)),
            spare=claims.spare,
            room=rows - claims.num_ids,
        )


def _meanings(vocabulary: Vocabulary) -> dict[str, str]:
    """Return the name under which each special id was wanted, with its token string."""
    wanted = {f"[{mode}]": token for mode, token in vocabulary.modes.items()}
    wanted |= {f"<extra_id_{number}>": token for number, token in enumerate(vocabulary.sentinels)}
    nameless = [token for token in wanted.values() if token not in vocabulary.names]
    if nameless:
        raise VocabularyError(
            f"the earlier vocabulary does not name the ids {nameless[:5]}; wanted the token string of every "
            "special id, as Vocabulary.adopt and secondwind.json keep them."
        )
    return {name: vocabulary.names[token] for name, token in wanted.items()}


def _refuse_shared(
    roles: Mapping[str, int], modes: Mapping[str, str], ids: Mapping[str, int], tokenizer: Tokenizer
) -> None:
    """Refuse a mode whose token has another meaning: a role of the tokenizer, or another mode."""
    taken = {**roles, "unk": getattr(tokenizer, "unk_token_id", None), "bos": tokenizer.bos_token_id}
    meanings = {token: role for role, token in taken.items() if token is not None}
    for mode, name in modes.items():
        if ids[name] in meanings:
            raise VocabularyError(
                f"the mode '{mode}' would be the token {name}, which is the {meanings[ids[name]]} of this "
                "tokenizer. Choose another name for the mode."
            )
        meanings[ids[name]] = f"mode '{mode}'"
