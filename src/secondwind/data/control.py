"""The fair control: plain causal LM over the same documents, token for token as many as the other arm.

    like.row_tokens     7                    6                     segments of at most 7 tokens
    documents           a b c EOS    d e f g h EOS
    row 0               BOS a b c EOS | BOS d            row 1   BOS e f g h EOS

Row n holds exactly as many non-padding tokens as row n of the arm that it controls. No segment is longer
than that arm's longest example, and rows are shuffled in blocks of about as many examples, so a batch
reads about as many documents of about as much context: the two differ in the objective.

Within a block, documents are laid one after the other, in the order that UL2R reads them in (`order.py`),
into the block's rows in shuffled order, and are cut only where a segment or a row is full: every token of a
document appears once an epoch.

A segment is [BOS] + contiguous tokens (+ EOS where the document ends). An EOS that does not fit in its row
is left out, never carried alone into another; so is one that would leave a single free place, which no
segment could fill. Without BOS a lone last token can remain; it carries no loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.data.order import document_order
from secondwind.data.pack import build_row, compiled_kernel
from secondwind.data.shards import TokenShards
from secondwind.data.stream import Packer, RowSource
from secondwind.errors import DataError, ExampleError
from secondwind.example import Example, Row, Tokens
from secondwind.randomness import key, permuted
from secondwind.runs import fingerprint

_LAYOUT_VERSION = 2
_SHORTEST_ROOM = 3  # BOS and a token, and one place to spare where a single one would be left
_DOUBLINGS = 4  # of the rows that stay together, where all documents fit a segment; see decision 0014
_KEPT_BLOCKS = 4
_KEPT_DOCUMENTS = 1 << 20  # in the orders of epochs that are kept; a block reads a small corpus many times


class _Place(NamedTuple):
    """Where a row starts: document `position` of an epoch's order, `offset` tokens into it."""

    epoch: int = 0
    position: int = 0
    offset: int = 0
    tokens_read: int = 0


class _Order(NamedTuple):
    """The documents of an epoch as they are read, and their lengths in tokens."""

    documents: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Block:
    """The rows of one block, by their place in it; R rows.

    Args:
        rooms: int64[R], the tokens that each row holds.
        starts: int64[R, 4], a `_Place` each.
        tokens_read: int64[R], document tokens of each row.
    """

    rooms: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    tokens_read: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Segment:
    document: int
    start: int
    stop: int
    has_eos: bool


