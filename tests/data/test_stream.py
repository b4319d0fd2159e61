"""Rows are a function of their number: any order of access and any restart gives the same rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondwind.data import Packer, Stream, plan_rows, steps_for_tokens
from secondwind.errors import ExampleError, RunError
from secondwind.example import Row
from tests.data.conftest import RandomSource, make_vocabulary


def make_stream(*, seed: int = 1, source_seed: int = 1, row_length: int = 32, block: int = 50) -> Stream:
    packer = Packer(row_length, make_vocabulary(bos=True), block_examples=block)
    return Stream(RandomSource(source_seed, longest=20), packer, seed)


def same(left: Row, right: Row) -> bool:
    arrays = ("tokens", "segment_ids", "positions", "prefix_mask", "loss_mask")
    return left.sources == right.sources and all(
        np.array_equal(getattr(left, array), getattr(right, array)) for array in arrays
    )


@settings(max_examples=25)
@given(order=st.permutations(range(60)))
def test_rows_do_not_depend_on_the_order_of_access(order: list[int]) -> None:
    stream, jumping = make_stream(), make_stream()
    in_order = [next(stream) for _ in range(60)]
    assert all(same(jumping.row(number), in_order[number]) for number in order)


def test_every_example_of_a_block_is_in_exactly_one_row() -> None:
    stream = make_stream(block=50)
    seen: Counter[int] = Counter()
    number = 0
    while max(seen, default=0) < 150:  # until the fourth block begins
        seen.update(stream.examples(number).tolist())
        number += 1
    assert [seen[example] for example in range(150)] == [1] * 150


def test_row_holds_the_examples_it_names() -> None:
    stream, source = make_stream(), RandomSource(1, longest=20)
    for number in range(20):
        row = stream.row(number)
        expected = [source[index].targets.tolist() for index in stream.examples(number).tolist()]
        ends = [row.tokens[row.segment_ids == segment + 1] for segment in range(len(expected))]
        assert [end[-len(part) :].tolist() for end, part in zip(ends, expected, strict=True)] == expected


def test_row_tokens_are_known_before_a_row_is_built() -> None:
    stream = make_stream()
    assert stream.row_tokens(5, 70).tolist() == [stream.row(number).num_tokens for number in range(5, 70)]


@pytest.mark.parametrize("num_rows", [0, 1, 7, 30])
def test_examples_of_the_first_rows_are_those_of_each(num_rows: int) -> None:
    stream = make_stream(block=50)
    expected = [index for number in range(num_rows) for index in stream.examples(number).tolist()]
    assert stream.examples_of_first(num_rows).tolist() == sorted(expected)


def test_rows_are_those_of_the_first_release() -> None:
    # Of the planner before it was compiled and its plans were flat. A change here is a new _LAYOUT_VERSION.
    stream, digest = make_stream(), sha256()
    for number in range(200):
        digest.update(stream.examples(number).astype("<i8").tobytes() + b"|")
    assert digest.hexdigest()[:16] == "c3f3eca9fcdf1f6b"


def test_a_row_far_ahead_is_found_by_the_index_file_without_planning_what_lies_before(tmp_path: Path) -> None:
    asked: list[int] = []

    class Watched(RandomSource):
        def lengths(self, start: int, stop: int) -> np.ndarray:
            asked.append(start)
            return super().lengths(start, stop)

    def opened() -> Stream:
        packer = Packer(32, make_vocabulary(bos=True), block_examples=50)
        return Stream(Watched(1, longest=20), packer, 1, index_file=tmp_path / "rows.index")

    first = opened()
    tokens, row = first.row_tokens(0, 500), first.row(499)
    asked.clear()
    again = opened()
    assert np.array_equal(again.row_tokens(0, 500), tokens)
    assert asked == []
    assert same(again.row(499), row)
    assert asked == [max(again.examples(499).tolist()) // 50 * 50]
    assert again.row_tokens(500, 900).tolist() == make_stream().row_tokens(500, 900).tolist()


def test_a_source_takes_over_its_own_index_from_the_file(tmp_path: Path) -> None:
    class Indexed(RandomSource):
        adopted: list[int] = []

        def index(self) -> np.ndarray:
            return np.array([3, 1, 4])

        def adopt(self, index: np.ndarray) -> None:
            self.adopted.extend(index.tolist())

    packer = Packer(32, make_vocabulary(bos=True), block_examples=50)
    for _ in range(2):
        Stream(Indexed(1, longest=20), packer, 1, index_file=tmp_path / "rows.index").row_tokens(0, 100)
    assert Indexed.adopted == [3, 1, 4]


def test_an_index_that_cannot_be_written_is_told_of_and_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    lines: list[str] = []
    packer, place = Packer(32, make_vocabulary(bos=True), block_examples=50), tmp_path / "file" / "rows.index"
    stream = Stream(RandomSource(1, longest=20), packer, 1, index_file=place, log=lines.append)
    assert stream.row_tokens(0, 100).tolist() == make_stream().row_tokens(0, 100).tolist()
    assert "not kept" in lines[-1]
    lines.clear()
    stream.row_tokens(0, 500)
    assert lines == [], "once is enough"


def test_a_stream_of_other_rows_does_not_trust_the_index_file(tmp_path: Path) -> None:
    packer, file = Packer(32, make_vocabulary(bos=True), block_examples=50), tmp_path / "rows.index"
    Stream(RandomSource(1, longest=20), packer, 1, index_file=file).row_tokens(0, 100)
    other = Stream(RandomSource(2, longest=20), packer, 1, index_file=file)
    assert np.array_equal(other.row_tokens(0, 100), make_stream(source_seed=2).row_tokens(0, 100))


@settings(max_examples=10)
@given(pause=st.integers(0, 60))
def test_restored_stream_goes_on_at_the_next_row(pause: int) -> None:
    whole = make_stream()
    for _ in range(pause):
        next(whole)
    resumed = make_stream()
    resumed.restore(whole.state())
    assert all(same(next(resumed), next(whole)) for _ in range(5))


def test_state_is_a_row_number_and_what_determines_the_rows() -> None:
    stream = make_stream()
    next(stream)
    assert stream.state() == {"row": 1, "rows": stream.identity()}


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (make_stream(seed=2), "seed was 2, is 1"),
        (make_stream(source_seed=2), r"source.random was \[2, .*\], is \[1, .*\]"),
        (make_stream(row_length=33), "row_length was 33, is 32"),
        (make_stream(block=51), "block_examples was 51, is 50"),
    ],
)
def test_state_of_another_stream_is_refused_with_what_differs(other: Stream, named: str) -> None:
    with pytest.raises(RunError, match=named):
        make_stream().restore(other.state())


def test_rows_of_a_block_are_shuffled_by_the_seed() -> None:
    planned = [tuple(row.tolist()) for row in plan_rows(RandomSource(1, longest=20).lengths(0, 50), 32)]
    orders = [planned]
    for seed in (1, 2):
        stream = make_stream(seed=seed)
        orders.append([tuple(stream.examples(number).tolist()) for number in range(len(planned))])
    assert sorted(orders[1]) == sorted(orders[2]) == sorted(planned)
    assert len({tuple(order) for order in orders}) == 3


def test_stream_asks_for_no_example_outside_the_row_it_builds() -> None:
    asked: list[int] = []

    class Watched(RandomSource):
        def __getitem__(self, index: int) -> object:  # type: ignore[override]
            asked.append(index)
            return super().__getitem__(index)

    stream = Stream(Watched(1, longest=20), Packer(32, make_vocabulary(bos=True), block_examples=50), 1)
    stream.row(200)
    assert asked == stream.examples(200).tolist()


def test_source_that_announces_a_wrong_length_is_named() -> None:
    class Liar(RandomSource):
        def lengths(self, start: int, stop: int) -> np.ndarray:
            return super().lengths(start, stop) + 1

    stream = Stream(Liar(1, longest=20, name="liar"), Packer(32, make_vocabulary(bos=True)), 1)
    with pytest.raises(ExampleError, match="source 'liar'.*announced"):
        stream.row(0)


def test_example_longer_than_a_row_is_named_with_its_block() -> None:
    stream = Stream(RandomSource(1, longest=20), Packer(10, make_vocabulary(bos=True), block_examples=8), 1)
    with pytest.raises(ExampleError, match=r"block of examples 0 \.\. 7: example \d of 8"):
        stream.row(0)


@pytest.mark.parametrize(("row_length", "block"), [(1, 8), (8, 0)])
def test_packer_refuses_sizes_that_hold_nothing(row_length: int, block: int) -> None:
    with pytest.raises(ExampleError, match="packer got"):
        Packer(row_length, make_vocabulary(bos=True), block_examples=block)


@dataclass
class FixedRows:
    counts: list[int]

    def row(self, number: int) -> Row:
        raise NotImplementedError

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        raise NotImplementedError

    def row_tokens(self, start: int, stop: int) -> np.ndarray:
        assert stop <= len(self.counts), "a row behind the budget was counted"
        return np.array(self.counts[start:stop])

    def identity(self) -> dict[str, Any]:
        return {"fixed": True}


@pytest.mark.parametrize(("budget", "steps"), [(0, 0), (1, 1), (17, 1), (18, 2), (29, 2), (30, 3)])
def test_steps_for_tokens_counts_whole_steps_until_the_budget_is_seen(budget: int, steps: int) -> None:
    assert steps_for_tokens(FixedRows([10, 7, 2, 10, 5, 5]), budget, batch_rows=2) == steps


@given(
    counts=st.lists(st.integers(1, 40), min_size=300, max_size=300),
    batch_rows=st.integers(1, 5),
    budget=st.integers(0, 250),
)
def test_steps_for_tokens_agrees_with_counting_step_by_step(
    counts: list[int], batch_rows: int, budget: int
) -> None:
    counted = steps = 0
    while counted < budget:
        counted += sum(counts[steps * batch_rows : (steps + 1) * batch_rows])
        steps += 1
    assert steps_for_tokens(FixedRows(counts * 6), budget, batch_rows) == steps
