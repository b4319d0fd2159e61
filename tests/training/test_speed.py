"""Speed from counts and times."""

import pytest

from secondwind.training.records import Timing, TrainSummary
from secondwind.training.speed import known_peak, stage_speed

SUMMARY = TrainSummary(
    steps=10,
    tokens=900,
    target_tokens=300,
    rows_tokens=1200,
    flops=9e6,
    final_loss=1.0,
    skipped=0,
    micro_batch_rows=0,
    sources={},
)


def test_utilisation_counts_repeated_work_and_waiting() -> None:
    # Two killed sessions: 1,200 tokens were computed in 3 + 1 seconds, 900 of them were kept.
    timing = Timing(
        steps=13, seconds=3.0, save_seconds=0.5, data_wait_seconds=1.0, tokens=1200, peak_memory_bytes=7
    )
    found = stage_speed(SUMMARY, timing, peak=1e7)
    assert found["tokens_per_second"] == 300
    assert found["flops_per_second"] == 3e6
    assert found["utilisation"] == pytest.approx(0.3)
    assert found["padding_share"] == 0.25
    assert found["data_wait_share"] == 0.25
    assert found["peak_memory_bytes"] == 7
    assert stage_speed(SUMMARY, timing, peak=None)["utilisation"] is None


def test_a_peak_is_given_only_where_its_source_is_known() -> None:
    assert known_peak("NVIDIA H200", "bf16") == 989e12
    assert known_peak("NVIDIA H200", "fp32") is None
    assert known_peak("cpu", "bf16") is None
