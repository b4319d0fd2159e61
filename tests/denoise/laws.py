"""The laws of denoising, as checks that any implementation can be put to.

`test_laws.py` holds the real code to them; `test_planted_bugs.py` shows that each law has teeth.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from scipy.stats import binomtest, chisquare

from secondwind.denoise import (
    CausalDenoiser,
    Denoiser,
    PrefixDenoiser,
    SpanDenoiser,
    denoised_length,
    restore,
)
from secondwind.example import Example
from secondwind.randomness import key
from secondwind.vocabulary import Vocabulary

MaskMaker = Callable[[int], np.ndarray]  # key -> bool[L]
_UNLIKELY = 1e-6  # a right sampler fails once in a million runs; all seeds here are fixed


def check_example(
    window: np.ndarray,
    example: Example,
    denoiser: Denoiser,
    vocabulary: Vocabulary,
    *,
    key: int,
    ends_document: bool,
) -> None:
    """Check one example against everything that is promised of it."""
    used = CausalDenoiser("C") if len(window) == 1 else denoiser
    assert restore(example, vocabulary).tolist() == window.tolist(), "inputs and targets rebuild the window"
    announced = denoised_length(len(window), denoiser, vocabulary, key=key, ends_document=ends_document)
    assert (len(example.inputs), len(example.targets)) == announced, "the announced length is the real one"
    assert example.source == used.name
    inputs, targets = example.inputs.tolist(), example.targets.tolist()
    if used.mode is not None:
        assert inputs.pop(0) == vocabulary.modes[used.mode], "the mode token leads the inputs"
    if isinstance(used, SpanDenoiser) or ends_document:
        assert targets.pop() == vocabulary.eos, "EOS closes the targets where it is due"
    special = vocabulary.reserved - set(vocabulary.sentinels)
    assert not special & {*inputs, *targets}, "no other special token stands in the text"
    _check_counts(inputs, targets, used, len(window), vocabulary)


def _check_counts(
    inputs: list[int], targets: list[int], denoiser: Denoiser, length: int, vocabulary: Vocabulary
) -> None:
    reserved = vocabulary.reserved
    in_inputs = [token for token in inputs if token in reserved]
    in_targets = [token for token in targets if token in reserved]
    if not isinstance(denoiser, SpanDenoiser):
        assert in_inputs == in_targets == [], "S and C have no sentinels"
        if isinstance(denoiser, PrefixDenoiser):
            assert 1 <= len(targets) <= denoiser.most_targets(length)
        return
    num_noise, num_spans = denoiser.counts(length)
    assert in_inputs == in_targets == list(vocabulary.sentinels[:num_spans]), "sentinels count up, each once"
    assert len(targets) - num_spans == num_noise, "as many noise tokens as the rate says"
    assert abs(num_noise - denoiser.corruption_rate * length) <= 1, "the rate is met to a token"


def check_every_mask_is_equally_likely(
    make: MaskMaker, possible: Sequence[tuple[bool, ...]], *, draws_per_mask: int = 300
) -> None:
    """Draw masks and compare their counts with a uniform law over `possible`."""
    draws = draws_per_mask * len(possible)
    seen = Counter(tuple(make(key(3, "law", draw)).tolist()) for draw in range(draws))
    assert set(seen) <= set(possible), "no mask has other counts"
    assert len(possible) == 1 or chisquare([seen[mask] for mask in possible]).pvalue > _UNLIKELY, (
        "every mask is equally likely"
    )


def check_edges(make: MaskMaker, *, num_kept: int, num_spans: int, draws: int = 3000) -> None:
    """Check that both edges are hidden as often as uniform placement says: spans / (kept + 1)."""
    masks = [make(key(4, "law", draw)) for draw in range(draws)]
    expected = num_spans / (num_kept + 1)
    for name, place in (("first", 0), ("last", -1)):
        hidden = sum(bool(mask[place]) for mask in masks)
        assert binomtest(hidden, draws, expected).pvalue > _UNLIKELY, f"the {name} token is hidden as often"


def masks_with(num_tokens: int, num_noise: int, num_spans: int) -> list[tuple[bool, ...]]:
    """List every mask of `num_tokens` with these counts."""
    found: list[tuple[bool, ...]] = []
    for hidden in combinations(range(num_tokens), num_noise):
        mask = np.zeros(num_tokens, dtype=bool)
        mask[list(hidden)] = True
        if np.count_nonzero(np.diff(mask.astype(int), prepend=0) == 1) == num_spans:
            found.append(tuple(mask.tolist()))
    return found
