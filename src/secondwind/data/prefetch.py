"""Rows are built in the background while a step trains on the ones before.

    training   step 1        step 2        step 3
    worker     rows 2  rows 3 .     rows 4 .     rows 5         `ahead` batches wait at most

One thread is enough: what takes long in building rows (the kernels, numpy, the tokenizer) lets go of
Python's lock. A thread shares the caches of the rows, dies with its process and never gets a signal.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from queue import Empty, Queue
from types import TracebackType
from typing import NamedTuple, Self

from secondwind.data.stream import RowSource
from secondwind.errors import RunError
from secondwind.example import Row

_LOOKED_AFTER_SECONDS = 1.0  # how often a waiting reader sees whether the worker still lives
_CLOSING_SECONDS = 30.0  # a batch that takes longer is left to die with the process


class _Built(NamedTuple):
    """What the worker hands over: rows, or what went wrong, or neither behind the last batch."""

    rows: list[Row] | None = None
    error: BaseException | None = None


class Prefetcher:
    """The rows of batch after batch, built ahead of their use, in the order that was asked for.

        with Prefetcher(rows, batches) as prefetcher:
            for built in prefetcher:
                ...

    While it is open, nobody else may use `rows`: their caches have no lock.
    """

    def __init__(self, rows: RowSource, batches: Iterable[Sequence[int]], *, ahead: int = 2) -> None:
        """Prepare to build the rows of each batch of row numbers; work begins with the `with` block.

        Args:
            ahead: how many finished batches may wait for their use; more only cost memory.
        """
        if ahead < 1:
            raise ValueError(f"a prefetcher got ahead = {ahead}; wanted at least 1 batch.")
        self.waited_seconds = 0.0  # how long the last batch was waited for
        self._rows, self._batches = rows, batches
        self._finished: Queue[_Built] = Queue(maxsize=ahead)
        self._closing = threading.Event()
        self._is_over = False
        # A daemon, so that a batch that never ends cannot keep a finished process alive.
        self._worker = threading.Thread(target=self._work, name="row prefetcher", daemon=True)

    def __enter__(self) -> Self:
        """Start building."""
        self._worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop building: the batch in work is finished and forgotten."""
        self._closing.set()
        self._is_over = True
        given_up = time.monotonic() + _CLOSING_SECONDS
        while self._worker.is_alive() and time.monotonic() < given_up:
            self._take(timeout=0.01)  # a worker that waits for a free place gets one

    def __iter__(self) -> Iterator[list[Row]]:
        """Go on behind the last batch that was handed out."""
        return self

    def __next__(self) -> list[Row]:
        """Return the rows of the next batch, waiting for them if need be.

        Raises:
            RunError: the worker died without saying why.
            Exception: whatever building these rows raised, with the worker's own traceback.
        """
        if self._is_over:
            raise StopIteration
        started = time.perf_counter()
        built = self._wait()
        self.waited_seconds = time.perf_counter() - started
        if built.rows is None:
            self._is_over = True
            if isinstance(built.error, StopIteration):  # as it is, it would look like the end of the batches
                raise RuntimeError("building rows raised StopIteration") from built.error
            raise built.error or StopIteration
        return built.rows

    def _wait(self) -> _Built:
        while True:
            # Asked first: what a worker put there before it ended is still found behind this line.
            lives = self._worker.is_alive()
            built = self._take(timeout=_LOOKED_AFTER_SECONDS if lives else 0)
            if built is not None:
                return built
            if not lives:
                self._is_over = True
                raise RunError(
                    "the thread that builds rows ended without a word; wanted rows or an error. Run the "
                    "same command to go on from the last checkpoint, and report this if it comes again."
                )

    def _take(self, *, timeout: float) -> _Built | None:
        try:
            return self._finished.get(block=timeout > 0, timeout=timeout or None)
        except Empty:
            return None

    def _work(self) -> None:
        """Build batch after batch; whatever ends that is told to the reader."""
        last = _Built()
        try:
            for numbers in self._batches:
                if self._closing.is_set():
                    return
                self._finished.put(_Built(rows=self._rows.rows(numbers)))
        except BaseException as error:  # raised again in the reader's thread
            last = _Built(error=error)
        if not self._closing.is_set():
            self._finished.put(last)
