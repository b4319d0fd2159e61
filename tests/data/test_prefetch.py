"""Rows come from the background in order, or the error that kept them from coming."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from secondwind.data import Packer, Prefetcher, Stream
from secondwind.errors import ExampleError, RunError
from secondwind.example import Row
from tests.data.conftest import RandomSource, make_vocabulary


def make_stream() -> Stream:
    packer = Packer(32, make_vocabulary(bos=True), block_examples=50)
    return Stream(RandomSource(1, longest=20), packer, 1)


class Watched:
    """Rows of a stream that say which batches were built, and can be held up or fail."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.built: list[int] = []
        self.has_built = threading.Semaphore(0)
        self._fails_at = fails_at
        self._stream = make_stream()

    def row(self, number: int) -> Row:
        return self._stream.row(number)

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        if numbers[0] == self._fails_at:
            raise ExampleError(f"row {numbers[0]} cannot be built")
        self.built.append(numbers[0])
        self.has_built.release()
        return self._stream.rows(numbers)

    def row_tokens(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        return self._stream.row_tokens(start, stop)

    def identity(self) -> dict[str, Any]:
        return self._stream.identity()


def batches(count: int) -> Iterator[range]:
    return (range(3 * number, 3 * number + 3) for number in range(count))


def test_prefetched_rows_are_those_built_in_the_foreground_in_order() -> None:
    stream = make_stream()
    expected = [[row.tokens.tolist() for row in stream.rows(numbers)] for numbers in batches(20)]
    with Prefetcher(make_stream(), batches(20)) as prefetcher:
        found = [[row.tokens.tolist() for row in rows] for rows in prefetcher]
    assert found == expected


def test_no_more_batches_are_built_than_may_wait_and_one_in_work() -> None:
    watched = Watched()
    with Prefetcher(watched, batches(50), ahead=2) as prefetcher:
        for _ in range(3):
            assert watched.has_built.acquire(timeout=60)
        assert len(watched.built) == 3  # two wait, one is in the worker's hand
        next(prefetcher)
        assert watched.has_built.acquire(timeout=60)
        assert len(watched.built) == 4


def test_an_error_in_the_background_is_raised_by_next_with_the_workers_traceback() -> None:
    with Prefetcher(Watched(fails_at=6), batches(50)) as prefetcher:
        next(prefetcher), next(prefetcher)
        with pytest.raises(ExampleError, match="row 6 cannot be built") as caught:
            next(prefetcher)
        assert "_work" in [entry.name for entry in caught.traceback]
        with pytest.raises(StopIteration):
            next(prefetcher)


def test_rows_that_raise_stop_iteration_do_not_look_like_the_end() -> None:
    class Ends(Watched):
        def rows(self, numbers: Sequence[int]) -> list[Row]:
            raise StopIteration

    with (
        Prefetcher(Ends(), batches(2)) as prefetcher,
        pytest.raises(RuntimeError, match="raised StopIteration"),
    ):
        next(prefetcher)


def test_a_worker_that_dies_without_a_word_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Prefetcher, "_work", lambda self: None)
    with (
        Prefetcher(Watched(), batches(2)) as prefetcher,
        pytest.raises(RunError, match="ended without a word"),
    ):
        next(prefetcher)


@pytest.mark.parametrize("used", [0, 1, 5])
def test_closing_early_ends_the_worker(used: int) -> None:
    watched = Watched()
    with Prefetcher(watched, batches(1000), ahead=3) as prefetcher:
        for _ in range(used):
            next(prefetcher)
        worker = prefetcher._worker
        assert worker.is_alive()
    assert not worker.is_alive()
    assert len(watched.built) <= used + 5


def test_an_error_in_the_foreground_ends_the_worker_and_passes() -> None:
    with pytest.raises(KeyboardInterrupt), Prefetcher(Watched(), batches(1000)) as prefetcher:
        worker = prefetcher._worker
        raise KeyboardInterrupt
    assert not worker.is_alive()


def test_prefetching_nothing_ahead_is_refused() -> None:
    with pytest.raises(ValueError, match="ahead = 0"):
        Prefetcher(Watched(), batches(1), ahead=0)
