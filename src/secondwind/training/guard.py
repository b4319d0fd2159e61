"""Stop in good order: at NaN before it reaches the parameters, at a signal after a checkpoint."""

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from secondwind.errors import NonFiniteLoss
from secondwind.training.records import Log, StepResult
from secondwind.training.settings import TrainSettings


def log_to_stderr(line: str) -> None:
    """Print a line that must not be missed and must not mix with results."""
    print(f"secondwind: {line}", file=sys.stderr, flush=True)


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
        advice += f"or raise max_skips above {settings.max_skips}"
    else:
        advice += "or set on_non_finite to skip"
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


class StopRequest:
    """Whether a signal has asked training to stop; the one thing a signal handler may change."""

    def __init__(self) -> None:
        """Start unasked."""
        self.signal_name = ""

    def __bool__(self) -> bool:
        """Say whether training should stop at the next step boundary."""
        return bool(self.signal_name)


@contextmanager
def stop_on_signals(*, log: Log = log_to_stderr) -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request, and the second into KeyboardInterrupt.

    The caller looks at the request where stopping is safe. The handlers of before come back at the
    end. Python delivers signals to its main thread alone, so elsewhere the request is never made.
    """
    request = StopRequest()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if request:
            raise KeyboardInterrupt(f"second signal ({signal.Signals(number).name}): stopped at once")
        request.signal_name = signal.Signals(number).name
        log(f"{request.signal_name}: stopping after this step with a checkpoint; once more to stop at once.")

    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            # None means a handler that was not set from Python, which cannot be given back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
