"""Claim special tokens of a tokenizer: one of that name, else a reserved one, else a new one.

    wanted         [R]        <extra_id_0>              <extra_id_1>
    BERT-like      [unused1]  [unused2]                 [unused3]
    T5-like        [R] (new)  <extra_id_0> (its own)    <extra_id_1> (its own)

A reserved token keeps its name: the tokenizer's files stay as their maker wrote them, plus new tokens.
"""

from collections.abc import Mapping
from typing import Any

from secondwind.errors import ModelError, VocabularyError
from secondwind.vocabulary.tokenizer import SENTINEL, Tokenizer, reserved_number, role_ids

_ROW_MULTIPLE = 128  # tables of a multiple of 128 rows keep matrix kernels on their fast path
# Characters so rare that a tokenizer without byte fallback has no token for one of them at least.
_RARE = "\U000130e7\ua66e\u16b3\U0010fffd"


class Claims:
    """Which token carries which meaning; nothing is added to the tokenizer before `settle`."""

    def __init__(self, tokenizer: Tokenizer, meanings: Mapping[str, str]) -> None:
        """Read the tokenizer.

        Args:
            meanings: wanted names that an earlier adoption has given to tokens, with those tokens' strings.
        """
        self._tokenizer = tokenizer
        self._meanings = dict(meanings)
        self._ids = tokenizer.get_vocab()
        self._names = {token: name for name, token in self._ids.items()}
        added: Mapping[int, Any] = getattr(tokenizer, "added_tokens_decoder", {})
        self._roles = role_ids(tokenizer)
        self._special = {str(token) for token in added.values() if token.special}
        self._special |= {self._names[token] for token in self._roles.values() if token in self._names}
        self._spare = self._unclaimed()
        self._new: list[str] = []
        self._claimed: list[str] = []
        self._new_roles: dict[str, str] = {}
        self.fresh: set[int] = set()

    @property
    def num_ids(self) -> int:
        """Return one more than the highest id."""
        return max(self._ids.values(), default=-1) + 1

    @property
    def spare(self) -> tuple[int, ...]:
        """Return the ids that further sentinels would take, before any new token is made."""
        wanted = set(self._claimed)
        sentinels = sorted(
            (int(match[1]), token)
            for name, token in self._ids.items()
            if name not in wanted and (match := SENTINEL.match(name))
        )
        return (*(token for _, token in sentinels), *(self._ids[name] for name in self._spare))

    def _unclaimed(self) -> list[str]:
        # A token with a role, or one that an earlier adoption took, is not free although its name says so.
        taken = {*self._meanings.values(), *(self._names.get(token) for token in self._roles.values())}
        numbered = ((reserved_number(name), name) for name in self._ids if name not in taken)
        return [name for _, name in sorted((n, name) for n, name in numbered if n is not None)]

    def want_role(self, role: str, name: str) -> str:
        """Return the string of the token that has a role; one called `name` where there is none."""
        own = self._roles.get(role)
        if own is not None and not (role == "pad" and self._may_stand_in_text(own)):
            token = self._names[own]
            self._claimed.append(token)
            return token
        token = self.want(name)
        self._new_roles[f"{role}_token"] = token
        return token

    def _may_stand_in_text(self, token: int) -> bool:
        """Tell whether text can become this id: only an unknown-character token that is in use."""
        if token != self._roles.get("unk"):
            return False
        return any(token in _plain_ids(self._tokenizer, character) for character in _RARE)

    def want(self, name: str) -> str:
        """Return the string of the token that will carry the meaning `name`."""
        token = self._meanings.get(name) or self._choose(name)
        self._claimed.append(token)
        return token

    def _choose(self, name: str) -> str:
        if name in self._ids and not (SENTINEL.match(name) or name in self._special):
            return self._choose(f"<|secondwind:{name}|>")  # an ordinary token of that spelling stays text
        if name in self._ids:
            return name
        if self._spare:
            token = self._spare.pop(0)
            self.fresh.add(self._ids[token])
            return token
        self._new.append(name)
        return name

    def settle(self) -> dict[str, int]:
        """Add the new tokens, name the new roles, and return every token string with its id.

        Raises:
            VocabularyError: the tokenizer takes no new tokens, numbers them wrongly, or lacks an earlier one.
        """
        # All at once: with a large vocabulary each look at the ids costs a fifth of a second.
        if self._new:
            self._tokenizer.add_tokens(self._new, special_tokens=True)
        if self._new_roles:
            self._tokenizer.add_special_tokens(self._new_roles)
        before = set(self._ids.values())
        if self._new or self._new_roles:
            self._ids = self._tokenizer.get_vocab()
        foreign = [name for name in self._meanings.values() if name not in self._ids]
        if foreign:
            raise VocabularyError(
                f"the tokenizer has no token '{foreign[0]}', which was adopted before: it is not the one "
                "that secondwind.json was made for. Use the tokenizer saved beside it."
            )
        refused = [name for name in self._claimed if name not in self._ids]
        if refused:
            raise VocabularyError(
                f"the tokenizer did not take {len(refused)} of {len(self._new)} new tokens, first "
                f"'{refused[0]}'. Wanted a tokenizer that takes added tokens, or {len(self._new)} more "
                "reserved tokens in it. Use the fast tokenizer of the model."
            )
        made = {self._ids[name] for name in self._new}
        if made & before:  # new tokens are numbered from the count of the others, not from their highest
            raise VocabularyError(
                f"the tokenizer gave a new token the id {min(made & before)}, which another token has: its "
                "ids have gaps. Wanted ids without gaps. Give the missing ids to placeholder tokens in "
                "tokenizer.json."
            )
        self.fresh |= made
        return self._ids


def refuse_small_table(num_ids: int, table: int | None) -> None:
    """Raise if a tokenizer has ids beyond the model's table, before anything is adopted.

    Raises:
        ModelError: it has.
    """
    if table is not None and num_ids > table:
        raise ModelError(
            f"the tokenizer has ids up to {num_ids - 1}, but the model's embedding table has {table} rows. "
            "They do not belong together: use the tokenizer that the model was trained with."
        )


def rows_for(num_ids: int, table: int | None) -> int:
    """Return how many rows hold all ids: those of the table, else the next multiple of 128."""
    if table is not None and num_ids <= table:
        return table
    return -(-num_ids // _ROW_MULTIPLE) * _ROW_MULTIPLE


def bos_in_use(tokenizer: Tokenizer) -> int | None:
    """Return BOS only where the tokenizer itself puts it before text.

    GPT-NeoX and Qwen name a BOS token that their models never saw at the start of a text. Where BOS and
    EOS are one token, an EOS behind the text must not pass for a BOS before it.
    """
    bos = tokenizer.bos_token_id
    if bos is None:
        return None
    for text in ("a", "A", "0", "."):
        plain = _plain_ids(tokenizer, text)
        whole = list(tokenizer(text).input_ids)
        if plain and plain[0] != bos:
            return bos if whole[0] == bos else None
    return None


def _plain_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False).input_ids)
