"""Rows are a function of their number: any order of access and any restart gives the same rows."""

from collections import Counter
from dataclasses import dataclass

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


def test_num_tokens_is_known_before_a_row_is_built() -> None:
    stream = make_stream()
    assert [stream.num_tokens(number) for number in range(70)] == [
        stream.row(number).num_tokens for number in range(70)
    ]


@settings(max_examples=10)
@given(pause=st.integers(0, 60))
def test_restored_stream_goes_on_at_the_next_row(pause: int) -> None:
    whole = make_stream()
    for _ in range(pause):
        next(whole)
    resumed = make_stream()
    resumed.restore(whole.state())
    assert all(same(next(resumed), next(whole)) for _ in range(5))


def test_state_is_a_row_number_and_a_fingerprint() -> None:
    stream = make_stream()
    next(stream)
    assert stream.state() == {"row": 1, "fingerprint": stream.fingerprint()}


@pytest.mark.parametrize(
    "other",
    [make_stream(seed=2), make_stream(source_seed=2), make_stream(row_length=33), make_stream(block=51)],
    ids=["seed", "source", "row length", "block"],
)
def test_state_of_another_stream_is_refused(other: Stream) -> None:
    with pytest.raises(RunError, match="has changed"):
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

    def num_tokens(self, number: int) -> int:
        return self.counts[number]

    def fingerprint(self) -> str:
        return "fixed"


@pytest.mark.parametrize(("budget", "steps"), [(0, 0), (1, 1), (17, 1), (18, 2), (29, 2), (30, 3)])
def test_steps_for_tokens_counts_whole_steps_until_the_budget_is_seen(budget: int, steps: int) -> None:
    assert steps_for_tokens(FixedRows([10, 7, 2, 10, 5, 5]), budget, batch_rows=2) == steps
