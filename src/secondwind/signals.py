"""SIGINT and SIGTERM as a request to pause: honoured where nothing that was done gets lost.

    first signal     a request; the work at hand is finished and saved, then `Paused` is raised
    second signal    KeyboardInterrupt, at once

A whole run and, inside it, each training stage look for the request: a stage after a step, with a
checkpoint; everything else at its next report of progress.
"""

import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from secondwind.errors import Paused

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether a signal has asked to stop; the one thing that a signal handler changes."""

    def __init__(self, log: Callable[[str], None]) -> None:
        """Start unasked; `log` gets the line that answers a signal."""
        self.signal_name = ""
        self.num_listeners = 1
        self._log = log

    def __bool__(self) -> bool:
        """Say whether to stop where that is safe."""
        return bool(self.signal_name)

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal: note the first, interrupt at the second."""
        name = signal.Signals(number).name
        if self:
            raise KeyboardInterrupt(f"second signal ({name}): stopped at once")
        self.signal_name = name
        self._log(f"{name}: stopping as soon as the work at hand is saved; once more to stop at once.")


def log_to_stderr(line: str) -> None:
    """Print a line that must not be missed and must not mix with results."""
    print(f"secondwind: {line}", file=sys.stderr, flush=True)


@contextmanager
def stop_on_signals(*, log: Callable[[str], None] = log_to_stderr) -> Generator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request, and the second into KeyboardInterrupt.

    Inside another such block the request is that block's own, so that a signal which comes when the
    inner one no longer looks is not lost. The handlers of before come back at the end. Python
    delivers signals to its main thread alone, so elsewhere the request is never made.
    """
    outer = _current()
    if outer is not None:
        outer.num_listeners += 1
        try:
            yield outer
        finally:
            outer.num_listeners -= 1
        return
    request = StopRequest(log)
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request.on_signal) for number in _SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            # None means a handler that was not set from Python, which cannot be given back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def pause_if_asked(where: str) -> None:
    """Stop here if a signal asked for it and no block inside the run listens for itself.

    Args:
        where: what was being done, for the message.

    Raises:
        Paused: outside training, after a signal.
    """
    request = _current()
    if request and request.num_listeners == 1:
        raise Paused(
            f"{request.signal_name}: stopped in {where}; what was finished before is kept. "
            "Run the same command to go on."
        )


def _current() -> StopRequest | None:
    """Return the request of the block that handles signals now, read from the handler itself."""
    owner = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    on_main_thread = threading.current_thread() is threading.main_thread()
    return owner if isinstance(owner, StopRequest) and on_main_thread else None
