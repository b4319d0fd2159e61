"""The set of texts seen so far, as hashes in one flat table: 24 to 48 bytes a text, and no more."""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

_FEWEST_SLOTS = 1 << 12
_FULLEST = 2 / 3
_BLOCK_SLOTS = 1 << 12


def text_digest(text: str) -> bytes:
    """Hash a text to 16 bytes: equal for equal texts, and, for all practical purposes, only for those."""
    return blake2b(text.encode(), digest_size=16).digest()


class SeenTexts:
    """A set of digests, by open addressing; Python's own set would take four times the memory."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._halves: npt.NDArray[np.uint64] = np.zeros((_FEWEST_SLOTS, 2), dtype=np.uint64)
        self._num_texts = 0

    def __len__(self) -> int:
        """Count the different texts."""
        return self._num_texts

    def add(self, digest: bytes) -> bool:
        """Add a digest; False if it was there."""
        first, second = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
        second = second or 1  # so that an empty slot, all zeros, is no text
        slot = self._slot(first, second)
        if self._halves[slot, 1]:
            return False
        self._halves[slot] = first, second
        self._num_texts += 1
        if self._num_texts > _FULLEST * len(self._halves):
            self._grow()
        return True

    def _slot(self, first: int, second: int) -> int:
        """Return where a digest is, or the empty slot where it belongs."""
        last = len(self._halves) - 1
        slot = first & last
        while found := int(self._halves[slot, 1]):
            if found == second and int(self._halves[slot, 0]) == first:
                break
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        before = self._halves
        self._halves = np.zeros((2 * len(before), 2), dtype=np.uint64)
        for start in range(0, len(before), _BLOCK_SLOTS):  # a list of all would take more than both tables
            for first, second in before[start : start + _BLOCK_SLOTS].tolist():
                if second:
                    self._halves[self._slot(first, second)] = first, second
