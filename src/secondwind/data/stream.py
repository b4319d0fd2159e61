"""An endless sequence of packed rows: row n is a pure function of the source, the packer and the seed.

    examples  0 .. 4095           4096 .. 8191              one block each
    rows      0 .. 811            812 .. 1630               planned on lengths, shuffled in the block

To find row n, the blocks before it are planned from lengths, once; none of their tokens is read, and what
is kept of them is a few bytes a row (`index.py`), in a file where one is given. So a run resumes anywhere,
and any number of ranks can each build only its own rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from secondwind.data.index import RowIndex, load_index
from secondwind.data.pack import RowPlan, build_row, packed_length, plan_rows
from secondwind.errors import ExampleError, RunError
from secondwind.example import Example, ExampleSource, Row
from secondwind.randomness import key, permuted
from secondwind.runs import differences, fingerprint
from secondwind.signals import log_to_stderr
from secondwind.vocabulary import Vocabulary

_LAYOUT_VERSION = 1  # raise it when the same settings would give other rows
_KEPT_PLANS = 16
_ROWS_AT_ONCE = 1024  # whose tokens are counted together


@runtime_checkable
class IndexedSource(Protocol):
    """An `ExampleSource` with an index of its own, without which it finds example n by planning up to n."""

    def index(self) -> npt.NDArray[np.int64]:
        """Return what is known of where the examples are: int64[N]."""
        ...

    def adopt(self, index: npt.NDArray[np.int64]) -> None:
        """Take over what `index()` returned, for the same examples, in another process."""
        ...


class RowSource(Protocol):
    """Rows by number, as the training loop reads them."""

    def row(self, number: int) -> Row:
        """Build one row."""
        ...

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        """Build several rows, together where that is faster."""
        ...

    def row_tokens(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Count the non-padding tokens of each of rows start .. stop - 1, without building them."""
        ...

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the rows, as JSON: hashes of what is large."""
        ...


@dataclass(frozen=True)
class Packer:
    """How rows are laid out.

    Args:
        row_length: tokens in a row, padding included.
        block_examples: how many examples are planned together; more pad less and are planned later.
    """

    row_length: int
    vocabulary: Vocabulary
    block_examples: int = 4096

    def __post_init__(self) -> None:
        """Refuse sizes that cannot hold an example."""
        if self.row_length < 2 or self.block_examples < 1:
            raise ExampleError(
                f"a packer got row_length {self.row_length} and block_examples {self.block_examples}; "
                "wanted at least 2 tokens and at least 1 example."
            )


@dataclass(frozen=True, eq=False)
class _Plan:
    """The rows of one block: example numbers counted from the block's first, and their lengths."""

    first_example: int
    lengths: npt.NDArray[np.int64]
    rows: RowPlan


