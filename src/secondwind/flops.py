"""Floating-point operations of training, by formula, and what share of the base's pretraining they are.

    one token through the body            2 per matmul parameter
    one position through the head         2 per head parameter; only where a loss or score is needed
    one attention pair (query, key)       4 per unit of attention width and layer: scores, then weighted sum
    backward                              twice the forward

Embedding look-ups, norms, activations and the optimizer are not counted; nor is recomputation.

Source: Kaplan et al., arXiv:2001.08361, section 2.1; Chowdhery et al. (PaLM), arXiv:2204.02311, appendix B.
    They count L keys for each query; here pairs are counted by the mask rule.
"""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ModelSize:
    """What the formulas need to know of a decoder.

    Args:
        body_parameters: weights that multiply every token, head apart.
        head_parameters: weights of the output layer, vocabulary x width, also where tied to the input.
        num_layers: attention layers.
        attention_width: heads x head width.
    """

    body_parameters: int
    head_parameters: int
    num_layers: int
    attention_width: int


def forward_flops(size: ModelSize, *, tokens: float, target_tokens: float, attention_pairs: float) -> float:
    """Count the operations of one forward pass.

    Args:
        tokens: tokens through the body, padding not counted where it is removed.
        target_tokens: positions whose logits are computed.
        attention_pairs: query-key pairs of ONE layer. Sliding layers see fewer: this is an upper bound there.
    """
    body = 2.0 * size.body_parameters * tokens
    head = 2.0 * size.head_parameters * target_tokens
    attention = 4.0 * size.num_layers * size.attention_width * attention_pairs
    return body + head + attention


def training_flops(size: ModelSize, *, tokens: float, target_tokens: float, attention_pairs: float) -> float:
    """Count the operations of forward and backward; see `forward_flops`."""
    return 3.0 * forward_flops(
        size, tokens=tokens, target_tokens=target_tokens, attention_pairs=attention_pairs
    )


def attention_pairs(segment_ids: npt.NDArray[np.integer], prefix_mask: npt.NDArray[np.bool_]) -> int:
    """Count the pairs of tokens that may attend, padding not counted.

        segment_ids   1 1 1 1 2 2 0
        prefix_mask   # # . . . . .      segment 1: 2 + 2 + 3 + 4 = 11, segment 2: 1 + 2 = 3, together 14

    Args:
        segment_ids: int[..., L]; each segment is one run of tokens.
        prefix_mask: bool[..., L], all False for causal attention; the prefix opens its segment.
    """
    segments = np.atleast_2d(segment_ids)
    prefixes = np.atleast_2d(prefix_mask)
    total = 0
    for row, prefix in zip(segments, prefixes, strict=True):
        lengths = np.bincount(row).astype(np.int64)[1:]
        prefix_lengths = np.bincount(row, weights=prefix, minlength=len(lengths) + 1).astype(np.int64)[1:]
        causal = lengths * (lengths + 1) // 2
        total += int((causal + prefix_lengths * (prefix_lengths - 1) // 2).sum())
    return total


@dataclass(frozen=True)
class Base:
    """A published base model and what its pretraining read.

    Args:
        parameters: all of them, embeddings included.
        pretraining_tokens: tokens read up to this revision.
        context: tokens per pretraining row, for the attention term.
        source: where the numbers come from.
    """

    parameters: int
    pretraining_tokens: float
    context: int
    source: str


# Pythia: 2,097,152 tokens a step (1024 rows of 2048), 143,000 steps; revision `stepN` is after N steps.
_PYTHIA_TOKENS_PER_STEP = 1024 * 2048
_PYTHIA_STEPS = 143_000
_PYTHIA = "Biderman et al., arXiv:2304.01373, sections 2.1 and 2.2; parameters: EleutherAI/pythia README"


def _pythia(parameters: int) -> Base:
    return Base(parameters, float(_PYTHIA_STEPS * _PYTHIA_TOKENS_PER_STEP), 2048, _PYTHIA)


KNOWN_BASES: dict[str, Base] = {
    "pythia-70m": _pythia(70_426_624),
    "pythia-160m": _pythia(162_322_944),
    "pythia-410m": _pythia(405_334_016),
    "pythia-1b": _pythia(1_011_781_632),
    # 36 trillion tokens over three stages, the first and longest at rows of 4,096.
    "qwen3-0.6b-base": Base(596_049_920, 36e12, 4096, "Qwen3 technical report, arXiv:2505.09388, section 3"),
    "qwen3-0.6b": Base(596_049_920, 36e12, 4096, "Qwen3 technical report, arXiv:2505.09388, section 3"),
    # "up to 9 trillion tokens"; rows of 8,192 as in Llama 3 (arXiv:2407.21783, section 3.4.1).
    "llama-3.2-1b": Base(1_235_814_400, 9e12, 8192, "meta-llama/Llama-3.2-1B model card, Training Data"),
}


def known_base(name: str, revision: str | None = None) -> Base | None:
    """Return the published facts of a base model, or None where the recipe must give them.

    A revision `stepN` of a Pythia model stands for N steps; a revision that is not understood gives None.
    """
    base = KNOWN_BASES.get(name.rstrip("/").split("/")[-1].lower().removesuffix("-deduped"))
    if base is None or revision in (None, "main"):
        return base
    step = re.fullmatch(r"step(\d+)", revision)
    if base.source != _PYTHIA or step is None:
        return None
    return replace(base, pretraining_tokens=float(int(step[1]) * _PYTHIA_TOKENS_PER_STEP))


class Share(NamedTuple):
    """Extra work relative to pretraining: 0.01 is one per cent."""

    tokens: float
    flops: float


def pretraining_flops(size: ModelSize, *, tokens: float, context: int) -> float:
    """Count the operations of causal pretraining in full rows of `context` tokens, with loss everywhere."""
    pairs = tokens * (context + 1) / 2
    return training_flops(size, tokens=tokens, target_tokens=tokens, attention_pairs=pairs)


def share_of_base(
    size: ModelSize, *, tokens: float, flops: float, pretraining_tokens: float, context: int
) -> Share:
    """Relate tokens and operations of further training to what the base's pretraining took."""
    base_flops = pretraining_flops(size, tokens=pretraining_tokens, context=context)
    return Share(tokens / pretraining_tokens, flops / base_flops)
