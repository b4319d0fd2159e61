"""The algorithm of Hugging Face's T5 MLM collator, row by row in numpy, for mixed denoisers.

    tokens     a b c d e f g h i
    runs       kept 2 | 3, hidden 1 | 3: two shuffled 0/1 vectors say where a run ends
    starts     . . # . . . # . .     first hidden token of each span
    mask       . . # . . . # # #
    sentinels  0 0 1 1 1 1 2 2 2     a running count of the starts
    inputs     a b <0> d e f <1>     targets  <0> c <1> g h i EOS

Written anew from the description of the algorithm, with fewer passes than the original where numpy
allows. The original corrupts a batch under one setting; here every row has its own.

Source: `FlaxDataCollatorForT5MLM` in huggingface/transformers, examples/flax/language-modeling,
    itself after T5 `random_spans_noise_mask`.
"""

import numpy as np
import numpy.typing as npt
from benchmarks.denoise.table import EOS, LAST_SENTINEL, SETTINGS, Rows, Setting

_END = np.asarray([EOS], dtype=np.int32)


def corrupt_rows(rows: list[Rows], choice: list[int], rng: np.random.Generator) -> int:
    """Corrupt every row under its denoiser; return the number of tokens written."""
    written = 0
    for row, number in zip(rows, choice, strict=True):
        inputs, targets = corrupt_row(row, SETTINGS[number], rng)
        written += len(inputs) + len(targets)
    return written


def corrupt_row(row: Rows, setting: Setting, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Corrupt one row: inputs, and targets that close with EOS."""
    if setting.kind == "prefix":
        most = min(max(round(2 * setting.rate * len(row)), 1), len(row) - 1)
        pivot = len(row) - int(rng.integers(1, most + 1))
        return row[:pivot].copy(), np.concatenate([row[pivot:], _END])
    mask = random_spans_noise_mask(len(row), setting, rng)
    return fold(row, mask), np.concatenate([fold(row, ~mask), _END])


def random_spans_noise_mask(length: int, setting: Setting, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw a mask that starts kept and ends hidden."""
    num_noise = min(max(round(length * setting.rate), 1), length - 1)
    num_kept = length - num_noise
    num_spans = min(max(round(num_noise / setting.mean), 1), num_noise, num_kept)
    ends = np.empty(2 * num_spans, dtype=np.int64)
    ends[0::2] = _segment_ends(num_kept, num_spans, rng)
    ends[1::2] = _segment_ends(num_noise, num_spans, rng)
    ends[1:] += ends[:-1].copy()  # the kept and the hidden tokens before each turn
    turns = np.zeros(length, dtype=np.int8)
    turns[ends[:-1]] = 1
    return np.bitwise_and(turns.cumsum(dtype=np.int8), 1).view(np.bool_)


def fold(row: Rows, mask: npt.NDArray[np.bool_]) -> Rows:
    """Replace each run of the mask by the next sentinel."""
    starts = mask.copy()
    starts[1:] &= ~mask[:-1]
    numbered = np.where(starts, (LAST_SENTINEL + 1) - starts.cumsum(dtype=np.int32), row)
    return numbered[starts | ~mask]


def _segment_ends(total: int, parts: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Cut `total` tokens into `parts` runs by a shuffled 0/1 vector; return the tokens up to each end."""
    last = np.zeros(total, dtype=np.int64)  # numpy shuffles 8-byte items twice as fast as any other
    last[: parts - 1] = 1
    rng.shuffle(last[:-1])
    last[-1] = 1
    return last.nonzero()[0] + 1
