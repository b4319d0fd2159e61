"""The laws have teeth: faults of published implementations, planted here, are each caught."""

from collections.abc import Sequence

import numpy as np
import pytest

from secondwind.denoise import SpanDenoiser, corrupt, denoise, noise_mask, spans
from secondwind.errors import ExampleError
from secondwind.vocabulary import Vocabulary
from tests.denoise.conftest import make_vocabulary
from tests.denoise.laws import check_edges, check_every_mask_is_equally_likely, check_example, masks_with

R = SpanDenoiser("R", "R", 0.375, 1.5)


def make_mask(key: int) -> np.ndarray:
    """Draw a mask of 8 tokens: 3 of them noise, in 2 spans."""
    return noise_mask(8, corruption_rate=0.375, mean_span_length=1.5, key=key)


def corrupt_and_check(window: Sequence[int], vocabulary: Vocabulary) -> None:
    tokens = np.asarray(window, dtype=np.int32)
    example = denoise(tokens, R, vocabulary, key=1)
    check_example(tokens, example, R, vocabulary, key=1, ends_document=True)


def test_the_laws_hold_without_a_fault(vocabulary: Vocabulary) -> None:
    corrupt_and_check(range(400), vocabulary)
    check_edges(make_mask, num_kept=5, num_spans=2)
    check_every_mask_is_equally_likely(make_mask, masks_with(8, 3, 2))


def test_edge_bias_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    # T5: a kept run always comes first and a hidden run last, which is one gap fewer on each side.
    honest = spans.uniform_spans

    def biased(noise_cuts: Sequence[int], gaps: Sequence[int], num_noise: int) -> spans.Spans:
        return honest(noise_cuts, [max(gap, 1) if gap == gaps[0] else gap for gap in gaps], num_noise)

    monkeypatch.setattr(spans, "uniform_spans", biased)
    with pytest.raises(AssertionError, match="first token is hidden as often"):
        check_edges(make_mask, num_kept=5, num_spans=2)
    with pytest.raises(AssertionError, match="every mask is equally likely|no mask has other counts"):
        check_every_mask_is_equally_likely(make_mask, masks_with(8, 3, 2))


def test_a_sentinel_shift_is_caught(monkeypatch: pytest.MonkeyPatch, vocabulary: Vocabulary) -> None:
    # UL2_5: where noise comes first, the targets' sentinels are one ahead of the inputs'.
    honest = corrupt.unfold

    def shifted(window: np.ndarray, hidden: np.ndarray, sentinels: np.ndarray) -> np.ndarray:
        return honest(window, hidden, sentinels + 1)

    monkeypatch.setattr(corrupt, "unfold", shifted)
    with pytest.raises(ExampleError, match="cannot be restored"):
        corrupt_and_check(range(400), vocabulary)


@pytest.mark.parametrize("reuse", ["modulo", "clamp"])
def test_wrapped_sentinels_are_caught(reuse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Levanter's UL2R counts sentinels modulo their number; llm-foundry repeats the last one.
    def wrapped(mask: np.ndarray, _: SpanDenoiser, vocabulary: Vocabulary) -> np.ndarray:
        number = np.arange(np.count_nonzero(np.diff(mask.astype(int), prepend=0) == 1))
        most = vocabulary.num_sentinels
        return np.asarray(vocabulary.sentinels)[
            number % most if reuse == "modulo" else number.clip(max=most - 1)
        ]

    monkeypatch.setattr(corrupt, "_sentinels", wrapped)
    few = make_vocabulary(num_sentinels=40)
    corrupt_and_check(range(100), few)  # 25 spans: enough sentinels, no fault to see
    with pytest.raises(ExampleError, match="cannot be restored"):
        corrupt_and_check(range(400), few)
