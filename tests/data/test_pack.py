"""Rows are laid out as the design draws them, and planning loses nothing."""

import sys
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondwind.data import RowPlan, build_row, pack, packed_length, plan_rows
from secondwind.data.pack import place
from secondwind.errors import ExampleError
from secondwind.example import Example, Row
from secondwind.randomness import keys, uniforms
from tests.data.conftest import example, ids, make_vocabulary, marks, names, segments

# The worked rows of the design, for the document a b c d e f g h i.
R = example("[R] a <0> c d e <1> h i", "<0> b <1> f g EOS", "R")
S = example("[S] a b c d", "e f g h i EOS", "S")
C = example("", "a b c d e f g h i EOS", "C")


def build(*examples: Example, row_length: int, bos: bool = True) -> Row:
    return build_row(examples, row_length=row_length, vocabulary=make_vocabulary(bos=bos))


def test_span_denoised_row_lies_as_drawn() -> None:
    row = build(R, row_length=18)
    assert names(row.tokens) == "BOS [R] a <0> c d e <1> h i <0> b <1> f g EOS . ."
    assert marks(row.prefix_mask) == "# # # # # # # # # # . . . . . . . ."
    assert marks(row.loss_mask) == ". . . . . . . . . # # # # # # . . ."
    assert row.positions.tolist() == [*range(16), 0, 0]
    assert row.segment_ids.tolist() == [1] * 16 + [0, 0]
    assert row.sources == ("R",)


def test_prefix_denoised_row_lies_as_drawn() -> None:
    row = build(S, row_length=12)
    assert names(row.tokens) == "BOS [S] a b c d e f g h i EOS"
    assert marks(row.prefix_mask) == "# # # # # # . . . . . ."
    assert marks(row.loss_mask) == ". . . . . # # # # # # ."


def test_causal_row_learns_its_first_token_from_bos() -> None:
    row = build(C, row_length=11)
    assert names(row.tokens) == "BOS a b c d e f g h i EOS"
    assert marks(row.prefix_mask) == "# . . . . . . . . . ."
    assert marks(row.loss_mask) == "# # # # # # # # # # ."


def test_causal_row_without_bos_never_learns_its_first_token() -> None:
    row = build(C, row_length=11, bos=False)
    assert names(row.tokens) == "a b c d e f g h i EOS ."
    assert marks(row.prefix_mask) == ". . . . . . . . . . ."
    assert marks(row.loss_mask) == "# # # # # # # # # . ."


def test_packed_examples_are_segments_whose_positions_restart() -> None:
    row = build(example("a b", "c EOS", "qa"), example("", "d e EOS", "C"), row_length=12)
    assert names(row.tokens) == "BOS a b c EOS BOS d e EOS . . ."
    assert row.segment_ids.tolist() == [1, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0]
    assert row.positions.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 0, 0]
    assert marks(row.prefix_mask) == "# # # . . # . . . . . ."
    assert marks(row.loss_mask) == ". . # # . # # # . . . ."
    assert row.sources == ("qa", "C")
    assert {array.dtype for array in (row.tokens, row.segment_ids, row.positions)} == {np.dtype(np.int32)}
    assert {array.dtype for array in (row.prefix_mask, row.loss_mask)} == {np.dtype(np.bool_)}


def test_row_is_refused_when_examples_do_not_fit() -> None:
    with pytest.raises(ExampleError, match="16 tokens.*at most 15"):
        build(R, row_length=15)


def test_row_is_refused_when_empty() -> None:
    with pytest.raises(ExampleError, match="0 examples"):
        build(row_length=8)


@st.composite
def some_examples(draw: st.DrawFn) -> list[Example]:
    shapes = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=30))
    letter = st.integers(10, 35)
    made: list[Example] = []
    for number, (num_inputs, num_targets) in enumerate(shapes):
        tokens = draw(st.lists(letter, min_size=num_inputs + num_targets, max_size=num_inputs + num_targets))
        array = np.array(tokens, dtype=np.int32)
        made.append(Example(array[:num_inputs], array[num_inputs:], f"task {number}"))
    return made