class ControlStream:
    """Rows of the `clm` arm: a `RowSource` that mirrors the token counts of another one."""

    def __init__(self, shards: TokenShards, like: RowSource, packer: Packer, *, room: int, seed: int) -> None:
        """Start a control.

        Args:
            like: the rows whose token counts are mirrored.
            packer: of the mirrored rows.
            room: packed tokens of the longest segment, as of the mirrored arm's longest example.
            seed: of the document order; the same as the mirrored arm's.

        Raises:
            DataError: the corpus has no tokens.
            ExampleError: the room holds no segment, or no row holds the room.
        """
        if shards.num_tokens == 0:
            raise DataError(
                f"the corpus has {shards.num_documents} documents and no tokens; wanted at least 1 token. "
                "Check the corpus sources of the recipe."
            )
        if not _SHORTEST_ROOM <= room <= packer.row_length:
            raise ExampleError(
                f"a control got segments of at most {room} tokens; wanted {_SHORTEST_ROOM} to "
                f"{packer.row_length}, its row length. Give it the room of the mirrored arm's examples."
            )
        self._shards = shards
        self._like = like
        self._packer = packer
        self._room = room
        self._seed = seed
        self._num_bos = 0 if packer.vocabulary.bos is None else 1
        # Rows behind each other share a document. Where it is short they stay together, or two batches would
        # read it; where it is long they are parted, or one batch would read little else.
        is_short = shards.lengths + self._num_bos + 1 <= room
        short_share = float(shards.lengths[is_short].sum() / shards.num_tokens)
        self._together = 1 << round(_DOUBLINGS * short_share)
        num_groups = packer.block_examples // (packer.row_length // room) // self._together
        self._block_rows = max(1, num_groups) * self._together
        self._first_places = [_Place()]  # of each block that is reached
        self._blocks: dict[int, _Block] = {}
        self._orders: dict[int, _Order] = {}

    def row(self, number: int) -> Row:
        """Build one row."""
        if number < 0:
            raise IndexError(f"a control has rows 0, 1, 2, ...; got {number}")
        number, local = divmod(number, self._block_rows)
        block = self._block(number)
        segments, _ = self._cut(_Place(*block.starts[local].tolist()), int(block.rooms[local]))
        examples = [self._example(segment) for segment in segments]
        return build_row(examples, row_length=self._packer.row_length, vocabulary=self._packer.vocabulary)

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        """Build several rows."""
        return [self.row(number) for number in numbers]

    def row_tokens(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Count the non-padding tokens of rows start .. stop - 1: those of the mirrored rows."""
        return self._like.row_tokens(start, stop)

    def tokens_read(self, num_rows: int) -> int:
        """Count the document tokens in rows 0 .. num_rows - 1, without BOS and EOS."""
        block, rest = divmod(num_rows, self._block_rows)
        read = self._first_place(block).tokens_read
        return read + int(self._block(block).tokens_read[:rest].sum()) if rest else read

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the rows, as JSON: hashes of what is large."""
        return {
            "layout": _LAYOUT_VERSION,
            "corpus": self._shards.fingerprint(),
            "like": self._like.identity(),
            "row_length": self._packer.row_length,
            "room": self._room,
            "block_rows": self._block_rows,
            "vocabulary": fingerprint(self._packer.vocabulary.to_json()),
            "seed": self._seed,
        }

    def _example(self, segment: _Segment) -> Example:
        tokens: Tokens = self._shards.document(segment.document)[segment.start : segment.stop]
        if segment.has_eos:
            tokens = np.append(tokens, np.int32(self._packer.vocabulary.eos))
        return Example(inputs=np.empty(0, dtype=np.int32), targets=tokens, source="clm")

    def _first_place(self, block: int) -> _Place:
        """Return where a block starts in the flow of documents; the blocks before it are laid out, once."""
        while len(self._first_places) <= block:
            self._block(len(self._first_places) - 1)
        return self._first_places[block]

    def _block(self, number: int) -> _Block:
        """Lay out one block, or take it from the few that are kept."""
        if number not in self._blocks:
            first = self._first_place(number)
            while len(self._blocks) >= _KEPT_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            start = number * self._block_rows
            rooms = self._rooms(start, start + self._block_rows)
            places = self._places(number)
            in_flow = np.empty_like(rooms)
            in_flow[places] = rooms
            starts, behind = self._walk(first, in_flow)
            if number + 1 == len(self._first_places):
                self._first_places.append(behind)
            tokens_read = np.diff(starts[:, 3], append=behind.tokens_read)
            self._blocks[number] = _Block(rooms, starts[places], tokens_read[places])
        return self._blocks[number]

    def _places(self, block: int) -> npt.NDArray[np.int64]:
        """Return the place in the flow that each row of a block takes: int64[R]."""
        groups = self._block_rows // self._together
        shuffled = permuted(np.arange(groups), groups, key(self._seed, "control rows", block))
        return (shuffled[:, None] * self._together + np.arange(self._together)).ravel()

    def _walk(self, first: _Place, rooms: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], _Place]:
        """Return where each row starts that has these rooms, and where the row behind them does."""
        starts = np.zeros((len(rooms), 4), dtype=np.int64)
        kernel = compiled_kernel()
        if kernel is None:
            for row, room in enumerate(rooms.tolist()):
                starts[row] = first
                _, first = self._cut(first, room)
            return starts, first
        epoch, state = first.epoch, (0, 0, first.position, first.offset, first.tokens_read)
        while state[0] < len(rooms):
            lengths = self._order(epoch).lengths
            state = kernel.walk(rooms, lengths, self._room, self._num_bos, epoch, state, starts)
            row, room, position, _, tokens_read = state
            if row < len(rooms) and position == len(lengths):
                epoch, state = epoch + 1, (row, room, 0, 0, tokens_read)
        return starts, _Place(epoch, *state[2:])

    def _cut(self, place: _Place, room: int) -> tuple[list[_Segment], _Place]:
        """Return the segments of the row that starts at `place`, and where the next one starts.

        Readable twin of `kernel.walk`.
        """
        epoch, position, offset, tokens_read = place
        segments: list[_Segment] = []
        while room > 0:
            order = self._order(epoch)
            if position == len(order.documents):
                epoch, position = epoch + 1, 0
                continue
            document, length = int(order.documents[position]), int(order.lengths[position])
            if offset < length:
                taken, has_eos = self._take(length - offset, room)
                segments.append(_Segment(document, offset, offset + taken, has_eos))
                room -= self._num_bos + taken + has_eos
                tokens_read += taken
                offset += taken
            if offset == length:
                position, offset = position + 1, 0
        return segments, _Place(epoch, position, offset, tokens_read)

    def _take(self, rest: int, room: int) -> tuple[int, bool]:
        """Say how much of a document's rest the next segment takes, and whether EOS goes with it.

        Every row can be filled to its last place: a single one is never left, for no segment fits there.
        """
        longest = min(room, self._room)
        if room - longest == 1:
            longest -= 1
        most = longest - self._num_bos
        if rest == most and 2 < longest < room:
            # As in UL2R's windows: one less, so that the EOS of a document that just fits is not lost.
            return rest - 1, False
        taken = min(rest, most)
        return taken, taken == rest < most and room - self._num_bos - taken != 2

    def _rooms(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the tokens that rows start .. stop - 1 must hold."""
        rooms = self._like.row_tokens(start, stop)
        wrong = np.flatnonzero((rooms < 2) | (rooms > self._packer.row_length))
        if len(wrong):
            first = int(wrong[0])
            raise ExampleError(
                f"row {start + first} of the mirrored stream has {int(rooms[first])} tokens; wanted 2 to "
                f"{self._packer.row_length}, the control's row length. Give both arms the same packer."
            )
        return rooms

    def _order(self, epoch: int) -> _Order:
        """Return an epoch's document order, or take it from the few that are kept."""
        if epoch not in self._orders:
            while len(self._orders) >= max(2, _KEPT_DOCUMENTS // self._shards.num_documents):
                del self._orders[next(iter(self._orders))]
            documents = document_order(self._shards.num_documents, seed=self._seed, epoch=epoch)
            self._orders[epoch] = _Order(documents, self._shards.lengths[documents].astype(np.int64))
        return self._orders[epoch]
