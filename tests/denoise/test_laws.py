"""Both implementations obey the laws: for every denoiser, length, key and document end."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondwind.denoise import (
    CAUSAL,
    T5GEMMA2,
    U_PALM,
    UL2,
    Denoiser,
    SpanDenoiser,
    denoise,
    denoise_many,
    noise_mask,
)
from tests.denoise.conftest import make_vocabulary
from tests.denoise.laws import check_edges, check_every_mask_is_equally_likely, check_example, masks_with

_PUBLISHED = [denoiser for denoiser, _ in (*UL2, *U_PALM, *T5GEMMA2, *CAUSAL)]
DENOISERS: list[Denoiser] = [
    *_PUBLISHED,
    *(replace(denoiser, mode=None) for denoiser in _PUBLISHED),
    *(replace(denoiser, placement="t5") for denoiser in _PUBLISHED if isinstance(denoiser, SpanDenoiser)),
]
_WINDOW = st.tuples(
    st.one_of(st.integers(1, 12), st.integers(1, 400), st.integers(1, 8192)),  # length
    st.integers(0, len(DENOISERS) - 1),
    st.integers(0, 2**64 - 1),  # key
    st.booleans(),  # whether the document ends
)
_MOST_WINDOWS = 16


def test_every_window_obeys_the_laws_under_both_implementations() -> None:
    examples = 20 * settings().max_examples
    vocabulary = make_vocabulary(num_sentinels=4096)
    seen = 0

    @settings(max_examples=examples)
    @given(windows=st.lists(_WINDOW, min_size=1, max_size=_MOST_WINDOWS), seed=st.integers(0, 2**32))
    def check(windows: list[tuple[int, int, int, bool]], seed: int) -> None:
        nonlocal seen
        lengths, choice, keys, ends = zip(*windows, strict=True)
        offsets = np.cumsum([0, *lengths])
        tokens = np.random.default_rng(seed).integers(0, 1000, offsets[-1]).astype(np.int32)
        found = denoise_many(
            tokens, offsets, DENOISERS, choice, vocabulary, keys=np.array(keys, np.uint64), ends_document=ends
        )
        names = ["C" if n == 1 else DENOISERS[c].name for n, c in zip(lengths, choice, strict=True)]
        for i, example in enumerate(found.examples(names)):
            window, denoiser = tokens[offsets[i] : offsets[i + 1]], DENOISERS[choice[i]]
            told = {"key": keys[i], "ends_document": ends[i]}
            check_example(window, example, denoiser, vocabulary, **told)
            reference = denoise(window, denoiser, vocabulary, **told)
            assert example.inputs.tobytes() == reference.inputs.tobytes()
            assert example.targets.tobytes() == reference.targets.tobytes()
        seen += len(windows)

    check()
    assert seen >= 5 * examples, "in the nightly profile: 100,000 windows"


# Length, rate and mean span; all masks with the counts are listed, so the windows are small.
_SMALL = [(8, 0.375, 1.5), (7, 0.43, 1.5), (9, 0.33, 1.5), (6, 0.34, 2.0), (10, 0.5, 3.0), (5, 0.9, 1.0)]


@pytest.mark.parametrize(("length", "rate", "mean"), _SMALL)
def test_every_mask_with_the_counts_is_equally_likely(length: int, rate: float, mean: float) -> None:
    counts = SpanDenoiser("R", None, rate, mean).counts(length)
    check_every_mask_is_equally_likely(
        lambda k: noise_mask(length, corruption_rate=rate, mean_span_length=mean, key=k),
        masks_with(length, *counts),
    )


@pytest.mark.parametrize(("length", "rate", "mean"), _SMALL)
def test_t5_placement_is_uniform_over_masks_that_start_kept_and_end_hidden(
    length: int, rate: float, mean: float
) -> None:
    counts = SpanDenoiser("R", None, rate, mean, placement="t5").counts(length)
    possible = [mask for mask in masks_with(length, *counts) if not mask[0] and mask[-1]]
    check_every_mask_is_equally_likely(
        lambda k: noise_mask(length, corruption_rate=rate, mean_span_length=mean, key=k, placement="t5"),
        possible,
    )


@pytest.mark.parametrize(
    "denoiser", [d for d in _PUBLISHED if isinstance(d, SpanDenoiser)], ids=lambda d: d.name
)
def test_both_edges_are_hidden_as_often_as_uniform_placement_says(denoiser: SpanDenoiser) -> None:
    length = 60
    counts = denoiser.counts(length)
    check_edges(
        lambda k: noise_mask(
            length,
            corruption_rate=denoiser.corruption_rate,
            mean_span_length=denoiser.mean_span_length,
            key=k,
        ),
        num_kept=length - counts.num_noise_tokens,
        num_spans=counts.num_spans,
    )