def rows_by_the_rule(examples: list[Example], row_length: int, bos: bool) -> list[list[int]]:
    """The oracle: the same row, token by token, as nested loops."""
    columns: list[list[int]] = []
    for segment, made in enumerate(examples, start=1):
        prefix = ([2] if bos else []) + made.inputs.tolist()
        tokens = prefix + made.targets.tolist()
        for position, token in enumerate(tokens):
            has_next = position + 1 < len(tokens)
            is_target = has_next and position + 1 >= len(prefix)
            columns.append([token, segment, position, int(position < len(prefix)), int(is_target)])
    columns += [[0, 0, 0, 0, 0]] * (row_length - len(columns))
    return [list(column) for column in zip(*columns, strict=True)]


@given(examples=some_examples(), spare=st.integers(0, 5), bos=st.booleans())
def test_row_agrees_with_the_rule_told_token_by_token(examples: list[Example], spare: int, bos: bool) -> None:
    vocabulary = make_vocabulary(bos=bos)
    total = sum(packed_length(len(made.inputs), len(made.targets), vocabulary) for made in examples)
    row = build_row(examples, row_length=total + spare, vocabulary=vocabulary)
    arrays = (row.tokens, row.segment_ids, row.positions, row.prefix_mask, row.loss_mask)
    assert [array.astype(int).tolist() for array in arrays] == rows_by_the_rule(examples, total + spare, bos)


@given(examples=some_examples(), spare=st.integers(0, 5), bos=st.booleans())
def test_pack_keeps_every_token_exactly_once_and_learns_every_target(
    examples: list[Example], spare: int, bos: bool
) -> None:
    vocabulary = make_vocabulary(bos=bos)
    total = sum(packed_length(len(made.inputs), len(made.targets), vocabulary) for made in examples)
    row = build_row(examples, row_length=total + spare, vocabulary=vocabulary)
    found = segments(row)
    assert len(found) == len(examples)
    for number, (tokens, made) in enumerate(zip(found, examples, strict=True), start=1):
        assert tokens[int(bos) :].tolist() == [*made.inputs.tolist(), *made.targets.tolist()]
        carries_loss = row.loss_mask[row.segment_ids == number]
        learned = tokens[1:][carries_loss[:-1]]
        unlearnable = 0 if bos or len(made.inputs) else 1
        assert learned.tolist() == made.targets.tolist()[unlearnable:]
        assert not carries_loss[-1], "the last target predicts nothing"
        prefix = int(bos) + len(made.inputs)
        assert not prefix or len(tokens) == prefix or carries_loss[prefix - 1], "the last prefix token does"
    assert not row.loss_mask[row.segment_ids == 0].any()
    assert not row.prefix_mask[row.segment_ids == 0].any()


def test_plan_fills_rows_best_first() -> None:
    rows = plan_rows(np.array([5, 3, 7, 2, 1]), 8)
    assert [rows[row].tolist() for row in range(len(rows))] == [[2, 4], [0, 1], [3]]


@given(lengths=st.lists(st.integers(1, 40), max_size=200))
def test_plan_places_every_example_exactly_once_and_overfills_no_row(lengths: list[int]) -> None:
    array = np.array(lengths, dtype=np.int64)
    rows = plan_rows(array, 40)
    assert sorted(rows.examples.tolist()) == list(range(len(lengths)))
    assert all(0 < array[rows[row]].sum() <= 40 for row in range(len(rows)))


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=120))
def test_plan_is_best_fit_decreasing(lengths: list[int]) -> None:
    rooms: list[int] = []
    for length in sorted(lengths, reverse=True):  # the oracle: look at every open row
        fitting = [room for room in rooms if room >= length]
        if fitting:
            rooms.remove(min(fitting))
        rooms.append((min(fitting) if fitting else 40) - length)
    array = np.array(lengths, dtype=np.int64)
    assert sorted((40 - plan_rows(array, 40).row_tokens(array)).tolist()) == sorted(rooms)


