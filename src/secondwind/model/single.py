"""Batches with one example a row, for scoring and generation, where nothing is packed.

inputs [R] a     targets b EOS     ->     BOS [R] a b EOS     prefix # # # . .     loss . . # # .
"""

from collections.abc import Sequence

import numpy as np

from secondwind.errors import ExampleError
from secondwind.example import Batch, Example, Tokens
from secondwind.vocabulary import Vocabulary


def single_rows(examples: Sequence[Example], vocabulary: Vocabulary) -> Batch:
    """Lay each example in a row of its own, padded on the right, with BOS where the model uses one."""
    bos = [] if vocabulary.bos is None else [vocabulary.bos]
    rows = [np.concatenate([bos, example.inputs, example.targets]) for example in examples]
    lengths = np.array([len(row) for row in rows])
    prefix_lengths = np.array([len(bos) + len(example.inputs) for example in examples])
    positions = np.tile(np.arange(lengths.max(initial=0), dtype=np.int32), (len(rows), 1))
    filled = positions < lengths[:, None]
    tokens = np.full(positions.shape, vocabulary.pad, dtype=np.int32)
    tokens[filled] = np.concatenate(rows)
    return Batch(
        tokens=tokens,
        segment_ids=filled.astype(np.int32),
        positions=np.where(filled, positions, 0).astype(np.int32),
        prefix_mask=positions < prefix_lengths[:, None],
        # The last prefix token predicts the first target; without any prefix there is nothing to predict it.
        loss_mask=(positions >= prefix_lengths[:, None] - 1) & (positions < lengths[:, None] - 1),
        sources=tuple((example.source,) for example in examples),
    )


def prompt(inputs: Tokens, vocabulary: Vocabulary) -> Tokens:
    """Put BOS before the inputs where the model uses one.

    Raises:
        ExampleError: nothing is left to condition on.
    """
    bos = [] if vocabulary.bos is None else [vocabulary.bos]
    tokens = np.concatenate([bos, inputs]).astype(np.int32)
    if len(tokens) == 0:
        raise ExampleError(
            "generation got 0 input tokens and the model uses no BOS; wanted at least 1 token. Give a prompt."
        )
    return tokens
