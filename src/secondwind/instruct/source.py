"""Tasks become an endless sequence of instruction examples.

    planning  example 7 -> task, record, template, exemplars
    render    -> pieces of text    "Where is Mia?\\nAnswer:"   | " Orra"
    pieces    -> ids                inputs                      | targets EOS

    too long    drop exemplars, then zero-shot, then another record: each is counted

Examples are built in blocks of 256, so that text is encoded in large batches; an example is still a
pure function of (tasks, tokenizer, settings, seed, index), whatever was asked for before it.
There is no mode token, and EOS always ends the targets.

Source: FLAN 2022 (arXiv:2210.11416, section 2; arXiv:2301.13688, section 3).
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from secondwind.data.pack import packed_length
from secondwind.errors import DataError
from secondwind.example import Example
from secondwind.instruct.pieces import Pieces
from secondwind.instruct.planning import Draft, Fallback, Planner, find_fallback, try_render
from secondwind.instruct.render import Rendered, refuse_unknown_fields, render
from secondwind.instruct.selection import mixture_shares
from secondwind.instruct.settings import InstructionSettings
from secondwind.instruct.table import Line, Log, column, empty_log, mixture_table
from secondwind.instruct.task import Record, Task
from secondwind.runs import fingerprint
from secondwind.vocabulary import Tokenizer, Vocabulary

__all__ = ["InstructionSettings", "InstructionSource"]

_BLOCK = 256  # enough for batched encoding, few enough for the look-up of a single example
_BLOCKS_KEPT = 32  # two blocks of the packer: the rows of one find their examples built


class InstructionSource:
    """An endless `ExampleSource` over instruction tasks.

    `tasks` are those in the mixture, `shares` their intended shares, and `left_out` the names of
    tasks of which no record fits.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        tokenizer: Tokenizer,
        vocabulary: Vocabulary,
        settings: InstructionSettings,
        seed: int,
    ) -> None:
        """Mix the tasks; those of which no record fits `max_tokens` are left out and listed.

        Raises:
            DataError: no task is left, or a template names a field that the records do not have.
        """
        self._tokenizer, self._vocabulary, self._settings = tokenizer, vocabulary, settings
        self._seed, self._pieces = seed, Pieces(tokenizer)
        found = [(task, self._fallback(task)) for task in tasks]
        kept = [(task, fallback) for task, fallback in found if fallback is not None]
        if not kept:
            raise DataError(
                f"none of {len(tasks)} tasks has a record that fits max_tokens = {settings.max_tokens}. "
                "Raise flan.row_length, or add tasks with shorter records."
            )
        self.tasks = tuple(task for task, _ in kept)
        self.left_out = tuple(task.name for task, fallback in found if fallback is None)
        self.shares = mixture_shares(
            self.tasks, caps=settings.caps, rates=settings.rates, max_share=settings.max_share
        )
        self._fallbacks = tuple(fallback for _, fallback in kept)
        self._planner = Planner(self.tasks, self._fallbacks, self.shares, settings, seed=seed)
        self._logs: dict[int, Log] = {}
        self._examples: dict[int, list[Example]] = {}
        self._identity: dict[str, Any] = {}

    def __getitem__(self, index: int) -> Example:
        """Build one example."""
        block, place = divmod(index, _BLOCK)
        if block not in self._examples:
            self._build(block)
        return self._examples[block][place]

    def examples(self, indices: Sequence[int]) -> Sequence[Example]:
        """Build several examples."""
        return [self[index] for index in indices]

    def lengths(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the packed lengths of examples start .. stop - 1, BOS included."""
        log = self._log(start, stop)
        return column(log, "inputs") + column(log, "targets") + packed_length(0, 0, self._vocabulary)

    def facts(self, examples: npt.NDArray[np.int64] | range) -> dict[str, Any]:
        """Return the mixture table of some examples, ready for JSON.

        Intended and realised shares by task, the formats that came out, and what was dropped.

        Args:
            examples: their numbers; planned and encoded are all up to the largest.
        """
        log = self._log(0, max(examples, default=-1) + 1)[np.asarray(examples, dtype=np.int64)]
        table = mixture_table(self.tasks, self.shares, log, caps=self._settings.caps)
        return {**table, "left_out": list(self.left_out)}

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the examples, as JSON: hashes of what is large."""
        self._identity = self._identity or {
            "tasks": {task.name: fingerprint(_identity(task)) for task in self.tasks},
            "order": fingerprint([task.name for task in self.tasks]),
            "vocabulary": fingerprint(self._vocabulary.to_json()),
            "tokens": fingerprint(self._tokenizer.get_vocab()),
            # Two tokenizers can share a vocabulary and still split text in different places.
            "splits": fingerprint([self._pieces.inputs(rendered) for rendered in self._probes()]),
            "settings": asdict(self._settings),
            "seed": self._seed,
        }
        return self._identity

    def _fallback(self, task: Task) -> Fallback | None:
        for template in task.templates:
            refuse_unknown_fields(task.records[0], template, task=task.name)
        return find_fallback(task, self._fits_alone)

    def _fits_alone(self, rendered: Rendered) -> bool:
        self._pieces.learn([rendered])
        return self._is_learnable(rendered) and self._packed(rendered) <= self._settings.max_tokens

    def _is_learnable(self, rendered: Rendered) -> bool:
        """Say whether something stands before the first target, which nothing would predict otherwise."""
        return self._vocabulary.bos is not None or self._pieces.num_inputs(rendered) > 0

    def _packed(self, rendered: Rendered) -> int:
        targets = len(self._pieces.target(rendered)) + 1  # EOS
        return packed_length(self._pieces.num_inputs(rendered), targets, self._vocabulary)

    def _probes(self) -> list[Rendered]:
        probes = [render(fallback.record, fallback.template) for fallback in self._fallbacks]
        self._pieces.learn(probes)
        return probes

    def _log(self, start: int, stop: int) -> Log:
        parts = [empty_log()]
        for block in range(start // _BLOCK, -(-stop // _BLOCK)):
            if block not in self._logs:
                self._build(block)
            first = block * _BLOCK
            parts.append(self._logs[block][max(0, start - first) : stop - first])
        return np.concatenate(parts)

    def _build(self, block: int) -> None:
        """Plan, render and encode one block; what does not fit is drafted anew until all do."""
        built: dict[int, tuple[Example, Line]] = {}
        drafts = self._planner.drafts(range(block * _BLOCK, (block + 1) * _BLOCK))
        while drafts:
            tried = [(draft, self._rendered(draft, draft.exemplars)) for draft in drafts]
            self._pieces.learn(rendered for _, rendered in tried if rendered is not None)
            built |= {
                draft.number: self._finished(*fit) for draft, r in tried if (fit := self._fit(draft, r))
            }
            drafts = [self._planner.replacement(draft) for draft in drafts if draft.number not in built]
        finished = [built[index] for index in sorted(built)]
        if len(self._examples) >= _BLOCKS_KEPT:
            del self._examples[next(iter(self._examples))]
        self._examples[block] = [example for example, _ in finished]
        self._logs[block] = np.asarray([line for _, line in finished], dtype=np.int32)

    def _rendered(self, draft: Draft, exemplars: Sequence[Record]) -> Rendered | None:
        return try_render(draft.record, draft.template, exemplars=exemplars)

    def _fit(self, draft: Draft, rendered: Rendered | None) -> tuple[Draft, Rendered, int] | None:
        """Take exemplars away until the example fits; None where even the query alone does not.

        Nor where the tokenizer makes nothing of the prompt and there is no BOS.
        """
        shown = len(draft.exemplars)
        if rendered is not None and not self._is_learnable(rendered):
            return None
        while rendered is not None and self._packed(rendered) > self._settings.max_tokens:
            if shown == 0:
                return None
            shown -= 1
            rendered = self._rendered(draft, draft.exemplars[:shown])
        return None if rendered is None else (draft, rendered, shown)

    def _finished(self, draft: Draft, rendered: Rendered, shown: int) -> tuple[Example, Line]:
        inputs = self._pieces.inputs(rendered)
        targets = [*self._pieces.target(rendered), self._vocabulary.eos]
        template = draft.template
        line = Line(
            task=draft.task,
            inputs=len(inputs),
            targets=len(targets),
            shots_wished=draft.num_shots,
            shots_found=len(draft.exemplars),
            shots=shown,
            rationale=template is not None and template.kind == "rationale",
            options=template is not None and template.shows_options,
            replaced=draft.replaced,
        )
        example = Example(
            np.asarray(inputs, dtype=np.int32),
            np.asarray(targets, dtype=np.int32),
            self.tasks[draft.task].name,
        )
        return example, line


def _identity(task: Task) -> dict[str, Any]:
    """Return all of a task that determines its examples."""
    return {
        "name": task.name,
        "source": task.source,
        "collection": task.collection,
        "templates": [asdict(template) for template in task.templates],
        "records": [_record_identity(record) for record in task.records],
        "exemplars": [_record_identity(record) for record in task.exemplars],
    }


def _record_identity(record: Record) -> list[Any]:
    return [dict(record.fields), list(record.answers), list(record.options), record.rationale]