def drawn_lengths(name: str, count: int, row_length: int) -> npt.NDArray[np.int64]:
    draws = uniforms(keys(11, f"golden {name}", np.arange(count)))
    by_name = {
        "uniform": 1 + np.floor(draws * row_length),
        "short": 1 + np.floor(draws * row_length / 16),
        "half full": np.where(draws < 0.7, row_length // 2, 1 + np.floor(draws * row_length / 2)),
        "long tail": np.clip(np.floor(3 / (1.0001 - draws)), 1, row_length),
        "equal": np.full(count, row_length // 3),
    }
    return by_name[name].astype(np.int64)


# Digests of the rows as the first release planned them (a list of arrays, in pure Python).
FIRST_RELEASE = {
    ("uniform", 4096, 2048): "0f5a44660e3f9ad6",
    ("uniform", 4096, 128): "a1c60bf7bb00f056",
    ("uniform", 700, 63): "b5937c1665e5d772",
    ("uniform", 700, 64): "dc045dd22aa127bf",
    ("short", 4096, 2048): "3494092f2b05aafe",
    ("short", 4096, 128): "189a4c3dea7741c7",
    ("short", 700, 63): "fad0088e20ed136f",
    ("short", 700, 64): "9d950cadf6bef514",
    ("half full", 4096, 2048): "cf30fff9547d56b3",
    ("half full", 4096, 128): "2515b2a2c43437cc",
    ("half full", 700, 63): "8312d85ed856f145",
    ("half full", 700, 64): "361068ebd877132e",
    ("long tail", 4096, 2048): "91e8c292b93469fa",
    ("long tail", 4096, 128): "bb44622bb087adc1",
    ("long tail", 700, 63): "b9df29159176ff15",
    ("long tail", 700, 64): "58fe917fb8444e28",
    ("equal", 4096, 2048): "4c5efc21740a8872",
    ("equal", 4096, 128): "4c5efc21740a8872",
    ("equal", 700, 63): "9e45e4002ddf0d09",
    ("equal", 700, 64): "9e45e4002ddf0d09",
}


def digest(rows: RowPlan) -> str:
    return sha256(b"".join(rows[row].astype("<i8").tobytes() + b"|" for row in range(len(rows)))).hexdigest()


@pytest.mark.parametrize(("name", "count", "row_length"), FIRST_RELEASE)
def test_plan_is_that_of_the_first_release(name: str, count: int, row_length: int) -> None:
    lengths = drawn_lengths(name, count, row_length)
    assert digest(plan_rows(lengths, row_length))[:16] == FIRST_RELEASE[name, count, row_length]


@given(lengths=st.lists(st.integers(1, 130), max_size=300), row_length=st.integers(130, 200))
def test_compiled_placing_agrees_with_its_readable_twin(lengths: list[int], row_length: int) -> None:
    kernel = pytest.importorskip("secondwind.data.kernel")
    array = np.array(lengths, dtype=np.int64)
    order = np.argsort(-array, kind="stable")
    assert kernel.place(array, order, row_length).tolist() == place(array, order, row_length).tolist()


def test_without_numba_the_readable_twin_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "secondwind.data.kernel", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    pack.compiled_kernel.cache_clear()
    try:
        rows = plan_rows(drawn_lengths("uniform", 700, 64), 64)
    finally:
        pack.compiled_kernel.cache_clear()
    assert digest(rows)[:16] == FIRST_RELEASE["uniform", 700, 64]


def test_rows_are_reordered_whole_and_their_tokens_counted() -> None:
    lengths = np.array([5, 3, 7, 2, 1])
    rows = plan_rows(lengths, 8).reordered(np.array([2, 0, 1]))
    assert [rows[row].tolist() for row in range(len(rows))] == [[3], [2, 4], [0, 1]]
    assert rows.row_tokens(lengths).tolist() == [2, 8, 8]


def test_plan_of_no_examples_has_no_rows() -> None:
    rows = plan_rows(np.zeros(0, dtype=np.int64), 8)
    assert len(rows) == 0
    assert rows.row_tokens(np.zeros(0, dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("wrong", [0, 9])
def test_plan_names_an_example_that_no_row_can_hold(wrong: int) -> None:
    with pytest.raises(ExampleError, match=f"example 2 of 4 has {wrong} tokens; wanted 1 to 8"):
        plan_rows(np.array([3, 8, wrong, 1]), 8)


def test_packed_length_counts_bos_where_there_is_one() -> None:
    assert packed_length(3, 4, make_vocabulary(bos=True)) == 8
    assert packed_length(3, 4, make_vocabulary(bos=False)) == 7
    counts = packed_length(np.array([0, 3]), np.array([2, 4]), make_vocabulary(bos=True))
    assert counts.tolist() == [3, 8]


def test_build_row_takes_ids_of_any_integer_width() -> None:
    wide = Example(ids("a").astype(np.int64), ids("b EOS").astype(np.int64), "wide")
    assert build(wide, row_length=4).tokens.dtype == np.int32
