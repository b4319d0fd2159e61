"""The fair control: plain causal LM over the same documents, token for token as many as the other arm.

    like.num_tokens     7                    6
    documents           a b c EOS    d e f g h EOS
    row 0               BOS a b c EOS | BOS d            row 1   BOS e f g h EOS

Documents come in the order that UL2R reads them in (`order.py`) and are cut only where a row ends:
every token of a document appears once an epoch, in order. Row n holds exactly as many non-padding
tokens as row n of the arm that it controls, so the two differ in the objective and in nothing else.

A segment is [BOS] + contiguous tokens (+ EOS where the document ends). An EOS that does not fit is
left out, never carried alone into the next row; so is one that would leave a single free place, which
no segment could fill. Without BOS a lone last token can remain; it carries no loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.data.order import document_order
from secondwind.data.pack import build_row, compiled_kernel
from secondwind.data.shards import TokenShards
from secondwind.data.stream import RowSource
from secondwind.errors import DataError, ExampleError
from secondwind.example import Example, Row, Tokens
from secondwind.runs import fingerprint
from secondwind.vocabulary import Vocabulary

_LAYOUT_VERSION = 1
_ANCHOR_ROWS = 64  # a place is kept every so many rows, so that going back is cheap and memory small
_WALKED_ROWS = 64 * _ANCHOR_ROWS  # at once, by the compiled walk
_KEPT_ORDERS = 2


class _Place(NamedTuple):
    """Where a row starts: document `position` of an epoch's order, `offset` tokens into it."""

    row: int = 0
    epoch: int = 0
    position: int = 0
    offset: int = 0
    tokens_read: int = 0


class _Order(NamedTuple):
    """The documents of an epoch as they are read, and their lengths in tokens."""

    documents: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Segment:
    document: int
    start: int
    stop: int
    has_eos: bool


