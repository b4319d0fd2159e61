"""A small vocabulary: tokens 0..999 are ordinary, special ids come behind."""

import pytest

from secondwind.vocabulary import Vocabulary


def make_vocabulary(*, num_sentinels: int = 200, bos: bool = True) -> Vocabulary:
    """Number the special ids from 1000."""
    return Vocabulary(
        size=2048,
        eos=1000,
        pad=1001,
        bos=1002 if bos else None,
        sentinels=tuple(range(1100, 1100 + num_sentinels)),
        modes={"R": 1003, "S": 1004, "X": 1005},
    )


@pytest.fixture
def vocabulary() -> Vocabulary:
    """Return a vocabulary with BOS and 200 sentinels."""
    return make_vocabulary()
