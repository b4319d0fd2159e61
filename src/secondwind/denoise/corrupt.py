"""From tokens to an example, and back: the clear reference of denoising.

For the document `a b c d e f g h i` (`<0>` sentinel, `[R]` mode token):

    R, r .33, mu 1.5   inputs [R] a <0> c d e <1> h i     targets <0> b <1> f g EOS
    S, pivot 4         inputs [S] a b c d                 targets e f g h i EOS
    C                  inputs (none)                      targets a b c d e f g h i EOS

R and X always close their targets with EOS; S and C only where the document really ends, else the
model learns to stop in mid-text. The packer adds BOS.

Source: T5 (arXiv:1910.10683, Figure 2) for sentinels; UL2 (arXiv:2205.05131, section 3.1) for
    modes; U-PaLM (arXiv:2210.11399, Figure 3) for S without a sentinel.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.denoise.denoisers import (
    CausalDenoiser,
    Denoiser,
    PrefixDenoiser,
    SpanDenoiser,
    for_window,
)
from secondwind.denoise.spans import noise_mask
from secondwind.errors import ExampleError, TooShort, VocabularyError, nearest
from secondwind.example import Example, Flags, Tokens
from secondwind.randomness import Draws
from secondwind.vocabulary import Vocabulary


class DenoisedLength(NamedTuple):
    """Tokens of an example before it exists; BOS is not counted."""

    inputs: int
    targets: int


def denoise(
    tokens: npt.ArrayLike,
    denoiser: Denoiser,
    vocabulary: Vocabulary,
    *,
    key: int,
    ends_document: bool = True,
) -> Example:
    """Corrupt one window of a document into an example.

    A window of one token has nothing to hide and becomes a causal example of source `C`.

    Args:
        tokens: int[L], L >= 1, without reserved ids.
        ends_document: whether the window ends where its document ends.

    Raises:
        TooShort: no tokens.
        TooFewSentinels: the denoiser makes more spans than the vocabulary has sentinels.
        VocabularyError: a reserved id among the tokens, or an unknown mode token.
    """
    window = as_tokens(tokens)
    _require_tokens(len(window))
    vocabulary.refuse_reserved(window, f"the window given to denoiser '{denoiser.name}'")
    denoiser = for_window(denoiser, len(window))
    mode = [] if denoiser.mode is None else [_mode_id(denoiser.mode, vocabulary)]
    end = [vocabulary.eos] if ends_document or isinstance(denoiser, SpanDenoiser) else []
    match denoiser:
        case SpanDenoiser():
            mask = noise_mask(
                len(window),
                corruption_rate=denoiser.corruption_rate,
                mean_span_length=denoiser.mean_span_length,
                key=key,
                placement=denoiser.placement,
            )
            sentinels = _sentinels(mask, denoiser, vocabulary)
            inputs = fold(window, mask, sentinels)
            targets = unfold(window, mask, sentinels)
        case PrefixDenoiser() | CausalDenoiser():
            pivot = _pivot(len(window), denoiser, key)
            inputs, targets = window[:pivot], window[pivot:]
    return Example(
        np.concatenate([np.asarray(mode, dtype=np.int32), inputs]),
        np.concatenate([targets, np.asarray(end, dtype=np.int32)]),
        denoiser.name,
    )


def denoised_length(
    num_tokens: int,
    denoiser: Denoiser,
    vocabulary: Vocabulary,
    *,
    key: int,
    ends_document: bool = True,
) -> DenoisedLength:
    """Compute the length of an example before a token is read; equals `denoise`'s exactly.

    Raises:
        TooShort: no tokens.
    """
    _require_tokens(num_tokens)
    denoiser = for_window(denoiser, num_tokens)
    mode = 0 if denoiser.mode is None else 1
    if isinstance(denoiser, SpanDenoiser):
        num_noise, num_spans = denoiser.counts(num_tokens)
        return DenoisedLength(mode + num_tokens - num_noise + num_spans, num_noise + num_spans + 1)
    pivot = _pivot(num_tokens, denoiser, key)
    return DenoisedLength(mode + pivot, num_tokens - pivot + int(ends_document))


def restore(example: Example, vocabulary: Vocabulary) -> Tokens:
    """Rebuild the window from an example of any denoiser: the inverse of `denoise`.

    Raises:
        ExampleError: sentinels of inputs and targets do not match in number and order.
    """
    inputs, targets = example.inputs, example.targets
    if len(inputs) and int(inputs[0]) in vocabulary.modes.values():
        inputs = inputs[1:]
    if int(targets[-1]) == vocabulary.eos:
        targets = targets[:-1]
    cuts = np.flatnonzero(np.isin(inputs, vocabulary.sentinels))
    starts = np.flatnonzero(np.isin(targets, vocabulary.sentinels))
    if len(cuts) == len(starts) == 0:
        return np.concatenate([inputs, targets])
    expected = vocabulary.sentinels[: len(cuts)]
    in_inputs, in_targets = tuple(inputs[cuts].tolist()), tuple(targets[starts].tolist())
    if in_inputs != expected or in_targets != expected or not expected or starts[0] != 0:
        raise ExampleError(
            f"the example of '{example.source}' cannot be restored: its inputs hold sentinels {in_inputs}, "
            f"its targets {in_targets}; wanted {expected} in both, and targets that start with the first."
        )
    kept, hidden = np.split(inputs, cuts), np.split(targets, starts[1:])
    pieces = [kept[0]]
    for after, span in zip(kept[1:], hidden, strict=True):
        pieces += [span[1:], after[1:]]
    return np.concatenate(pieces)


def as_tokens(tokens: npt.ArrayLike) -> Tokens:
    """Return ids as int32[L].

    Raises:
        ExampleError: values that are no ids: fractions, negative numbers, or beyond int32.
    """
    given = np.asarray(tokens)
    if given.dtype == np.int32 and (given.size == 0 or given.min() >= 0):
        return given
    if given.size and (given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= 2**31):
        raise ExampleError(
            f"tokens are of type {given.dtype} and lie in {given.min()} .. {given.max()}; wanted whole ids "
            "from 0 to 2147483647. Encode text with secondwind.vocabulary.encode."
        )
    return given.astype(np.int32)


def _require_tokens(num_tokens: int) -> None:
    if num_tokens < 1:
        raise TooShort(
            f"cannot denoise {num_tokens} tokens; wanted at least 1. Drop empty documents, and count them."
        )


def fold(window: Tokens, hidden: Flags, sentinels: Tokens) -> Tokens:
    """Replace each hidden run by one sentinel: `a # # d` becomes `a <0> d`."""
    first = hidden & ~np.concatenate([[False], hidden[:-1]])
    folded = window.copy()
    folded[first] = sentinels
    return folded[~hidden | first]


def unfold(window: Tokens, hidden: Flags, sentinels: Tokens) -> Tokens:
    """Spell out the hidden runs, each behind its sentinel: `a # # d` becomes `<0> b c`."""
    first = hidden & ~np.concatenate([[False], hidden[:-1]])
    starts = np.flatnonzero(first[hidden])
    return np.insert(window[hidden], starts, sentinels)


def _sentinels(mask: Flags, denoiser: SpanDenoiser, vocabulary: Vocabulary) -> Tokens:
    num_spans = int(np.count_nonzero(np.diff(mask.astype(np.int8), prepend=0) == 1))
    vocabulary.require_sentinels(num_spans, f"denoiser '{denoiser.name}' in a window of {len(mask):,} tokens")
    return np.asarray(vocabulary.sentinels[:num_spans], dtype=np.int32)


def _pivot(num_tokens: int, denoiser: PrefixDenoiser | CausalDenoiser, key: int) -> int:
    """Return how many tokens are given: none for C."""
    if isinstance(denoiser, CausalDenoiser):
        return 0
    most_targets = denoiser.most_targets(num_tokens)
    if denoiser.pivot == "fixed":
        return num_tokens - most_targets
    return num_tokens - 1 - Draws(key).below(most_targets)


def _mode_id(mode: str, vocabulary: Vocabulary) -> int:
    if mode not in vocabulary.modes:
        raise VocabularyError(
            f"no mode token '{mode}' in this vocabulary; it has {sorted(vocabulary.modes)}."
            f"{nearest(mode, vocabulary.modes)} Adopt it: Vocabulary.adopt(tokenizer, modes=(..., '{mode}'))."
        )
    return vocabulary.modes[mode]
