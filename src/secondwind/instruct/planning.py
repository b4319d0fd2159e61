"""Decide what an example will be: its task, record, phrasing and exemplars, before any token.

    example 7 -> task by mixture -> record by the epoch's shuffle -> wishes -> template -> exemplars

    wishes    few-shot? with how many exemplars?   a rationale?   options shown?

Wishes belong to the example: a record that replaces an over-long one is phrased by the same wishes.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from secondwind.data.mixture import Mixture
from secondwind.errors import ExampleError
from secondwind.instruct.exemplars import choose_exemplars
from secondwind.instruct.render import Rendered, render, suits
from secondwind.instruct.settings import InstructionSettings
from secondwind.instruct.task import Record, Task, Template
from secondwind.randomness import Draws, key, permuted

_RECORDS_TRIED = 16  # replacements for an over-long record before the task's fallback is used
_RECORDS_PROBED = 64  # records looked at, before anything else, for one that fits


class Fallback(NamedTuple):
    """A record of a task that fits under this template without exemplars."""

    record: Record
    template: Template


class Draft(NamedTuple):
    """One example before it is rendered; `template` is None where none suits the record."""

    number: int  # of the example
    task: int
    record: Record
    template: Template | None
    exemplars: tuple[Record, ...]
    num_shots: int  # exemplars that were wished for
    replaced: int  # records that were given up before this one


class _Wishes(NamedTuple):
    rationale: bool
    options: bool
    num_shots: int


class Planner:
    """Drafts of examples, each a function of its index alone."""

    def __init__(
        self,
        tasks: Sequence[Task],
        fallbacks: Sequence[Fallback],
        shares: Sequence[float],
        settings: InstructionSettings,
        *,
        seed: int,
    ) -> None:
        """Mix the tasks by their shares; each has a fallback for when no drawn record fits."""
        self._tasks, self._fallbacks, self._settings, self._seed = tasks, fallbacks, settings, seed
        self._mixture = Mixture(shares)

    def drafts(self, numbers: range) -> list[Draft]:
        """Draft examples: each epoch of a task visits its records once, in an order of its own."""
        by_epoch: dict[tuple[int, int], list[tuple[int, int]]] = {}
        parts, turns = self._mixture.turns(numbers.start, numbers.stop)
        for number, task, turn in zip(numbers, parts.tolist(), turns.tolist(), strict=True):
            epoch, offset = divmod(int(turn), len(self._tasks[int(task)].records))
            by_epoch.setdefault((int(task), epoch), []).append((number, offset))
        drafts: list[Draft] = []
        for (task, epoch), members in by_epoch.items():
            shuffle = key(self._seed, f"instruct.order:{self._tasks[task].name}", epoch)
            offsets = np.asarray([offset for _, offset in members])
            places: list[int] = permuted(offsets, len(self._tasks[task].records), shuffle).tolist()
            drafts += [
                self._draft(number, task, place, replaced=0)
                for (number, _), place in zip(members, places, strict=True)
            ]
        return drafts

    def replacement(self, draft: Draft) -> Draft:
        """Draft the same example from another record of its task, in the end from the fallback."""
        replaced = draft.replaced + 1
        if replaced > _RECORDS_TRIED:
            record, template = self._fallbacks[draft.task]
            return draft._replace(record=record, template=template, exemplars=(), replaced=replaced)
        draws = Draws(key(self._seed, "instruct.replacement", draft.number, replaced))
        place = draws.below(len(self._tasks[draft.task].records))
        return self._draft(draft.number, draft.task, place, replaced=replaced)

    def _draft(self, number: int, task_number: int, place: int, *, replaced: int) -> Draft:
        draws = Draws(key(self._seed, "instruct.format", number))
        wishes = _wishes(draws, self._settings)
        task = self._tasks[task_number]
        record = task.records[place]  # once: sequences of records may build them on access
        template = _template(task, record, wishes, draws)
        exemplars: list[Record] = []
        if template is not None and wishes.num_shots:
            exemplars = choose_exemplars(
                task, place, count=wishes.num_shots, key=draws.bits(), template=template
            )
        return Draft(number, task_number, record, template, tuple(exemplars), wishes.num_shots, replaced)


def find_fallback(task: Task, fits: Callable[[Rendered], bool]) -> Fallback | None:
    """Find a record and a template that fit without exemplars, or None after a good look."""
    num_records = len(task.records)
    probed = np.arange(min(_RECORDS_PROBED, num_records))
    order: list[int] = permuted(probed, num_records, key(0, f"instruct.fallback:{task.name}")).tolist()
    for place in order:
        record = task.records[place]
        for template in task.templates:
            rendered = try_render(record, template, exemplars=())
            if rendered is not None and fits(rendered):
                return Fallback(record, template)
    return None


def try_render(record: Record, template: Template | None, *, exemplars: Sequence[Record]) -> Rendered | None:
    """Render, or return None where this record makes no example, for instance a blank query."""
    if template is None or not suits(record, template):
        return None
    try:
        return render(record, template, exemplars=exemplars)
    except ExampleError:
        return None


def _wishes(draws: Draws, settings: InstructionSettings) -> _Wishes:
    few_shot = draws.uniform() < settings.few_shot_share
    rationale = draws.uniform() < settings.rationale_share
    options = draws.uniform() < settings.options_share
    num_shots = 1 + draws.below(settings.max_shots)
    return _Wishes(rationale, options, num_shots if few_shot else 0)


def _template(task: Task, record: Record, wishes: _Wishes, draws: Draws) -> Template | None:
    """Choose among the templates that suit the record and, where there are any, meet the wishes."""
    suitable = [template for template in task.templates if suits(record, template)]
    of_kind = [t for t in suitable if (t.kind == "rationale") == wishes.rationale] or suitable
    of_format = [t for t in of_kind if t.shows_options == wishes.options] or of_kind
    return of_format[draws.below(len(of_format))] if of_format else None
