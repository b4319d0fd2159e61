"""Examples follow the worked rows of the design, and every one of them can be restored."""

from dataclasses import replace

import numpy as np
import pytest

from secondwind.denoise import (
    CAUSAL,
    U_PALM,
    UL2,
    CausalDenoiser,
    Denoiser,
    PrefixDenoiser,
    SpanDenoiser,
    corrupt,
    denoise,
    denoised_length,
    named_mixture,
    required_sentinels,
    restore,
    with_causal_share,
)
from secondwind.errors import ExampleError, RecipeError, TooFewSentinels, TooShort, VocabularyError
from secondwind.example import Example
from secondwind.vocabulary import Vocabulary
from tests.denoise.conftest import make_vocabulary

DENOISERS = [denoiser for denoiser, _ in (*UL2, *U_PALM, *CAUSAL)]
LETTERS = "abcdefghi"


def spell(ids: np.ndarray, vocabulary: Vocabulary) -> str:
    names = {vocabulary.eos: "EOS", 1003: "[R]", 1004: "[S]", 1005: "[X]"}
    names |= {token: f"<{number}>" for number, token in enumerate(vocabulary.sentinels)}
    names |= dict(enumerate(LETTERS))
    return " ".join(names[int(token)] for token in ids)


def mask_of(drawn: str) -> np.ndarray:
    return np.array([mark == "#" for mark in drawn.split()])


def test_span_denoiser_writes_the_worked_row(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = mask_of(". # . . . # # . .")
    monkeypatch.setattr(corrupt, "noise_mask", lambda *_, **__: drawn)
    example = denoise(range(9), SpanDenoiser("R", "R", 0.33, 1.5), vocabulary, key=0)
    assert spell(example.inputs, vocabulary) == "[R] a <0> c d e <1> h i"
    assert spell(example.targets, vocabulary) == "<0> b <1> f g EOS"


@pytest.mark.parametrize(
    ("drawn", "inputs", "targets"),
    [
        ("# # . . . . . . .", "<0> c d e f g h i", "<0> a b EOS"),
        (". . . . . . . # #", "a b c d e f g <0>", "<0> h i EOS"),
        ("# . # . # . # . #", "<0> b <1> d <2> f <3> h <4>", "<0> a <1> c <2> e <3> g <4> i EOS"),
    ],
)
def test_noise_at_the_edges_keeps_sentinels_aligned(
    drawn: str, inputs: str, targets: str, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corrupt, "noise_mask", lambda *_, **__: mask_of(drawn))
    example = denoise(range(9), SpanDenoiser("R", None, 0.33, 1.5), vocabulary, key=0)
    assert (spell(example.inputs, vocabulary), spell(example.targets, vocabulary)) == (inputs, targets)
    assert restore(example, vocabulary).tolist() == list(range(9))


def test_prefix_denoiser_has_no_sentinel_and_ends_only_with_the_document(vocabulary: Vocabulary) -> None:
    whole = denoise(range(9), PrefixDenoiser("S", "S", 0.5), vocabulary, key=4)
    cut = denoise(range(9), PrefixDenoiser("S", "S", 0.5), vocabulary, key=4, ends_document=False)
    both = spell(whole.inputs, vocabulary) + " " + spell(whole.targets, vocabulary)
    assert both == "[S] a b c d e f g h i EOS"
    assert cut.targets.tolist() == whole.targets[:-1].tolist()


def test_causal_denoiser_gives_nothing_and_learns_everything(vocabulary: Vocabulary) -> None:
    example = denoise(range(9), CausalDenoiser("C"), vocabulary, key=0)
    assert example.inputs.tolist() == []
    assert spell(example.targets, vocabulary) == "a b c d e f g h i EOS"


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_prefix_pivot_is_uniform_with_the_expected_share(share: float) -> None:
    vocabulary, length, draws = make_vocabulary(), 80, 4000
    sizes = [
        denoised_length(
            length, PrefixDenoiser("S", None, share), vocabulary, key=k, ends_document=False
        ).targets
        for k in range(draws)
    ]
    most = min(round(2 * share * length), length - 1)
    assert (min(sizes), max(sizes)) == (1, most)
    spread = most / np.sqrt(12 * draws)
    assert abs(np.mean(sizes) - (most + 1) / 2) < 4 * spread


def test_a_one_token_document_becomes_causal(vocabulary: Vocabulary) -> None:
    example = denoise([5], SpanDenoiser("R", "R", 0.15, 3), vocabulary, key=0)
    assert (example.source, example.inputs.tolist(), example.targets.tolist()) == (
        "C",
        [],
        [5, vocabulary.eos],
    )


def test_the_same_text_under_two_keys_gets_two_masks(vocabulary: Vocabulary) -> None:
    denoiser = SpanDenoiser("R", "R", 0.15, 3)
    first, second = (denoise(range(200), denoiser, vocabulary, key=k) for k in (1, 2))
    assert first.inputs.tolist() != second.inputs.tolist()


def test_too_few_sentinels_is_an_error_that_says_how_many() -> None:
    with pytest.raises(TooFewSentinels, match=r"window of 300 tokens needs 15 sentinels.*num_sentinels=15"):
        denoise(range(300), SpanDenoiser("R", "R", 0.15, 3), make_vocabulary(num_sentinels=10), key=0)


def test_reserved_ids_in_a_document_are_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(VocabularyError, match="reserved id 1101 .* at token 1"):
        denoise([1, 1101, 2], CausalDenoiser("C"), vocabulary, key=0)


def test_unknown_mode_names_the_known_ones(vocabulary: Vocabulary) -> None:
    with pytest.raises(VocabularyError, match=r"no mode token 'Q'.*\['R', 'S', 'X'\]"):
        denoise(range(9), SpanDenoiser("R", "Q", 0.15, 3), vocabulary, key=0)


def test_misaligned_sentinels_cannot_be_restored(vocabulary: Vocabulary) -> None:
    good = denoise(range(60), SpanDenoiser("R", "R", 0.3, 3), vocabulary, key=0)
    shifted = good.targets.copy()
    shifted[np.isin(shifted, vocabulary.sentinels)] += 1
    with pytest.raises(ExampleError, match="cannot be restored"):
        restore(replace(good, targets=shifted), vocabulary)


def test_sentinels_in_the_targets_alone_cannot_be_restored(vocabulary: Vocabulary) -> None:
    lost = Example(np.array([5, 6], np.int32), np.array([1100, 7, vocabulary.eos], np.int32), "R")
    with pytest.raises(ExampleError, match="cannot be restored"):
        restore(lost, vocabulary)


@pytest.mark.parametrize("tokens", [[5.9], [-1, 3], [2**32 + 5]])
def test_values_that_are_no_ids_are_refused(tokens: list[float], vocabulary: Vocabulary) -> None:
    with pytest.raises(ExampleError, match="wanted whole ids"):
        denoise(tokens, CausalDenoiser("C"), vocabulary, key=0)


@pytest.mark.parametrize("denoiser", DENOISERS, ids=lambda d: d.name)
def test_no_tokens_are_too_short_for_any_denoiser(denoiser: Denoiser, vocabulary: Vocabulary) -> None:
    with pytest.raises(TooShort, match="cannot denoise 0 tokens"):
        denoised_length(0, denoiser, vocabulary, key=0)
    with pytest.raises(TooShort, match="cannot denoise 0 tokens"):
        denoise([], denoiser, vocabulary, key=0)


def test_unknown_words_in_a_denoiser_name_the_nearest() -> None:
    with pytest.raises(ExampleError, match="placement 'T5'; wanted uniform or t5. Nearest: t5"):
        SpanDenoiser("R", "R", 0.15, 3.0, placement="T5")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ExampleError, match="pivot 'Fixed'; wanted uniform or fixed"):
        PrefixDenoiser("S", "S", 0.5, pivot="Fixed")  # pyright: ignore[reportArgumentType]


