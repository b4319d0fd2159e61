"""Choose solved records to show before a query, without giving the query away.

    records    q0 q1 q2 q3 q1'          q1' asks what q1 asks
    query q1   ->  two of q0 q2 q3      never q1, never q1', never two that ask the same

The number is chosen first and only that many are rendered. Exemplars come from the query's own task.

Source: FLAN 2022 mixes zero-shot and few-shot prompts (arXiv:2301.13688, section 3.2)."""

from collections.abc import Iterator
from itertools import islice

from secondwind.instruct.render import suits
from secondwind.instruct.task import Record, Task, Template
from secondwind.randomness import Draws

# Differs from FLAN: its exemplars come from a second shuffled copy of the training set, in which the
# query itself can turn up.

# A task whose records nearly all ask the same must not be searched to its end for every example.
_LOOKED_AT_PER_EXEMPLAR = 16


def choose_exemplars(
    task: Task, index: int, *, count: int, key: int, template: Template | None = None
) -> list[Record]:
    """Choose up to `count` records of the task for the query `task.records[index]`.

    Fewer come back where the task has too few different records that suit the template.

    Args:
        template: the phrasing they will be rendered with, or None where any record will do.
    """
    num_records = len(task.records)
    seen = set(_marks(task.records[index]))
    chosen: list[Record] = []
    candidates = _lazily_shuffled(num_records + len(task.exemplars), Draws(key))
    for candidate in islice(candidates, _LOOKED_AT_PER_EXEMPLAR * count):
        if candidate == index:
            continue
        record = (
            task.records[candidate] if candidate < num_records else task.exemplars[candidate - num_records]
        )
        if template is not None and not suits(record, template):
            continue
        marks = _marks(record)
        if seen.isdisjoint(marks):
            chosen.append(record)
            seen.update(marks)
        if len(chosen) == count:
            break
    return chosen


def _marks(record: Record) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Return what gives a record away: its question with its options, and with its answer.

    Options count because many tasks ask one constant question ("Which sentence is ironic?") about
    changing options; the answer counts because the same question with other options leaks it.
    """
    question = tuple((name, _plain(text)) for name, text in sorted(record.fields.items()))
    options = tuple(sorted(_plain(option) for option in record.options))
    return (question, "options", options), (question, "answer", _plain(record.answers[0]))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _lazily_shuffled(size: int, draws: Draws) -> Iterator[int]:
    """Yield 0 .. size - 1 in a random order, in memory for what is taken (Fisher-Yates)."""
    moved: dict[int, int] = {}
    for last in range(size - 1, -1, -1):
        pick = draws.below(last + 1)
        yield moved.get(pick, pick)
        moved[pick] = moved.pop(last, last)
