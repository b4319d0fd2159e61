"""What every peer is asked to do: UL2's seven denoisers at equal rates, over the same rows.

numpy and the standard library only: this file is also read in the environment of the seqio peer.

Source: UL2 (arXiv:2205.05131, Table 1); equal to `secondwind.denoise.UL2`, which a test holds.
"""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]

EOS = 1
NUM_ORDINARY = 32_000  # rows hold ids 2 .. 31,999
LAST_SENTINEL = 65_535  # sentinel k is LAST_SENTINEL - k, counted down as T5 does; never wrapped


class Setting(NamedTuple):
    """One denoiser: spans of about `mean` tokens, or a prefix and its continuation (`mean` unused)."""

    kind: Literal["span", "prefix"]
    rate: float
    mean: float


SETTINGS = (
    Setting("span", 0.15, 3.0),
    Setting("span", 0.15, 8.0),
    Setting("prefix", 0.25, 0.0),
    Setting("span", 0.5, 3.0),
    Setting("span", 0.5, 8.0),
    Setting("span", 0.15, 64.0),
    Setting("span", 0.5, 64.0),
)


def raw_rows(length: int, num_rows: int, seed: int) -> tuple[Rows, list[int]]:
    """Make rows of random tokens, and the number of the denoiser of each: int32[rows, length]."""
    rng = np.random.default_rng([seed, length, num_rows])
    rows = rng.integers(2, NUM_ORDINARY, (num_rows, length), dtype=np.int32)
    return rows, rng.integers(0, len(SETTINGS), num_rows).tolist()


def restored(inputs: npt.NDArray[np.integer], targets: npt.NDArray[np.integer]) -> list[int]:
    """Rebuild a row from what a peer wrote; fail where it cannot be.

    Slow and plain on purpose: it is what peers are checked by, never part of a race.
    """
    hidden: dict[int, list[int]] = {}
    behind = [int(token) for token in targets if token != EOS]
    sentinel: int | None = None
    continuation: list[int] = []
    for token in behind:
        if token >= NUM_ORDINARY:
            sentinel = token
            assert sentinel == LAST_SENTINEL - len(hidden), "sentinels of the targets are out of order"
            hidden[sentinel] = []
        else:
            (continuation if sentinel is None else hidden[sentinel]).append(token)
    row: list[int] = []
    for token in (int(token) for token in inputs):
        row += [token] if token < NUM_ORDINARY else hidden.pop(token)
    assert not hidden, "a sentinel of the targets is missing in the inputs"
    return row + continuation