def test_rates_are_kept_in_float64_however_they_come() -> None:
    single = SpanDenoiser("R", "R", float(np.float32(0.15)), 3.0)
    assert SpanDenoiser("R", "R", np.float32(0.15), 3).counts(190) == single.counts(190)
    assert type(SpanDenoiser("R", "R", np.float32(0.15), 3).corruption_rate) is float


def test_an_example_without_targets_is_refused() -> None:
    with pytest.raises(ExampleError, match="has no targets"):
        Example(np.zeros(3, np.int32), np.zeros(0, np.int32), "R")


def test_settings_outside_their_range_are_refused() -> None:
    bad: list[tuple[type[Denoiser], tuple[object, ...]]] = [
        (SpanDenoiser, ("R", "R", 1.0, 3.0)),
        (SpanDenoiser, ("R", "R", 0.15, 0.5)),
        (PrefixDenoiser, ("S", "S", 0.75)),
    ]
    for kind, settings in bad:
        with pytest.raises(ExampleError, match="wanted"):
            kind(*settings)


def test_published_mixtures_have_the_papers_shares() -> None:
    shares: dict[str, float] = {}
    for denoiser, rate in named_mixture("u_palm"):
        shares[denoiser.name[0]] = shares.get(denoiser.name[0], 0.0) + rate
    assert shares == {"S": 0.5, "R": 0.25, "X": 0.25}
    assert len({rate for _, rate in named_mixture("ul2")}) == 1 and len(named_mixture("ul2")) == 7
    gemma = {denoiser.name: rate for denoiser, rate in with_causal_share(named_mixture("t5gemma2"), 0)}
    assert gemma["S-75"] == pytest.approx(0.5) and len(gemma) == 5


def test_a_causal_share_is_taken_from_all_denoisers_alike() -> None:
    mixture = with_causal_share(named_mixture("u_palm"), 0.2)
    shares = {denoiser.name: rate for denoiser, rate in mixture}
    assert shares == pytest.approx({"S": 0.4, "R-3-15": 0.2, "X-32-15": 0.1, "X-3-50": 0.1, "C": 0.2})


def test_an_unknown_mixture_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="Nearest: u_palm"):
        named_mixture("upalm")


def test_required_sentinels_is_what_the_hungriest_denoiser_makes() -> None:
    assert required_sentinels([d for d, _ in U_PALM], 1024) == round(512 / 3)
    assert required_sentinels([CausalDenoiser("C")], 1024) == 0
