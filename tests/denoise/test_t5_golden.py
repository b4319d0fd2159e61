"""`placement="t5"` is T5's sampler: same masks from the same shuffles, same counts, same distribution.

The golden file was made by scripts/make_t5_golden.py from the package `t5`; its header says how.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from secondwind.denoise import SpanDenoiser, noise_mask
from secondwind.denoise.corrupt import fold, unfold
from secondwind.denoise.spans import mask_of, t5_spans
from secondwind.example import Flags
from secondwind.randomness import key

Case = dict[str, Any]

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "t5_span_corruption.json").read_text())
ANSWERED: list[Case] = [case for case in GOLDEN["cases"] if not case.get("clipped")]
CLIPPED: list[Case] = [case for case in GOLDEN["cases"] if case.get("clipped")]
EXACT = [case for case in ANSWERED if not case.get("float32")]
ROUNDED_IN_FLOAT32 = [case for case in ANSWERED if case.get("float32")]
FIRST_TOKEN, FIRST_SENTINEL = 100, 10_000
LONGEST_SCANNED = 8192


def named(case: Case) -> str:
    return f"{case['num_tokens']}-{case['corruption_rate']}-{case['mean_span_length']}"


def denoiser(case: Case) -> SpanDenoiser:
    return SpanDenoiser("T5", None, case["corruption_rate"], case["mean_span_length"], placement="t5")


def recorded_mask(case: Case) -> Flags:
    hidden = np.arange(len(case["mask"])) % 2 == 1
    return np.repeat(hidden, case["mask"])


def recorded_ids(text: str) -> list[int]:
    """Read `100..101 <0> 104` as [100, 101, 10000, 104]."""
    ids: list[int] = []
    for word in text.split():
        if word.startswith("<"):
            ids.append(FIRST_SENTINEL + int(word[1:-1]))
            continue
        first, _, last = word.partition("..")
        ids += range(int(first), int(last or first) + 1)
    return ids


def mask_from_recorded_shuffles(case: Case) -> Flags:
    noise, kept = case["shuffles"]
    spans = t5_spans(noise["ones"], kept["ones"], noise["size"] + 1, kept["size"] + 1)
    return mask_of(spans, case["num_tokens"])


def num_runs(mask: Flags) -> int:
    return int(np.count_nonzero(np.diff(mask.astype(np.int8), prepend=0) == 1))


def test_the_golden_file_holds_every_kind_of_case() -> None:
    assert len(EXACT) > 50
    assert len(CLIPPED) == 4
    assert len(ROUNDED_IN_FLOAT32) == 3
    assert {case["num_tokens"] for case in ANSWERED} >= {2, 3, 512, 2048}


@pytest.mark.parametrize("case", ANSWERED, ids=named)
def test_the_shuffles_of_t5_give_the_mask_of_t5(case: Case) -> None:
    assert mask_from_recorded_shuffles(case).tolist() == recorded_mask(case).tolist()


@pytest.mark.parametrize("case", ANSWERED, ids=named)
def test_the_mask_of_t5_gives_the_inputs_and_targets_of_t5(case: Case) -> None:
    mask = mask_from_recorded_shuffles(case)
    window = np.arange(FIRST_TOKEN, FIRST_TOKEN + case["num_tokens"], dtype=np.int32)
    sentinels = np.arange(FIRST_SENTINEL, FIRST_SENTINEL + num_runs(mask), dtype=np.int32)
    assert fold(window, mask, sentinels).tolist() == recorded_ids(case["inputs"])
    assert unfold(window, mask, sentinels).tolist() == recorded_ids(case["targets"])


@pytest.mark.parametrize("case", EXACT, ids=named)
def test_counts_agree_with_t5(case: Case) -> None:
    num_noise, num_spans = sum(case["mask"][1::2]), len(case["mask"]) // 2
    assert denoiser(case).counts(case["num_tokens"]) == (num_noise, num_spans)


@pytest.mark.parametrize("case", ROUNDED_IN_FLOAT32, ids=named)
def test_counts_differ_by_one_token_where_t5_rounds_in_float32(case: Case) -> None:
    ours = denoiser(case).counts(case["num_tokens"]).num_noise_tokens
    assert abs(ours - sum(case["mask"][1::2])) == 1
    assert case["num_tokens"] in GOLDEN["provenance"]["float32_lengths"][str(case["corruption_rate"])]


@pytest.mark.parametrize("rate", [0.15, 0.5])
def test_the_lengths_where_float32_decides_are_all_listed(rate: float) -> None:
    lengths = np.arange(2, LONGEST_SCANNED + 1)
    single = np.clip(np.rint(lengths.astype(np.float32) * np.float32(rate)), 1, lengths - 1)
    any_mean = SpanDenoiser("T5", None, rate, 3.0, placement="t5")
    ours = np.asarray([any_mean.counts(int(length)).num_noise_tokens for length in lengths])
    assert lengths[ours != single].tolist() == GOLDEN["provenance"]["float32_lengths"][str(rate)]


@pytest.mark.parametrize("case", CLIPPED, ids=named)
def test_spans_are_as_many_as_kept_tokens_where_t5_has_no_answer(case: Case) -> None:
    assert "Shapes of all inputs must match" in case["error"]
    num_noise, num_kept = (shuffle["size"] + 1 for shuffle in case["shuffles"])
    assert denoiser(case).counts(case["num_tokens"]) == (num_noise, num_kept)


def every_mask() -> list[str]:
    """List the masks of the recorded setting that start kept and end hidden: 3 runs of 4 tokens."""
    masks = ("".join(marks) for marks in product(".#", repeat=GOLDEN["masks"]["num_tokens"]))
    wanted = [m for m in masks if m[0] == "." and m[-1] == "#" and m.count("#") == 4 and m.count(".#") == 3]
    assert len(wanted) == 30
    return wanted


def test_t5_draws_every_such_mask_equally_often() -> None:
    counts: dict[str, int] = GOLDEN["masks"]["counts"]
    assert sorted(counts) == sorted(every_mask())
    assert sum(counts.values()) == GOLDEN["masks"]["draws"]
    assert chisquare(list(counts.values())).pvalue > 1e-4


def test_our_t5_placement_draws_every_such_mask_equally_often() -> None:
    seen = dict.fromkeys(every_mask(), 0)
    for draw in range(400 * len(seen)):
        mask = noise_mask(
            GOLDEN["masks"]["num_tokens"],
            corruption_rate=GOLDEN["masks"]["corruption_rate"],
            mean_span_length=GOLDEN["masks"]["mean_span_length"],
            key=key(5, "test", draw),
            placement="t5",
        )
        seen["".join("#" if hidden else "." for hidden in mask)] += 1  # a mask of another kind is a KeyError
    assert chisquare(list(seen.values())).pvalue > 1e-4
