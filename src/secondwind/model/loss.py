"""The loss on targets alone, and log-probabilities of given targets.

    tokens      BOS [R]  a  <0>  b  EOS pad
    loss_mask    .   .   #   #   #   .   .      three predictions: of <0>, b and EOS
    logits              [N = 3, V]              nothing is computed for the other positions; a large
                                                vocabulary takes some of the N at a time (`chunked`)

A loss is a sum with its count, never a mean: batches, ranks and sources are added up before dividing.

Shape letters: B rows, L row length, N targets of the batch, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from secondwind.errors import ExampleError
from secondwind.example import Batch, Example
from secondwind.model.chunked import kept_terms
from secondwind.model.forward import kept_logits
from secondwind.model.load import LanguageModel
from secondwind.model.single import single_rows


@dataclass(frozen=True, eq=False)
class TargetLoss:
    """The loss of one batch.

    Args:
        total: float32, summed over targets; carries the gradient.
        count: how many targets there were.
        per_target: float32[N], detached, row by row.
        segment_of: int64[N], the segment of each target, counted through the batch from 0.
        z_total: float32, the z-loss summed over targets, with its gradient; None where it is off.
    """

    total: Tensor
    count: int
    per_target: Tensor
    segment_of: npt.NDArray[np.int64]
    z_total: Tensor | None = None

    @property
    def optimised(self) -> Tensor:
        """Return what training makes small: the loss, and the z-loss where it is on."""
        return self.total if self.z_total is None else self.total + self.z_total


class SourceLoss(NamedTuple):
    """Summed loss and number of targets of one source."""

    total: float
    num_targets: int


class Score(NamedTuple):
    """The natural-log probability of an example's targets, summed, and how many there were."""

    log_probability: float
    num_targets: int


def target_logits(model: LanguageModel, batch: Batch) -> Tensor:
    """Return the logits [N, V] at the loss positions, row by row.

    Raises:
        ExampleError: a loss position has no next token in its segment.
        ModelError: a segment is too long for the model, or the mask did not reach it.
    """
    _refuse_loose_targets(batch)
    return kept_logits(
        model.network, batch, batch.loss_mask, attention=model.attention, backend=model.backend
    )


def target_loss(model: LanguageModel, batch: Batch, *, z_loss: float = 0.0) -> TargetLoss:
    """Return the cross-entropy of a batch, summed over its targets.

    Args:
        z_loss: weight of log(Z)^2, Z being the sum of a prediction's exponentiated logits; it keeps
            logits from drifting (1e-4 in PaLM, arXiv:2204.02311, section 5). 0 is off.

    Raises:
        ExampleError: a loss position has no next token in its segment.
        ModelError: a segment is too long for the model, or the mask did not reach it.
    """
    _refuse_loose_targets(batch)

    def terms(logits: Tensor, targets: Tensor) -> Tensor:
        logits = logits.float()
        nats = functional.cross_entropy(logits, targets, reduction="none")
        if not z_loss:
            return nats[None]
        # -log p(target) = log(Z) - logit(target)
        log_z = nats + logits.gather(1, targets[:, None])[:, 0]
        return torch.stack([nats, z_loss * log_z.square()])

    found = kept_terms(model, batch, terms)  # [1 or 2, N]
    return TargetLoss(
        total=found[0].sum(),
        count=found.shape[1],
        per_target=found[0].detach(),
        segment_of=_segments_of_targets(batch),
        z_total=found[1].sum() if z_loss else None,
    )


def per_source(loss: TargetLoss, batch: Batch) -> dict[str, SourceLoss]:
    """Split a loss by the sources of the batch's segments; sources without targets are left out.

    Raises:
        ExampleError: the batch does not name a source for each segment.
    """
    sources = [source for row in batch.sources for source in row]
    num_segments = int(batch.segment_ids.max(axis=1).sum())
    if len(sources) != num_segments:
        raise ExampleError(
            f"a batch names {len(sources)} sources for {num_segments} segments; wanted one for each. Build "
            "rows with secondwind.data.pack.build_row."
        )
    totals = np.bincount(loss.segment_of, loss.per_target.double().cpu().numpy(), minlength=num_segments)
    counts = np.bincount(loss.segment_of, minlength=num_segments)
    result: dict[str, SourceLoss] = {}
    for source, total, count in zip(sources, totals, counts, strict=True):
        if count:
            before = result.get(source, SourceLoss(0.0, 0))
            result[source] = SourceLoss(before.total + float(total), before.num_targets + int(count))
    return result


@torch.no_grad()
def score(model: LanguageModel, examples: Sequence[Example], *, batch_tokens: int = 8192) -> list[Score]:
    """Return the log-probability of each example's targets given its inputs, in the order given.

    Without BOS and inputs the first token cannot be predicted and is not counted.

    Args:
        batch_tokens: upper bound of rows x longest example in one forward pass.

    Raises:
        ModelError: an example is longer than the model's positions.
    """
    scores = [Score(0.0, 0)] * len(examples)
    for numbers in _batches_by_length(examples, batch_tokens):
        batch = single_rows([examples[number] for number in numbers], model.vocabulary)
        loss = target_loss(model, batch)
        totals = np.bincount(loss.segment_of, loss.per_target.double().cpu().numpy(), minlength=len(numbers))
        counts = np.bincount(loss.segment_of, minlength=len(numbers))
        for number, total, count in zip(numbers, totals, counts, strict=True):
            scores[number] = Score(-float(total), int(count))
    return scores


def _batches_by_length(examples: Sequence[Example], batch_tokens: int) -> Iterator[list[int]]:
    lengths = [len(example.inputs) + len(example.targets) + 1 for example in examples]
    chosen: list[int] = []
    for number in sorted(range(len(examples)), key=lambda n: -lengths[n]):
        if chosen and (len(chosen) + 1) * lengths[chosen[0]] > batch_tokens:
            yield chosen
            chosen = []
        chosen.append(number)
    if chosen:
        yield chosen


def _segments_of_targets(batch: Batch) -> npt.NDArray[np.int64]:
    segments_per_row = batch.segment_ids.max(axis=1).astype(np.int64)
    first_of_row = np.cumsum(segments_per_row) - segments_per_row
    return (first_of_row[:, None] + batch.segment_ids - 1)[batch.loss_mask]


def _refuse_loose_targets(batch: Batch) -> None:
    """Raise where the predicted token would lie in another segment, in padding, or behind the row."""
    borders = np.ones(batch.loss_mask.shape, dtype=np.bool_)
    borders[:, :-1] = batch.segment_ids[:, :-1] != batch.segment_ids[:, 1:]
    loose = np.argwhere(batch.loss_mask & borders)
    if len(loose):
        row, position = loose[0]
        raise ExampleError(
            f"row {row} has a loss at position {position}, the last of its segment, which predicts nothing; "
            "the loss belongs one position before its target. Build rows with secondwind.data.pack.build_row."
        )
