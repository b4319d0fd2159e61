"""The learning rate of each step as literal rows, and settings that cannot be meant."""

import subprocess
import sys

import pytest

from secondwind.errors import RecipeError
from secondwind.training import TrainSettings, learning_rate


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("constant", [0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        ("cosine", [0.5, 1, 0.9657, 0.8682, 0.7222, 0.55, 0.3778, 0.2318, 0.1343, 0.1]),
        ("wsd", [0.5, 1, 1, 1, 1, 1, 1, 1, 0.55, 0.1]),
    ],
)
def test_learning_rate_warms_up_and_follows_its_schedule(schedule, shares):
    settings = TrainSettings(
        steps=10,
        batch_rows=1,
        learning_rate=2.0,
        warmup=0.2,
        schedule=schedule,
        final_share=0.1,
        decay_share=0.2,
    )
    rates = [learning_rate(settings, step) for step in range(1, 11)]
    assert rates == pytest.approx([2.0 * share for share in shares], abs=1e-4)


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [("constant", [1, 1, 1, 1]), ("cosine", [0.8536, 0.5, 0.1464, 0]), ("wsd", [1, 1, 0.5, 0])],
)
def test_learning_rate_starts_at_the_peak_without_warm_up(schedule, shares):
    settings = TrainSettings(
        steps=4,
        batch_rows=1,
        learning_rate=1.0,
        warmup=0.0,
        schedule=schedule,
        final_share=0.0,
        decay_share=0.5,
    )
    rates = [learning_rate(settings, step) for step in range(1, 5)]
    assert rates == pytest.approx(shares, abs=1e-4)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "wsd"])
def test_learning_rate_of_a_single_step_or_of_nothing_but_warm_up_is_positive(schedule):
    for steps, warmup in ((1, 0.0), (1, 1.0), (5, 1.0)):
        settings = TrainSettings(
            steps=steps, batch_rows=1, learning_rate=1.0, warmup=warmup, schedule=schedule
        )
        assert all(0 < learning_rate(settings, step) <= 1.0 for step in range(1, steps + 1))


def test_settings_name_every_value_that_cannot_be_meant():
    with pytest.raises(RecipeError) as caught:
        TrainSettings(steps=0, batch_rows=1, learning_rate=-1.0, schedule="linear", warmup=1.5)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "steps is 0, wanted at least 1" in message
    assert "learning_rate is -1.0, wanted above 0" in message
    assert "schedule is 'linear', wanted cosine or constant or wsd" in message
    assert "warmup is 1.5, wanted in [0, 1]" in message


def test_training_settings_can_be_read_without_torch():
    program = "import sys, secondwind.training; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
