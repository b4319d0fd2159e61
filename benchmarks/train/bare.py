"""The limit: a loop written by hand for these examples, with nothing in it that training does not need.

A pass is one row of examples behind one another. Attention runs over one example at a time with the
kernel's own causal mask; logits are computed at targets alone; no padding, no metrics, no guard, no
checkpoint. Gradients are clipped, since all contenders clip.

Shape letters: T tokens of a pass, N targets, H heads, D head width.
"""

from pathlib import Path
from typing import NamedTuple

import torch
import transformers
from benchmarks.train.job import BETAS, CLIP, EPSILON, Job
from benchmarks.train.laps import Laps
from benchmarks.train.weights import network_of
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface

Pairs = list[tuple[list[int], list[int]]]


class Pass(NamedTuple):
    """What is computed at once."""

    tokens: Tensor  # int64[1, T]
    positions: Tensor  # int64[1, T]
    lengths: list[int]  # of the examples
    asked: Tensor  # int64[N], where the next token is a target
    targets: Tensor  # int64[N]


def race(job: Job, answer: Path) -> None:
    laps = Laps(job.device)
    AttentionInterface.register("one by one", attend)
    network = network_of(job)
    network.set_attn_implementation("one by one")
    network.train()
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=job.learning_rate, betas=BETAS, eps=EPSILON, weight_decay=0.0, fused=True
    )
    passes = [to_pass(pairs, job.device) for pairs in packed(job.pairs(), job.row_length * job.rows_per_pass)]
    num_targets = sum(len(one.targets) for one in passes)
    laps.answer.versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    laps.begin()
    for _ in range(job.steps):
        total = 0.0
        for one in passes:
            with torch.autocast(job.device, torch.bfloat16, enabled=job.precision == "bf16"):
                hidden = network.model(
                    input_ids=one.tokens,
                    position_ids=one.positions,
                    use_cache=False,
                    example_lengths=one.lengths,
                ).last_hidden_state[0]
                logits = network.lm_head(hidden[one.asked])
            loss = functional.cross_entropy(logits.float(), one.targets, reduction="sum") / num_targets
            loss.backward()
            total += loss.item()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()
        laps.answer.losses.append(total)
        laps.border()
    laps.answer.write(answer)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    example_lengths: list[int],
    **_: object,
) -> tuple[Tensor, None]:
    """Attend within one example after the other: [1, H, T, D] to [1, T, H, D]."""
    del module, attention_mask
    pieces = zip(*(t.split(example_lengths, dim=2) for t in (query, key, value)), strict=True)
    grouped = query.shape[1] != key.shape[1]
    outputs = [
        functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
        for q, k, v in pieces
    ]
    return torch.cat(outputs, dim=2).transpose(1, 2), None


def packed(pairs: Pairs, room: int) -> list[Pairs]:
    """Put each example, longest first, where it first fits."""
    bins: list[Pairs] = []
    rooms: list[int] = []
    for pair in sorted(pairs, key=lambda pair: -_length(pair)):
        place = next((number for number, left in enumerate(rooms) if left >= _length(pair)), len(bins))
        if place == len(bins):
            bins.append([])
            rooms.append(room)
        bins[place].append(pair)
        rooms[place] -= _length(pair)
    return bins


def to_pass(pairs: Pairs, device: str) -> Pass:
    """Lay examples behind one another."""
    tokens = [token for inputs, targets in pairs for token in (*inputs, *targets)]
    lengths = [_length(pair) for pair in pairs]
    asked: list[int] = []
    start = 0
    for inputs, targets in pairs:
        asked += range(start + len(inputs) - 1, start + len(inputs) + len(targets) - 1)
        start += len(inputs) + len(targets)
    return Pass(
        tokens=torch.tensor([tokens], device=device),
        positions=torch.cat([torch.arange(length) for length in lengths])[None].to(device),
        lengths=lengths,
        asked=torch.tensor(asked, device=device),
        targets=torch.tensor([token for _, targets in pairs for token in targets], device=device),
    )


def _length(pair: tuple[list[int], list[int]]) -> int:
    return len(pair[0]) + len(pair[1])
