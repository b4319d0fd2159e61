"""What this project uses of a Hugging Face fast tokenizer, and how its special tokens are recognised."""

import re
from typing import Any, Protocol

# Tokens that model makers leave unused for others to adopt: Llama 3, Gemma, BERT, Qwen 1, Phi.
RESERVED = re.compile(
    r"^(?:<\|reserved_special_token_(\d+)\|>|<unused(\d+)>|\[unused(\d+)\]|<\|extra_(\d+)\|>|<\|dummy_(\d+)\|>)$"
)
SENTINEL = re.compile(r"^<extra_id_(\d+)>$")
ROLES = ("bos", "eos", "pad", "unk", "sep", "cls", "mask")


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


def role_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """Return the ids that the tokenizer itself gives a role to."""
    found = {role: getattr(tokenizer, f"{role}_token_id", None) for role in ROLES}
    return {role: int(token) for role, token in found.items() if token is not None}


def reserved_number(name: str) -> int | None:
    """Return the number in a reserved token's name, or None for any other token."""
    match = RESERVED.match(name)
    return int(next(group for group in match.groups() if group)) if match else None
