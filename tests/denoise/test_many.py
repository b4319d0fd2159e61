"""The compiled form gives the same bytes and the same errors as the reference."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondwind.denoise import (
    T5GEMMA2,
    U_PALM,
    UL2,
    CausalDenoiser,
    DenoisedWindows,
    Denoiser,
    SpanDenoiser,
    denoise,
    denoise_many,
    many,
)
from secondwind.errors import ExampleError, TooFewSentinels, TooShort, VocabularyError
from secondwind.randomness import key
from secondwind.vocabulary import Vocabulary
from tests.denoise.conftest import make_vocabulary

PUBLISHED = [denoiser for denoiser, _ in (*UL2, *U_PALM, *T5GEMMA2)]
DENOISERS: list[Denoiser] = [
    *PUBLISHED,
    *(replace(denoiser, mode=None) for denoiser in PUBLISHED),
    *(replace(d, placement="t5") for d in PUBLISHED if isinstance(d, SpanDenoiser)),
    CausalDenoiser("C"),
    SpanDenoiser("dense", "X", 0.97, 1.0),
    SpanDenoiser("sparse", "R", 0.01, 2.5),
]


def windows_of(
    lengths: list[int], seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw tokens, offsets, choices, keys and ends for windows of the given lengths."""
    draws = np.random.default_rng(seed)
    offsets = np.cumsum([0, *lengths])
    return (
        draws.integers(0, 1000, offsets[-1]),
        offsets,
        draws.integers(0, len(DENOISERS), len(lengths)),
        draws.integers(0, 2**64, len(lengths), dtype=np.uint64),
        draws.integers(0, 2, len(lengths)).astype(bool),
    )


def run(
    lengths: list[int], seed: int, vocabulary: Vocabulary
) -> tuple[DenoisedWindows, list[tuple[list[int], list[int]]]]:
    """Return what `denoise_many` makes of random windows, and what the reference does."""
    tokens, offsets, choice, keys, ends = windows_of(lengths, seed)
    found = denoise_many(tokens, offsets, DENOISERS, choice, vocabulary, keys=keys, ends_document=ends)
    wanted = [
        denoise(
            tokens[offsets[i] : offsets[i + 1]],
            DENOISERS[choice[i]],
            vocabulary,
            key=int(keys[i]),
            ends_document=bool(ends[i]),
        )
        for i in range(len(lengths))
    ]
    return found, [(e.inputs.tolist(), e.targets.tolist()) for e in wanted]


def spelled(windows: DenoisedWindows) -> list[tuple[list[int], list[int]]]:
    count = len(windows.input_offsets) - 1
    return [(e.inputs.tolist(), e.targets.tolist()) for e in windows.examples([""] * count)]


def test_ten_thousand_mixed_windows_are_the_references_bytes() -> None:
    lengths = np.random.default_rng(5).geometric(1 / 60, 10_000).clip(1, 700).tolist()
    found, wanted = run(lengths, seed=6, vocabulary=make_vocabulary(num_sentinels=700))
    assert spelled(found) == wanted
    assert found.inputs.dtype == found.targets.dtype == np.int32


@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=12), seed=st.integers(0, 2**32))
def test_any_windows_are_the_references_bytes(lengths: list[int], seed: int) -> None:
    found, wanted = run(lengths, seed, make_vocabulary(num_sentinels=300, bos=seed % 2 == 0))
    assert spelled(found) == wanted


@pytest.mark.parametrize("length", [1, 2, 3, 63, 64, 65, 127, 128, 129, 8191, 8192])
def test_lengths_at_the_borders_of_words_and_chunks_are_the_references_bytes(length: int) -> None:
    found, wanted = run([length] * len(DENOISERS), length, make_vocabulary(num_sentinels=8192))
    assert spelled(found) == wanted


def test_windows_do_not_depend_on_those_beside_them() -> None:
    vocabulary = make_vocabulary(num_sentinels=700)
    tokens, offsets, choice, keys, ends = windows_of([40, 1, 200, 7, 90, 513], seed=3)
    whole = spelled(
        denoise_many(tokens, offsets, DENOISERS, choice, vocabulary, keys=keys, ends_document=ends)
    )
    for chunks in ([0, 6], [0, 1, 6], [0, 3, 4, 6], list(range(7))):
        parts = [
            denoise_many(
                tokens,
                offsets[first : last + 1],
                DENOISERS,
                choice[first:last],
                vocabulary,
                keys=keys[first:last],
                ends_document=ends[first:last],
            )
            for first, last in zip(chunks, chunks[1:], strict=False)
        ]
        assert [example for part in parts for example in spelled(part)] == whole


def test_threads_do_not_disturb_one_another() -> None:
    vocabulary = make_vocabulary(num_sentinels=700)
    tokens, offsets, choice, keys, ends = windows_of([200, 90, 513, 40] * 30, seed=9)

    def make(_: int) -> DenoisedWindows:
        return denoise_many(tokens, offsets, DENOISERS, choice, vocabulary, keys=keys, ends_document=ends)

    alone = spelled(make(0))
    with ThreadPoolExecutor(4) as pool:
        assert all(spelled(found) == alone for found in pool.map(make, range(12)))


