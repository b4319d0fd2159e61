"""A vocabulary of letters, a character tokenizer and example sources: a data room without a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from secondwind.example import Example, Row
from secondwind.randomness import Draws, key
from secondwind.vocabulary import Vocabulary

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SPECIAL = {".": 0, "EOS": 1, "BOS": 2, "[R]": 3, "[S]": 4, "<0>": 5, "<1>": 6}
IDS = SPECIAL | {letter: number for number, letter in enumerate(LETTERS, start=10)}
NAMES = {number: name for name, number in IDS.items()}


def make_vocabulary(*, bos: bool) -> Vocabulary:
    """Ids 0 to 6 are special, letters start at 10."""
    return Vocabulary(
        size=64,
        eos=1,
        pad=0,
        bos=2 if bos else None,
        sentinels=(5, 6),
        modes={"R": 3, "S": 4},
        names={number: name for name, number in SPECIAL.items()},
    )


def ids(text: str) -> npt.NDArray[np.int32]:
    """Turn space-separated names into ids."""
    return np.array([IDS[name] for name in text.split()], dtype=np.int32)


def names(tokens: npt.NDArray[np.int32]) -> str:
    """Turn ids back into names; padding is a dot."""
    return " ".join(NAMES[int(token)] for token in tokens)


def marks(flags: npt.NDArray[np.bool_]) -> str:
    """Write a mask as in the design: `.` False, `#` True."""
    return " ".join("#" if flag else "." for flag in flags)


def example(inputs: str, targets: str, source: str = "R") -> Example:
    return Example(ids(inputs), ids(targets), source)


def segments(row: Row) -> list[npt.NDArray[np.int32]]:
    """Cut a row into the tokens of each segment."""
    return [row.tokens[row.segment_ids == number] for number in range(1, int(row.segment_ids.max()) + 1)]


@dataclass
class RandomSource:
    """Examples of random tokens and lengths, each a function of its index."""

    seed: int
    longest: int
    bos: bool = True
    name: str = "random"

    def _shape(self, index: int) -> tuple[int, int]:
        draws = Draws(key(self.seed, "shape", index))
        length = 2 + draws.below(self.longest - 2 - self.bos + 1)
        num_inputs = draws.below(length - 1)
        return num_inputs, length - num_inputs

    def lengths(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        return np.array([sum(self._shape(index)) + self.bos for index in range(start, stop)], dtype=np.int64)

    def __getitem__(self, index: int) -> Example:
        num_inputs, num_targets = self._shape(index)
        draws = Draws(key(self.seed, "tokens", index))
        tokens = np.array([10 + draws.below(26) for _ in range(num_inputs + num_targets)], dtype=np.int32)
        return Example(tokens[:num_inputs], tokens[num_inputs:], self.name)

    def examples(self, indices: Sequence[int]) -> Sequence[Example]:
        return [self[index] for index in indices]

    def identity(self) -> dict[str, Any]:
        return {"random": [self.seed, self.longest, self.bos, self.name]}


class LetterTokenizer:
    """One id a character, as a Hugging Face tokenizer would be called; ids start at 10."""

    eos_token_id = 1
    pad_token_id = 0
    bos_token_id = 2

    def __call__(self, text: list[str], **settings: object) -> dict[str, list[list[int]]]:
        assert settings == {"add_special_tokens": False, "split_special_tokens": True}
        return {"input_ids": [[10 + ord(letter) % 50 for letter in piece.strip("~")] for piece in text]}
