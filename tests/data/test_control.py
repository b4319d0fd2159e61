"""The control reads the same documents in the same order, token for token as many as the other arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
from tests.data.batches import batch_facts, make_arms
from tests.data.conftest import RandomSource, ids, make_vocabulary, marks, names, segments

anywhere = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


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
    lengths: list[int],
    counts: list[int],
    *,
    bos: bool,
    row_length: int = 40,
    room: int = 40,
    block_examples: int = 32,
    seed: int = 3,
) -> ControlStream:
    packer = Packer(row_length, make_vocabulary(bos=bos), block_examples)
    return ControlStream(make_shards(lengths), Counts(counts), packer, room=room, seed=seed)


def spelled(documents: list[str], counts: list[int], *, bos: bool = True, room: int = 8) -> list[Row]:
    """Build rows over documents of letters, read in the order in which they are written, in one group."""
    order = document_order(len(documents), seed=3, epoch=0).tolist()
    placed = [documents[order.index(number)] for number in range(len(documents))]
    tokens = [ids(text) for text in placed]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in tokens])]).astype(np.int64)
    shards = TokenShards(np.concatenate(tokens), offsets, folder=Path("nowhere"), fingerprint="letters")
    packer = Packer(8, make_vocabulary(bos=bos), block_examples=1)
    control = ControlStream(shards, Counts(counts), packer, room=room, seed=3)
    return [control.row(number) for number in range(len(counts))]


def document_tokens(rows: Sequence[Row]) -> list[int]:
    """Return the tokens of `make_shards` in rows, without BOS, EOS and padding."""
    return np.concatenate([row.tokens[row.tokens >= 100] for row in rows]).tolist()


def flow(lengths: list[int], num_tokens: int) -> list[int]:
    """Return the first tokens of the documents, one after the other, epoch after epoch."""
    shards, tokens, epoch = make_shards(lengths), [], 0
    while len(tokens) < num_tokens:
        for document in document_order(len(lengths), seed=3, epoch=epoch).tolist():
            tokens += shards.document(document).tolist()
        epoch += 1
    return tokens[:num_tokens]


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


def test_a_segment_is_cut_where_it_is_as_long_as_its_room() -> None:
    first, second = spelled(["a b c d e f g h i", "k l m"], [8, 8], room=4)
    assert names(first.tokens) == "BOS a b c BOS d e f"
    assert marks(first.loss_mask) == "# # # . # # # ."
    assert names(second.tokens) == "BOS g h BOS i EOS BOS k", "the EOS of `g h i` comes with its last token"


def test_a_full_segment_leaves_no_single_place_in_its_row() -> None:
    (first,) = spelled(["a b c d e f g h i"], [8], room=7)
    assert names(first.tokens) == "BOS a b c d e BOS f"


lengths_strategy = st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any)
counts_strategy = st.lists(st.integers(2, 40), min_size=1, max_size=20)
room_strategy = st.integers(3, 40)


@anywhere
@given(lengths=lengths_strategy, counts=counts_strategy, bos=st.booleans(), room=room_strategy)
def test_rows_carry_exactly_as_many_tokens_as_the_rows_they_mirror(
    lengths: list[int], counts: list[int], bos: bool, room: int
) -> None:
    control = make_control(lengths, counts, bos=bos, room=room)
    assert [control.row(number).num_tokens for number in range(len(counts))] == counts
    assert control.row_tokens(0, len(counts)).tolist() == counts


@anywhere
@given(lengths=lengths_strategy, counts=counts_strategy, bos=st.booleans(), room=room_strategy)
def test_each_token_of_a_document_appears_once_an_epoch_block_by_block(
    lengths: list[int], counts: list[int], bos: bool, room: int
) -> None:
    control = make_control(lengths, counts, bos=bos, room=room)
    size, read = control._block_rows, 0
    for block in range(3):
        rows = [control.row(number) for number in range(block * size, (block + 1) * size)]
        found = document_tokens(rows)
        assert sorted(found) == sorted(flow(lengths, read + len(found))[read:])
        read += len(found)
        assert control.tokens_read((block + 1) * size) == read
    assert read > 0


@anywhere
@given(lengths=lengths_strategy, counts=counts_strategy, bos=st.booleans(), room=room_strategy)
def test_segments_are_contiguous_and_end_with_eos_only_where_a_document_does(
    lengths: list[int], counts: list[int], bos: bool, room: int
) -> None:
    control = make_control(lengths, counts, bos=bos, room=room)
    ends = {1000 * document + 100 + length - 1 for document, length in enumerate(lengths)}
    for number in range(12):
        for tokens in segments(control.row(number)):
            body = tokens[int(bos) :].tolist()
            text = body[:-1] if body[-1] == 1 else body
            assert text == list(range(text[0], text[0] + len(text)))
            assert len(text) == len(body) or text[-1] in ends
            is_lone_end = not bos and len(body) == 1 and body[0] in ends
            assert 2 <= len(tokens) <= room or is_lone_end
            assert (tokens[0] == 2) == bos


@anywhere
@given(lengths=lengths_strategy, counts=counts_strategy, bos=st.booleans(), room=room_strategy)
def test_only_a_full_segment_a_full_row_or_the_end_of_a_document_cuts(
    lengths: list[int], counts: list[int], bos: bool, room: int
) -> None:
    control = make_control(lengths, counts, bos=bos, room=room)
    ends = {1000 * document + 100 + length - 1 for document, length in enumerate(lengths)}
    for number in range(12):
        *others, _ = segments(control.row(number))
        for tokens in others:
            # One less than full for the last place of the row, and one for an EOS.
            assert len(tokens) >= room - 2 or tokens[-1] == 1 or int(tokens[-1]) in ends


@anywhere
@given(counts=counts_strategy, number=st.integers(0, 80), bos=st.booleans(), room=room_strategy)
def test_tokens_read_are_those_of_the_rows_before(
    counts: list[int], number: int, bos: bool, room: int
) -> None:
    control = make_control([30, 7, 1, 22, 16], counts, bos=bos, room=room)
    rows = [control.row(before) for before in range(number)]
    assert control.tokens_read(number) == sum(np.count_nonzero(row.tokens >= 100) for row in rows)


def test_most_documents_end_with_eos() -> None:
    control = make_control([12] * 50, [40], bos=True)
    rows = [control.row(number) for number in range(16)]
    num_eos = sum(int(np.count_nonzero(row.tokens == 1)) for row in rows)
    assert num_eos >= 0.9 * (control.tokens_read(16) // 12)


@settings(max_examples=10)
@given(order=st.permutations(range(0, 200, 7)), bos=st.booleans())
def test_rows_do_not_depend_on_the_order_of_access(order: list[int], bos: bool) -> None:
    in_order = make_control([30, 7, 1, 22, 16], [9, 40, 13], bos=bos, room=20)
    rows = [in_order.row(number).tokens.tolist() for number in range(200)]
    jumping = make_control([30, 7, 1, 22, 16], [9, 40, 13], bos=bos, room=20)
    assert [jumping.row(number).tokens.tolist() for number in order] == [rows[number] for number in order]


@settings(max_examples=30)
@given(
    lengths=lengths_strategy,
    counts=counts_strategy,
    bos=st.booleans(),
    room=room_strategy,
    number=st.integers(0, 100),
)
def test_compiled_walk_lays_the_rows_of_the_readable_one(
    lengths: list[int], counts: list[int], bos: bool, room: int, number: int
) -> None:
    compiled, readable = (make_control(lengths, counts, bos=bos, room=room) for _ in range(2))
    assert control_module.compiled_kernel() is not None
    read, row = compiled.tokens_read(number), compiled.row(number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control_module, "compiled_kernel", lambda: None)
        assert readable.tokens_read(number) == read
        assert readable.row(number).tokens.tolist() == row.tokens.tolist()


def test_each_block_is_laid_out_once_and_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[int] = []
    walk = ControlStream._walk

    def counted(self: ControlStream, first: Any, rooms: Any) -> Any:
        walks.append(first.tokens_read)
        return walk(self, first, rooms)

    monkeypatch.setattr(ControlStream, "_walk", counted)
    control = make_control([300, 70, 220], [25], bos=True, room=20)
    for number in range(160):  # ten blocks of 16 rows
        control.row(number)
    control.tokens_read(150)
    assert len(walks) == len(set(walks)) == 10
    control.row(0)
    assert walks[10:] == [0] and len(control._blocks) <= 4


def test_rows_that_share_a_long_document_are_parted_and_those_of_short_ones_are_not() -> None:
    def neighbours(lengths: list[int]) -> float:
        """Return how often a row goes on in the text where the row before it stopped."""
        control = make_control(lengths, [40], bos=True, room=20, block_examples=512)
        texts = [document_tokens([control.row(number)]) for number in range(control._block_rows)]
        return float(np.mean([after[0] == text[-1] + 1 for text, after in pairwise(texts)]))

    assert neighbours([20_000]) < 0.05
    assert neighbours([11] * 900) > 0.5


def test_long_documents_reach_both_arms_in_equal_pieces_and_batches() -> None:
    arms = make_arms([100_000] * 60, row_length=2048)
    ul2r, control = batch_facts(arms.ul2r), batch_facts(arms.control)
    assert ul2r.documents > 15  # in document order a batch would have one or two
    assert control.documents == pytest.approx(ul2r.documents, rel=0.1)
    assert control.segment_tokens == pytest.approx(ul2r.segment_tokens, rel=0.1)
    assert control.step_tokens == ul2r.step_tokens


@pytest.mark.parametrize(("num_documents", "row_length"), [(4000, 2048), (2000, 256)])
def test_short_documents_reach_both_arms_in_equal_batches(num_documents: int, row_length: int) -> None:
    arms = make_arms([600] * num_documents, row_length=row_length)
    ul2r, control = batch_facts(arms.ul2r), batch_facts(arms.control)
    assert control.documents == pytest.approx(ul2r.documents, rel=0.1)
    assert control.step_tokens == ul2r.step_tokens
    # Rows exact in tokens cost a cut each: no arrangement could have fewer segments than this.
    longest = min(602, row_length // 2)
    fewest = float(np.ceil(arms.ul2r.row_tokens(0, 512) / longest).mean())
    assert fewest <= control.row_segments <= 1.25 * fewest


def test_control_mirrors_a_real_stream() -> None:
    packer = Packer(32, make_vocabulary(bos=True), block_examples=50)
    stream = Stream(RandomSource(1, longest=20), packer, 1)
    control = ControlStream(make_shards([200, 50, 9]), stream, packer, room=20, seed=1)
    assert [control.row(number).num_tokens for number in range(60)] == [
        stream.row(number).num_tokens for number in range(60)
    ]


def test_fingerprint_changes_with_whatever_changes_the_rows() -> None:
    prints = {
        fingerprint(make_control([5, 6], [9], bos=True).identity()),
        fingerprint(make_control([5, 6], [9], bos=True, seed=4).identity()),
        fingerprint(make_control([5, 7], [9], bos=True).identity()),
        fingerprint(make_control([5, 6], [8], bos=True).identity()),
        fingerprint(make_control([5, 6], [9], bos=False).identity()),
        fingerprint(make_control([5, 6], [9], bos=True, room=20).identity()),
        fingerprint(make_control([5, 6], [9], bos=True, block_examples=64).identity()),
    }
    assert len(prints) == 7


def test_corpus_without_tokens_is_refused() -> None:
    with pytest.raises(DataError, match="2 documents and no tokens"):
        make_control([0, 0], [9], bos=True)


@pytest.mark.parametrize("room", [2, 41])
def test_room_that_fits_no_segment_or_no_row_is_refused(room: int) -> None:
    with pytest.raises(ExampleError, match=f"segments of at most {room} tokens; wanted 3 to 40"):
        make_control([5], [9], bos=True, room=room)


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
