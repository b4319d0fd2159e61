"""Stop at NaN or infinity before it reaches the parameters."""

from collections.abc import Sequence

from secondwind.errors import NonFiniteLoss
from secondwind.training.records import Log, StepResult
from secondwind.training.settings import TrainSettings


def refuse_non_finite(result: StepResult, settings: TrainSettings, *, skipped: int, log: Log) -> None:
    """Stop, or let the step be skipped, when its loss or gradient is not finite.

    Args:
        skipped: updates skipped so far, this one included.

    Raises:
        NonFiniteLoss: names the step and the rows; the parameters are as before the step.
    """
    if result.is_finite:
        return
    met = (
        f"step {result.step} gave loss {result.loss:.4g} and gradient norm {result.grad_norm:.4g}, wanted "
        f"finite numbers; rows {_ranges(result.blamed)}; the update was not made"
    )
    if settings.on_non_finite == "skip" and skipped <= settings.max_skips:
        log(f"{met}. Skipped: {skipped} of at most {settings.max_skips}.")
        return
    advice = "Look at these rows, lower the learning rate, "
    if settings.on_non_finite == "skip":
        advice += f"or raise training.max_skips above {settings.max_skips}"
    else:
        advice += "or set training.on_non_finite to skip"
    raise NonFiniteLoss(f"{met}. {advice}, and run again: training goes on from its last checkpoint.")


def _ranges(numbers: Sequence[int]) -> str:
    """Write 3, 4, 5, 9 as '3-5, 9'."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
