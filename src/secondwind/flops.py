"""Floating-point operations of training, by formula, and what the pretraining of known bases read.

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


@dataclass(frozen=True)
class Frozen:
    """Matmul parameters that do not train: the backward pass makes no gradient for them."""

    body_parameters: int = 0
    head_parameters: int = 0


def training_flops(
    size: ModelSize,
    *,
    tokens: float,
    target_tokens: float,
    attention_pairs: float,
    frozen: Frozen | None = None,
) -> float:
    """Count the operations of forward and backward; see `forward_flops`.

    Args:
        frozen: what does not train: a third of its share is never computed.
    """
    still = frozen or Frozen()
    forward = forward_flops(size, tokens=tokens, target_tokens=target_tokens, attention_pairs=attention_pairs)
    spared = 2.0 * (still.body_parameters * tokens + still.head_parameters * target_tokens)
    return 3.0 * forward - spared


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
    """What the pretraining of a published base model read.

    Args:
        pretraining_tokens: tokens read up to this revision.
        context: tokens per pretraining row, for the attention term.
        tokens_per_step: where revisions are named after steps, else None.
    """

    pretraining_tokens: int
    context: int
    tokens_per_step: int | None = None


# 299,892,736,000 tokens for each of the eight sizes, deduplicated or not, a checkpoint every 2,097,152,000
# of them and 1,000 steps: https://github.com/EleutherAI/pythia, README. There models/160M/pythia-160m.yml
# has seq-length 2048, 32 GPUs x 32 rows and train-iters 143000. Paper: arXiv:2304.01373, section 2.
_PYTHIA = Base(299_892_736_000, 2048, tokens_per_step=2_097_152)
_PYTHIA_SIZES = ("70m", "160m", "410m", "1b", "1.4b", "2.8b", "6.9b", "12b")

# "36 trillion tokens" in three stages: https://huggingface.co/Qwen/Qwen3-0.6B-Base, model card. Over 30 and
# about 5 trillion of them in rows of 4,096, the last stage of hundreds of billions in rows of 32,768:
# Qwen3 technical report, arXiv:2505.09388, section 3.2.
_QWEN3 = Base(36_000_000_000_000, 4096)

# "Up to 9T tokens": https://github.com/meta-llama/llama-models, models/llama3_2/MODEL_CARD.md. The length
# of the rows is not published; 8,192 is Llama 3's (https://ai.meta.com/blog/meta-llama-3/).
_LLAMA_3_2 = Base(9_000_000_000_000, 8192)

KNOWN_BASES: dict[str, Base] = {
    **{f"pythia-{size}{suffix}": _PYTHIA for size in _PYTHIA_SIZES for suffix in ("", "-deduped")},
    "qwen3-0.6b-base": _QWEN3,
    "qwen3-0.6b": _QWEN3,
    "llama-3.2-1b": _LLAMA_3_2,
}


def known_base(name: str, revision: str | None = None) -> Base | None:
    """Return the published facts of a base model, or None where the recipe must give them.

    Revision `stepN` of a Pythia model has made N steps. Any other revision gives None, and so does
    step0: no training is a share of nothing.
    """
    base = KNOWN_BASES.get(name.rstrip("/").split("/")[-1].lower())
    if base is None or revision in (None, "main"):
        return base
    step = re.fullmatch(r"step(\d+)", revision)
    if base.tokens_per_step is None or step is None:
        return None
    tokens = int(step[1]) * base.tokens_per_step
    return replace(base, pretraining_tokens=tokens) if 0 < tokens <= base.pretraining_tokens else None


def pretraining_flops(size: ModelSize, *, tokens: float, context: int) -> float:
    """Count the operations of causal pretraining in full rows of `context` tokens, with loss everywhere."""
    pairs = tokens * (context + 1) / 2
    return training_flops(size, tokens=tokens, target_tokens=tokens, attention_pairs=pairs)