class Stream:
    """Rows from an `ExampleSource`. Itself a `RowSource`, and an iterator whose place can be saved."""

    def __init__(
        self,
        source: ExampleSource,
        packer: Packer,
        seed: int,
        *,
        index_file: Path | None = None,
        log: Callable[[str], None] = log_to_stderr,
    ) -> None:
        """Start at row 0; nothing is planned or read yet.

        Args:
            index_file: where the index of rows is kept for the next process; none keeps it in memory.
            log: is told of a damaged index.
        """
        self._source = source
        self._packer = packer
        self._seed = seed
        self._next = 0
        self._index_file, self._log = index_file, log
        self._index: RowIndex | None = None  # read at its first use
        self._plans: dict[int, _Plan] = {}

    def row(self, number: int) -> Row:
        """Build one row; raises as `rows` does."""
        return self.rows([number])[0]

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        """Build several rows, asking the source for all their examples at once.

        Raises:
            ExampleError: an example is too long for a row, or not as long as its source announced.
        """
        wanted = [self.examples(number) for number in numbers]
        indices = [index for row in wanted for index in row.tolist()]
        found = iter(zip(indices, self._source.examples(indices), strict=True))
        row_length, vocabulary = self._packer.row_length, self._packer.vocabulary
        rows: list[Row] = []
        for number in numbers:
            plan, local = self._find(number)
            announced = plan.lengths[plan.rows[local]].tolist()
            examples = [self._checked(*next(found), announced=length) for length in announced]
            rows.append(build_row(examples, row_length=row_length, vocabulary=vocabulary))
        return rows

    def _checked(self, index: int, example: Example, *, announced: int) -> Example:
        """Refuse an example that is not as long as its source announced: it was planned by that."""
        length = packed_length(len(example.inputs), len(example.targets), self._packer.vocabulary)
        if length != announced:
            raise ExampleError(
                f"example {index} of source '{example.source}' has {length} tokens, but its source "
                f"announced {announced}. The two must agree, or resumed runs would differ: mend the "
                "source's lengths()."
            )
        return example

    def row_tokens(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Count the non-padding tokens of each of rows start .. stop - 1, from lengths alone."""
        return self._indexed(stop).row_tokens(start, stop)

    def examples(self, number: int) -> npt.NDArray[np.int64]:
        """Return which examples of the source one row holds, in the order of its segments."""
        plan, local = self._find(number)
        return plan.first_example + plan.rows[local]

    def examples_of_first(self, num_rows: int) -> npt.NDArray[np.int64]:
        """Return which examples rows 0 .. num_rows - 1 hold, in rising order: whole blocks, and a part."""
        if num_rows == 0:
            return np.zeros(0, dtype=np.int64)
        plan, local = self._find(num_rows - 1)
        part = plan.rows.examples[: plan.rows.offsets[local + 1]]
        return np.concatenate([np.arange(plan.first_example), plan.first_example + np.sort(part)])

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the rows, as JSON: hashes of what is large."""
        return {
            "layout": _LAYOUT_VERSION,
            "source": self._source.identity(),
            "row_length": self._packer.row_length,
            "block_examples": self._packer.block_examples,
            "vocabulary": fingerprint(self._packer.vocabulary.to_json()),
            "seed": self._seed,
        }

    def __iter__(self) -> Iterator[Row]:
        """Go on at the current place."""
        return self

    def __next__(self) -> Row:
        """Build the row at the current place and move on."""
        row = self.row(self._next)
        self._next += 1
        return row

    def state(self) -> dict[str, Any]:
        """Return the current place as small JSON."""
        return {"row": self._next, "rows": self.identity()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to a saved place.

        Raises:
            RunError: the place was saved by a stream of other rows.
        """
        changed = differences(state["rows"], self.identity())
        if changed:
            raise RunError(
                f"the saved place belongs to a stream of other rows: {changed}. Restore them to go on, or "
                "start a new run."
            )
        self._next = int(state["row"])

    def _find(self, number: int) -> tuple[_Plan, int]:
        """Return the plan that holds a row, and the row's place in it."""
        if number < 0:
            raise IndexError(f"a stream has rows 0, 1, 2, ...; got {number}")
        block, local = self._indexed(number + 1).find(number)
        return self._plan(block), local

    def _indexed(self, stop: int) -> RowIndex:
        """Return the index, grown to hold rows up to stop - 1."""
        if self._index is None:
            self._index = self._opened_index()
        if self._index.num_rows < stop:
            while self._index.num_rows < stop:
                plan = self._plan(self._index.num_blocks)
                self._index.add_block(plan.rows.row_tokens(plan.lengths))
            if self._index_file is not None and self._index.has_grown:
                self._save(self._index, self._index_file)
        return self._index

    def _opened_index(self) -> RowIndex:
        if self._index_file is None:
            return RowIndex()
        index = load_index(self._index_file, identity=fingerprint(self.identity()), log=self._log)
        if isinstance(self._source, IndexedSource) and len(index.source):
            self._source.adopt(index.source)
        return index

    def _save(self, index: RowIndex, path: Path) -> None:
        kept = {"source": self._source.index()} if isinstance(self._source, IndexedSource) else {}
        try:
            index.save(path, identity=fingerprint(self.identity()), **kept)
        except RunError as error:  # a shortcut only: what must be written will say so itself
            self._log(f"the index of rows is not kept: {error}")
            self._index_file = None

    def _plan(self, block: int) -> _Plan:
        """Plan one block, or take it from the few that are kept."""
        if block not in self._plans:
            while len(self._plans) >= _KEPT_PLANS:
                del self._plans[next(iter(self._plans))]
            start = block * self._packer.block_examples
            stop = start + self._packer.block_examples
            lengths = self._source.lengths(start, stop)
            try:
                rows = plan_rows(lengths, self._packer.row_length)
            except ExampleError as error:
                raise ExampleError(f"in the block of examples {start} .. {stop - 1}: {error}") from error
            order = permuted(np.arange(len(rows)), len(rows), key(self._seed, "row order", block))
            self._plans[block] = _Plan(start, lengths, rows.reordered(order))
        return self._plans[block]


def steps_for_tokens(rows: RowSource, num_tokens: int, batch_rows: int) -> int:
    """Count the optimizer steps until `num_tokens` non-padding tokens were seen, the last step whole."""
    steps = seen = 0
    while seen < num_tokens:
        # As many steps as the budget has room for at the mean so far: rows behind its end are not planned.
        likely = (num_tokens - seen) * steps // seen if seen else 1
        several = max(1, min(likely, _ROWS_AT_ONCE // batch_rows))
        counted = rows.row_tokens(steps * batch_rows, (steps + several) * batch_rows)
        after = seen + np.cumsum(counted.reshape(several, batch_rows).sum(axis=1))
        needed = min(several, 1 + int(np.searchsorted(after, num_tokens)))
        steps, seen = steps + needed, int(after[needed - 1])
    return steps
