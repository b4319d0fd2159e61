"""What a batch of UL2R and of its control is made of: documents, and tokens a segment.

`python -m tests.data.batches` prints the table of decision 0014.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from secondwind.data import ControlStream, Packer, Stream, TokenShards
from secondwind.data.stream import RowSource
from secondwind.denoise import CAUSAL, U_PALM, DenoisedCorpus
from secondwind.randomness import keys, uniforms
from tests.data.conftest import segments
from tests.denoise.conftest import make_vocabulary

BATCH_ROWS = 32
_FIRST_TOKEN = 3000  # of documents; each repeats one of its own


@dataclass(frozen=True)
class BatchFacts:
    """Means over batches, segments and rows."""

    documents: float
    segment_tokens: float
    row_segments: float
    step_tokens: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Arms:
    """Rows over the same documents; `plain` is the denoiser C alone, packed as UL2R is."""

    ul2r: Stream
    control: ControlStream
    plain: Stream


def make_arms(lengths: Sequence[int], *, row_length: int) -> Arms:
    """Put documents of these lengths under U_PALM and its control, with two examples a row."""
    tokens = np.repeat(_FIRST_TOKEN + np.arange(len(lengths)), lengths).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    shards = TokenShards(tokens, offsets, folder=Path("nowhere"), fingerprint="repeated")
    vocabulary, room = replace(make_vocabulary(), size=_FIRST_TOKEN + len(lengths)), row_length // 2
    packer = Packer(row_length, vocabulary)
    denoised, plain = (
        Stream(DenoisedCorpus(shards, mixture, vocabulary, seed=1, room=room), packer, seed=1)
        for mixture in (U_PALM, CAUSAL)
    )
    return Arms(denoised, ControlStream(shards, denoised, packer, room=room, seed=1), plain)


def batch_facts(rows: RowSource, *, num_batches: int = 16) -> BatchFacts:
    """Measure the first batches of an arm."""
    documents: list[int] = []
    sizes: list[int] = []
    steps: list[int] = []
    for first in range(0, num_batches * BATCH_ROWS, BATCH_ROWS):
        batch = rows.rows(range(first, first + BATCH_ROWS))
        tokens = np.concatenate([row.tokens for row in batch])
        documents.append(len(np.unique(tokens[tokens >= _FIRST_TOKEN])))
        sizes += [len(part) for row in batch for part in segments(row)]
        steps.append(sum(row.num_tokens for row in batch))
    num_rows = num_batches * BATCH_ROWS
    return BatchFacts(float(np.mean(documents)), float(np.mean(sizes)), len(sizes) / num_rows, tuple(steps))


def corpora() -> dict[str, list[int]]:
    """Return the document lengths of the corpora in the table."""
    # The sum of 12 uniform draws is normal enough: mean 6, variance 1.
    draws = sum(uniforms(keys(1, "length", np.arange(12_000), part)) for part in range(12)) - 6
    mixed: list[int] = np.clip(400 * np.exp(0.9 * np.asarray(draws)), 5, None).astype(int).tolist()
    return {
        "100,000": [100_000] * 200,
        "3,000": [3_000] * 4_000,
        "mixed": mixed,
        "600": [600] * 12_000,
        "100": [100] * 60_000,
    }


def main() -> None:
    """Print the table."""
    for name, lengths in corpora().items():
        for row_length in (256, 2048):
            arms = make_arms(lengths, row_length=row_length)
            facts = [batch_facts(rows) for rows in (arms.ul2r, arms.control, arms.plain)]
            documents = " | ".join(f"{one.documents:.1f}" for one in facts)
            sizes = " | ".join(f"{one.segment_tokens:.0f}" for one in facts)
            steps = np.array(facts[2].step_tokens) / np.array(facts[0].step_tokens) - 1
            share = f"{steps.min():+.1%} .. {steps.max():+.1%}"
            print(f"| {name} | {row_length:,} | {documents} | {sizes} | {share} |")


if __name__ == "__main__":
    main()
