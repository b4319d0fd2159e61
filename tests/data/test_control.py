"""The control reads the same documents in the same order, token for token as many as the other arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondwind.data import ControlStream, Packer, Stream, TokenShards, document_order
from secondwind.data import control as control_module
from secondwind.errors import DataError, ExampleError
from secondwind.example import Row
from secondwind.runs import fingerprint
from tests.data.conftest import RandomSource, ids, make_vocabulary, marks, names, segments

anywhere = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Counts:
    """Rows of which only the token counts matter, repeated for ever."""

    counts: list[int]

    def row(self, number: int) -> Row:
        raise AssertionError("the control must not build the rows that it mirrors")

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        raise AssertionError("the control must not build the rows that it mirrors")

    def row_tokens(self, start: int, stop: int) -> np.ndarray:
        return np.array(self.counts)[np.arange(start, stop) % len(self.counts)]

    def identity(self) -> dict[str, Any]:
        return {"counts": self.counts}


def make_shards(lengths: list[int]) -> TokenShards:
    """Documents of the given lengths; token t of document d is 1000 d + 100 + t."""
    tokens = [1000 * document + 100 + np.arange(length) for document, length in enumerate(lengths)]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return TokenShards(
        np.concatenate(tokens).astype(np.int32), offsets, folder=Path("nowhere"), fingerprint=str(lengths)
    )


def make_control(
    lengths: list[int], counts: list[int], *, bos: bool, row_length: int = 40, seed: int = 3
) -> ControlStream:
    vocabulary = make_vocabulary(bos=bos)
    return ControlStream(make_shards(lengths), Counts(counts), vocabulary, row_length, seed)


def spelled(documents: list[str], counts: list[int], *, bos: bool = True) -> list[Row]:
    """Build rows over documents of letters, read in the order in which they are written."""
    order = document_order(len(documents), seed=3, epoch=0).tolist()
    placed = [documents[order.index(number)] for number in range(len(documents))]
    tokens = [ids(text) for text in placed]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in tokens])]).astype(np.int64)
    shards = TokenShards(np.concatenate(tokens), offsets, folder=Path("nowhere"), fingerprint="letters")
    control = ControlStream(shards, Counts(counts), make_vocabulary(bos=bos), 8, 3)
    return [control.row(number) for number in range(len(counts))]


def test_documents_are_cut_where_rows_end() -> None:
    first, second = spelled(["a b c", "d e f g h"], [7, 6])
    assert names(first.tokens) == "BOS a b c EOS BOS d ."
    assert marks(first.loss_mask) == "# # # # . # . ."
    assert marks(first.prefix_mask) == "# . . . . # . ."
    assert names(second.tokens) == "BOS e f g h EOS . ."
    assert first.sources == ("clm", "clm")


def test_without_bos_a_row_starts_with_a_token_that_is_no_target() -> None:
    first, second = spelled(["a b c", "d e f g h"], [7, 3], bos=False)
    assert names(first.tokens) == "a b c EOS d e f ."
    assert marks(first.loss_mask) == "# # # . # # . ."
    assert names(second.tokens) == "g h EOS . . . . ."


def test_eos_that_does_not_fit_is_not_carried_over() -> None:
    first, second = spelled(["a b c d", "e f g h i"], [5, 6])
    assert names(first.tokens) == "BOS a b c d . . ."
    assert names(second.tokens) == "BOS e f g h i . ."


def test_eos_that_would_leave_a_single_place_makes_room_for_the_next_document() -> None:
    first, second = spelled(["a b c", "e f g h i"], [6, 6])
    assert names(first.tokens) == "BOS a b c BOS e . ."
    assert names(second.tokens) == "BOS f g h i EOS . ."


lengths_strategy = st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any)
counts_strategy = st.lists(st.integers(2, 40), min_size=1, max_size=20)


@anywhere
@given(lengths=lengths_strategy, counts=counts_strategy, bos=st.booleans())
def test_rows_carry_exactly_as_many_tokens_as_the_rows_they_mirror(
    lengths: list[int], counts: list[int], bos: bool
) -> None:
    control = make_control(lengths, counts, bos=bos)
    assert [control.row(number).num_tokens for number in range(len(counts))] == counts
    assert control.row_tokens(0, len(counts)).tolist() == counts


@anywhere
@given(lengths=lengths_strategy, counts=counts_strategy, bos=st.booleans())
def test_each_token_of_a_document_appears_once_an_epoch_in_the_shared_order(
    lengths: list[int], counts: list[int], bos: bool
) -> None:
    control = make_control(lengths, counts, bos=bos)
    read = np.concatenate([control.row(number).tokens for number in range(20)])
    read = read[read >= 100]  # document tokens, without BOS, EOS and padding
    shards = make_shards(lengths)
    expected: list[int] = []
    for epoch in range(len(read) // sum(lengths) + 1):
        for document in document_order(len(lengths), seed=3, epoch=epoch).tolist():
            expected += shards.document(document).tolist()
    assert len(read) > 0
    assert read.tolist() == expected[: len(read)]
    assert control.tokens_read(20) == len(read)


@anywhere
@given(lengths=lengths_strategy, counts=counts_strategy, bos=st.booleans())
def test_segments_have_something_to_learn_and_end_with_eos_at_most_once(
    lengths: list[int], counts: list[int], bos: bool
) -> None:
    control = make_control(lengths, counts, bos=bos)
    ends = {1000 * document + 100 + length - 1 for document, length in enumerate(lengths)}
    for number in range(20):
        for tokens in segments(control.row(number)):
            body = tokens[int(bos) :].tolist()
            if body[-1] == 1:
                assert body[-2] in ends, "EOS stands only where a document ends"
            is_lone_end = not bos and len(body) == 1 and body[0] in ends
            assert len(tokens) >= 2 or is_lone_end
            assert (tokens[0] == 2) == bos
            assert body.count(1) <= 1 and 2 not in body


def test_most_documents_end_with_eos() -> None:
    control = make_control([12] * 50, [40], bos=True)
    rows = [control.row(number) for number in range(16)]
    num_eos = sum(int(np.count_nonzero(row.tokens == 1)) for row in rows)
    assert num_eos >= 0.9 * (control.tokens_read(16) // 12)


@settings(max_examples=10)
@given(order=st.permutations(range(0, 200, 7)), bos=st.booleans())
def test_rows_do_not_depend_on_the_order_of_access(order: list[int], bos: bool) -> None:
    in_order = make_control([30, 7, 1, 22, 16], [9, 40, 13], bos=bos)
    rows = [in_order.row(number).tokens.tolist() for number in range(200)]
    jumping = make_control([30, 7, 1, 22, 16], [9, 40, 13], bos=bos)
    assert [jumping.row(number).tokens.tolist() for number in order] == [rows[number] for number in order]


@settings(max_examples=30)
@given(lengths=lengths_strategy, counts=counts_strategy, bos=st.booleans(), number=st.integers(0, 300))
def test_compiled_walk_finds_the_places_of_the_walk_row_by_row(
    lengths: list[int], counts: list[int], bos: bool, number: int
) -> None:
    jumping, walking = (make_control(lengths, counts, bos=bos) for _ in range(2))
    walking._walk = lambda stop: None  # type: ignore[method-assign]
    assert jumping.tokens_read(number) == walking.tokens_read(number)
    assert jumping.row(number).tokens.tolist() == walking.row(number).tokens.tolist()


def test_compiled_walk_goes_on_over_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "_WALKED_ROWS", 128)
    jumping, walking = (make_control([30, 7, 1, 22], [9, 40, 13], bos=True) for _ in range(2))
    walking._walk = lambda stop: None  # type: ignore[method-assign]
    planned: list[int] = []
    plan = jumping._plan
    jumping._plan = lambda place: planned.append(place.row) or plan(place)  # type: ignore[method-assign]
    assert jumping.tokens_read(1000) == walking.tokens_read(1000)
    assert planned == list(range(960, 1000))
    assert jumping._anchors == walking._anchors


def test_next_row_is_planned_without_walking_from_the_start() -> None:
    control = make_control([30, 7, 22], [25], bos=True)
    control.row(999)
    planned: list[int] = []
    plan = control._plan
    control._plan = lambda place: planned.append(place.row) or plan(place)  # type: ignore[method-assign]
    control.row(1000)
    control.row(1001)
    assert planned == [1000, 1001]
    control.row(500)
    assert len(planned) - 2 <= 64


def test_control_mirrors_a_real_stream() -> None:
    stream = Stream(RandomSource(1, longest=20), Packer(32, make_vocabulary(bos=True), block_examples=50), 1)
    control = ControlStream(make_shards([200, 50, 9]), stream, make_vocabulary(bos=True), 32, 1)
    assert [control.row(number).num_tokens for number in range(60)] == [
        stream.row(number).num_tokens for number in range(60)
    ]


def test_fingerprint_changes_with_seed_corpus_and_mirrored_rows() -> None:
    prints = {
        fingerprint(make_control([5, 6], [9], bos=True).identity()),
        fingerprint(make_control([5, 6], [9], bos=True, seed=4).identity()),
        fingerprint(make_control([5, 7], [9], bos=True).identity()),
        fingerprint(make_control([5, 6], [8], bos=True).identity()),
        fingerprint(make_control([5, 6], [9], bos=False).identity()),
    }
    assert len(prints) == 5


def test_corpus_without_tokens_is_refused() -> None:
    with pytest.raises(DataError, match="2 documents and no tokens"):
        make_control([0, 0], [9], bos=True)


@pytest.mark.parametrize("count", [0, 1, 41])
def test_mirrored_row_that_cannot_be_matched_is_named(count: int) -> None:
    control = make_control([5], [9, count], bos=True)
    with pytest.raises(ExampleError, match=f"row 1 of the mirrored stream has {count} tokens"):
        control.row(1)


@given(num_documents=st.integers(0, 300), seed=st.integers(0, 2**63), epoch=st.integers(0, 50))
def test_document_order_names_each_document_once(num_documents: int, seed: int, epoch: int) -> None:
    order = document_order(num_documents, seed=seed, epoch=epoch)
    assert sorted(order.tolist()) == list(range(num_documents))


def test_a_part_of_a_document_order_is_that_part_of_the_whole() -> None:
    whole = document_order(50, seed=1, epoch=2)
    assert document_order(50, seed=1, epoch=2, places=range(20, 33)).tolist() == whole[20:33].tolist()


def test_document_order_differs_between_epochs_and_seeds() -> None:
    orders = {
        tuple(document_order(50, seed=seed, epoch=epoch).tolist()) for seed in range(3) for epoch in range(3)
    }
    assert len(orders) == 9
