"""Span corruption in plain Python, as one would first write it: no numpy but the rows it is given.

    tokens   a b c d e f g h i        inputs  a b <0> d e f <1>       targets  <0> c <1> g h i EOS

Spans lie as T5 lays them: kept first, hidden last. Counts are exact. Slices copy whole runs, so this
is no slow form: its cost grows with the number of spans more than with the number of tokens.
"""

from random import Random

import numpy as np
from benchmarks.denoise.table import EOS, LAST_SENTINEL, SETTINGS, Rows, Setting


def corrupt_rows(rows: list[Rows], choice: list[int], rng: np.random.Generator) -> int:
    """Corrupt every row under its denoiser; return the number of tokens written."""
    draws = Random(int(rng.integers(1 << 63)))
    written = 0
    for row, number in zip(rows, choice, strict=True):
        inputs, targets = corrupt_row(row.tolist(), SETTINGS[number], draws)
        written += len(inputs) + len(targets)
    return written


def corrupt_row(tokens: list[int], setting: Setting, draws: Random) -> tuple[list[int], list[int]]:
    """Corrupt one row."""
    if setting.kind == "prefix":
        most = min(max(round(2 * setting.rate * len(tokens)), 1), len(tokens) - 1)
        pivot = len(tokens) - draws.randint(1, most)
        return tokens[:pivot], [*tokens[pivot:], EOS]
    num_noise = min(max(round(len(tokens) * setting.rate), 1), len(tokens) - 1)
    num_kept = len(tokens) - num_noise
    num_spans = min(max(round(num_noise / setting.mean), 1), num_noise, num_kept)
    hidden = _lengths(num_noise, num_spans, draws)
    kept = _lengths(num_kept, num_spans, draws)
    inputs: list[int] = []
    targets: list[int] = []
    start = 0
    for number in range(num_spans):
        middle = start + kept[number]
        end = middle + hidden[number]
        sentinel = LAST_SENTINEL - number
        inputs += tokens[start:middle]
        inputs.append(sentinel)
        targets.append(sentinel)
        targets += tokens[middle:end]
        start = end
    targets.append(EOS)
    return inputs, targets


def _lengths(total: int, parts: int, draws: Random) -> list[int]:
    """Cut `total` into `parts` positive lengths, each way equally likely."""
    cuts = [0, *sorted(draws.sample(range(1, total), parts - 1)), total]
    return [after - before for before, after in zip(cuts, cuts[1:], strict=False)]