class ControlStream:
    """Rows of the `clm` arm: a `RowSource` that mirrors the token counts of another one."""

    def __init__(
        self,
        shards: TokenShards,
        like: RowSource,
        vocabulary: Vocabulary,
        row_length: int,
        seed: int,
    ) -> None:
        """Start a control.

        Args:
            like: the rows whose token counts are mirrored.
            seed: of the document order; the same as the mirrored arm's.

        Raises:
            DataError: the corpus has no tokens.
        """
        if shards.num_tokens == 0:
            raise DataError(
                f"the corpus has {shards.num_documents} documents and no tokens; wanted at least 1 token. "
                "Check the corpus sources of the recipe."
            )
        self._shards = shards
        self._like = like
        self._vocabulary = vocabulary
        self._row_length = row_length
        self._seed = seed
        self._num_bos = 0 if vocabulary.bos is None else 1
        self._anchors = [_Place()]
        self._latest = _Place()
        self._orders: dict[int, _Order] = {}

    def row(self, number: int) -> Row:
        """Build one row."""
        place = self._place(number)
        segments, self._latest = self._plan(place)
        self._keep(self._latest)
        examples = [self._example(segment) for segment in segments]
        return build_row(examples, row_length=self._row_length, vocabulary=self._vocabulary)

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        """Build several rows."""
        return [self.row(number) for number in numbers]

    def row_tokens(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Count the non-padding tokens of rows start .. stop - 1: those of the mirrored rows."""
        return self._like.row_tokens(start, stop)

    def tokens_read(self, num_rows: int) -> int:
        """Count the document tokens in rows 0 .. num_rows - 1, without BOS and EOS."""
        return self._place(num_rows).tokens_read

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the rows, as JSON: hashes of what is large."""
        return {
            "layout": _LAYOUT_VERSION,
            "corpus": self._shards.fingerprint(),
            "like": self._like.identity(),
            "row_length": self._row_length,
            "vocabulary": fingerprint(self._vocabulary.to_json()),
            "seed": self._seed,
        }

    def _example(self, segment: _Segment) -> Example:
        tokens: Tokens = self._shards.document(segment.document)[segment.start : segment.stop]
        if segment.has_eos:
            tokens = np.append(tokens, np.int32(self._vocabulary.eos))
        return Example(inputs=np.empty(0, dtype=np.int32), targets=tokens, source="clm")

    def _place(self, number: int) -> _Place:
        """Return where a row starts, walking on from the nearest known place before it."""
        if number < 0:
            raise IndexError(f"a control has rows 0, 1, 2, ...; got {number}")
        if number >= (len(self._anchors) + 1) * _ANCHOR_ROWS:
            self._walk(number // _ANCHOR_ROWS * _ANCHOR_ROWS)
        place = self._anchors[min(number // _ANCHOR_ROWS, len(self._anchors) - 1)]
        if place.row < self._latest.row <= number:
            place = self._latest
        while place.row < number:
            _, place = self._plan(place)
            self._keep(place)
        self._latest = place
        return place

    def _walk(self, stop: int) -> None:
        """Keep the anchors up to row `stop`, a multiple of their distance; without numba, do nothing."""
        kernel = compiled_kernel()
        while kernel and (first := self._anchors[-1]).row < stop:
            last = min(first.row + _WALKED_ROWS, stop)
            # One room more: the start of row `last` is told too.
            rooms = np.append(self._rooms(first.row, last), 2)
            starts = np.zeros((len(rooms), 4), dtype=np.int64)
            epoch, state = first.epoch, (0, 0, first.position, first.offset, first.tokens_read)
            while state[0] < len(rooms):
                lengths = self._order(epoch).lengths
                state = kernel.walk(rooms, lengths, self._num_bos, epoch, state, starts)
                row, room, position, _, tokens_read = state
                if position == len(lengths):
                    epoch, state = epoch + 1, (row, room, 0, 0, tokens_read)
            for row in range(_ANCHOR_ROWS, len(rooms), _ANCHOR_ROWS):
                self._anchors.append(_Place(first.row + row, *starts[row].tolist()))

    def _keep(self, place: _Place) -> None:
        if place.row == len(self._anchors) * _ANCHOR_ROWS:
            self._anchors.append(place)

    def _plan(self, place: _Place) -> tuple[list[_Segment], _Place]:
        """Return the segments of the row that starts at `place`, and where the next one starts."""
        row, epoch, position, offset, tokens_read = place
        room = int(self._rooms(row, row + 1)[0])
        segments: list[_Segment] = []
        while room > 0:
            order = self._order(epoch)
            if position == len(order.documents):
                epoch, position = epoch + 1, 0
                continue
            document, length = int(order.documents[position]), int(order.lengths[position])
            rest = length - offset
            if rest > 0:
                segment = self._cut(document, offset, rest, room)
                segments.append(segment)
                taken = segment.stop - segment.start
                room -= self._num_bos + taken + segment.has_eos
                tokens_read += taken
                offset += taken
            if offset == length:
                position, offset = position + 1, 0
        return segments, _Place(row + 1, epoch, position, offset, tokens_read)

    def _cut(self, document: int, start: int, rest: int, room: int) -> _Segment:
        """Take as much of a document as fits, so that the row can still be filled to the last place."""
        room -= self._num_bos
        taken = min(rest, room)
        # 0 places behind the tokens: EOS does not fit. 2: it would leave a single place, which is
        # too few for the next segment.
        has_eos = taken == rest and room - rest not in (0, 2)
        return _Segment(document, start, start + taken, has_eos)

    def _rooms(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the tokens that rows start .. stop - 1 must hold."""
        rooms = self._like.row_tokens(start, stop)
        wrong = np.flatnonzero((rooms < 2) | (rooms > self._row_length))
        if len(wrong):
            raise ExampleError(
                f"row {start + int(wrong[0])} of the mirrored stream has {int(rooms[wrong[0]])} tokens; the "
                f"control needs 2 to {self._row_length}, its row length. Give both arms the same row_length."
            )
        return rooms

    def _order(self, epoch: int) -> _Order:
        """Return an epoch's document order, or take it from the few that are kept."""
        if epoch not in self._orders:
            while len(self._orders) >= _KEPT_ORDERS:
                del self._orders[next(iter(self._orders))]
            documents = document_order(self._shards.num_documents, seed=self._seed, epoch=epoch)
            self._orders[epoch] = _Order(documents, self._shards.lengths[documents].astype(np.int64))
        return self._orders[epoch]