def test_no_windows_give_no_examples(vocabulary: Vocabulary) -> None:
    found = denoise_many([], [0], DENOISERS, [], vocabulary, keys=[], ends_document=[])
    assert (len(found.inputs), len(found.targets), spelled(found)) == (0, 0, [])


def test_without_numba_the_reference_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary = make_vocabulary(num_sentinels=300)
    compiled, wanted = run([50, 1, 300, 2], 8, vocabulary)
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "secondwind.denoise.kernel", raising=False)
    many._kernel.cache_clear()  # pyright: ignore[reportPrivateUsage]
    try:
        with pytest.warns(UserWarning, match="numba cannot be used"):
            plain, _ = run([50, 1, 300, 2], 8, vocabulary)
        assert "secondwind.denoise.kernel" not in sys.modules
    finally:
        many._kernel.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert spelled(plain) == spelled(compiled) == wanted
    assert [array.tolist() for array in plain] == [array.tolist() for array in compiled]


R = SpanDenoiser("R", "R", 0.15, 3.0)
FAULTS = [
    pytest.param([[1] * 40, [], [1101] * 9], [R, R, R], TooShort, "cannot denoise 0 tokens", id="empty"),
    pytest.param(
        [[1] * 40, [5, 1101, 2], []],
        [R, R, R],
        VocabularyError,
        "reserved id 1101 .* at token 1",
        id="reserved",
    ),
    pytest.param([[1] * 40, [1002]], [R, R], VocabularyError, "reserved id 1002", id="bos"),
    pytest.param(
        [[1] * 40, [7, 2048]], [R, R], VocabularyError, "id 2048 at token 1, but the table", id="size"
    ),
    pytest.param(
        [[1] * 40, [1] * 300],
        [R, R],
        TooFewSentinels,
        "needs 15 sentinels, but the vocabulary has 10",
        id="sentinels",
    ),
    pytest.param(
        [[1] * 40, [1] * 9], [R, replace(R, mode="Q")], VocabularyError, "no mode token 'Q'", id="mode"
    ),
]


@pytest.mark.parametrize(("windows", "denoisers", "error", "message"), FAULTS)
def test_the_first_faulty_window_is_refused_in_the_references_words(
    windows: list[list[int]], denoisers: list[Denoiser], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        denoise_many(
            [token for window in windows for token in window],
            np.cumsum([0, *map(len, windows)]),
            denoisers,
            np.arange(len(windows)),
            make_vocabulary(num_sentinels=10),
            keys=np.zeros(len(windows), np.uint64),
            ends_document=np.ones(len(windows), bool),
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"choice": [0]}, "offsets of 2 windows, 1 choices"),
        ({"offsets": [0, 9, 4]}, "offsets from 0 to 9"),
        ({"offsets": [0, 5, 11]}, "offsets from 0 to 11 for 10 tokens"),
        ({"offsets": [0, 2**63 - 1, -(2**63), 5], "choice": [0] * 3}, "offsets from -9223372036854775808"),
        ({"choice": [0.9, 0.0]}, "choice of type float64; wanted whole numbers"),
        ({"choice": [0, 1]}, "choices from 0 to 1, but 1 denoisers"),
        ({"choice": [0, -1]}, "choices from -1 to 0"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(
    changes: dict[str, list[int]], message: str, vocabulary: Vocabulary
) -> None:
    arrays = {"offsets": [0, 5, 10], "choice": [0, 0]} | changes
    with pytest.raises(ExampleError, match=message):
        denoise_many(
            range(10),
            arrays["offsets"],
            [R],
            arrays["choice"],
            vocabulary,
            keys=[1] * (len(arrays["offsets"]) - 1),
            ends_document=[True] * (len(arrays["offsets"]) - 1),
        )


def test_a_negative_id_is_refused_in_the_references_words(vocabulary: Vocabulary) -> None:
    tokens = np.array([5, -3, 7], dtype=np.int32)
    with pytest.raises(ExampleError, match="wanted whole ids from 0"):
        denoise_many(tokens, [0, 3], [R], [0], vocabulary, keys=[1], ends_document=[True])


def test_keys_of_the_whole_range_are_taken(vocabulary: Vocabulary) -> None:
    keys = [key(1, "denoise", n) for n in range(40)]
    assert max(keys) >= 2**63  # beyond int64
    found = denoise_many(
        range(400),
        np.arange(0, 401, 10),
        [R],
        [0] * 40,
        vocabulary,
        keys=keys,
        ends_document=[True] * 40,
    )
    wanted = [denoise(range(10 * n, 10 * n + 10), R, vocabulary, key=keys[n]) for n in range(40)]
    assert spelled(found) == [(e.inputs.tolist(), e.targets.tolist()) for e in wanted]
