"""Which tasks take part in a mixture, and with what share of the examples.

    task      examples  cap    size   share, max_share .5 by source
    gsm8k      7,473    5,000  5,000  .50
    xsum_a     6,500    3,000  3,000  .33
    xsum_b     1,500    3,000  1,500  .17

Source: examples-proportional mixing with caps, T5 (arXiv:1910.10683, section 3.5.2) and FLAN 2022
    `flan/v2/mixtures.py`. `max_share` is ours: eSNLI alone is 48 % of FLAN's chain-of-thought set.
"""

from collections.abc import Collection, Mapping, Sequence

from secondwind.errors import DataError, nearest
from secondwind.instruct.task import Task
from secondwind.randomness import key


def select_tasks(
    tasks: Sequence[Task],
    *,
    seed: int,
    num_tasks: int | None = None,
    held_out: Collection[str] = (),
    licences: Collection[str] | None = None,
) -> tuple[Task, ...]:
    """Keep the tasks that may be tuned on, and of those a seeded subset.

    Subsets are nested: the tasks chosen for a smaller `num_tasks` are among those of a larger one.

    Args:
        num_tasks: how many to keep; None keeps all.
        held_out: names of clusters or tasks that are kept for evaluation.
        licences: the licences that are allowed; None allows all.

    Raises:
        DataError: two tasks share a name, a held-out name is unknown, or too few tasks are left.
    """
    _refuse_shared_names(tasks)
    known = {task.name for task in tasks} | {task.cluster for task in tasks}
    for name in sorted(set(held_out) - known):
        raise DataError(f"no task or cluster '{name}' to hold out.{nearest(name, known)} Mend flan.held_out.")
    allowed = [
        task
        for task in tasks
        if task.name not in held_out
        and task.cluster not in held_out
        and (licences is None or task.licence in licences)
    ]
    wanted = len(allowed) if num_tasks is None else num_tasks
    if not 1 <= wanted <= len(allowed):
        raise DataError(
            f"{wanted} tasks were asked for, and {len(allowed)} of {len(tasks)} are left after held-out "
            f"tasks and licences; wanted between 1 and {len(allowed)}. Lower num_tasks, or add sources."
        )
    first = sorted(allowed, key=lambda task: key(seed, f"instruct.num_tasks:{task.name}"))[:wanted]
    names = {task.name for task in first}
    return tuple(task for task in allowed if task.name in names)


def mixture_shares(
    tasks: Sequence[Task],
    *,
    caps: Mapping[str, int],
    rates: Mapping[str, float],
    max_share: float,
) -> tuple[float, ...]:
    """Return each task's share of the examples, summing to 1.

    Args:
        caps: collection -> the most examples that one of its tasks counts for.
        rates: collection -> relative rate of the whole collection; empty means by size alone.
        max_share: the largest share of one source; where there are too few sources for it, they
            share equally.

    Raises:
        DataError: rates are given, but not for the collection of some task.
    """
    sizes = [float(capped_size(task, caps)) for task in tasks]
    if rates:
        totals: dict[str, float] = {}
        for task, size in zip(tasks, sizes, strict=True):
            totals[task.collection] = totals.get(task.collection, 0.0) + size
        for collection in sorted(set(totals) - set(rates)):
            raise DataError(
                f"no rate for the collection '{collection}'; rates are given for {sorted(rates)}."
                f"{nearest(collection, rates)} Add it, or leave all rates out to mix by size."
            )
        sizes = [
            rates[task.collection] * size / totals[task.collection]
            for task, size in zip(tasks, sizes, strict=True)
        ]
    total = sum(sizes)
    return _limited([size / total for size in sizes], [task.source or task.name for task in tasks], max_share)


def capped_size(task: Task, caps: Mapping[str, int]) -> int:
    """Return the number of examples that a task counts for in the mixture."""
    return min(len(task.records), caps.get(task.collection, len(task.records)))


def _limited(shares: Sequence[float], sources: Sequence[str], max_share: float) -> tuple[float, ...]:
    """Scale down the sources above `max_share` and hand what they lose to the others in proportion."""
    by_source: dict[str, float] = {}
    for share, source in zip(shares, sources, strict=True):
        by_source[source] = by_source.get(source, 0.0) + share
    limit = max(max_share, 1 / len(by_source))
    limited: set[str] = set()
    scale = 1.0
    while True:
        over = {
            s for s, share in by_source.items() if s not in limited and share * scale > limit * (1 + 1e-9)
        }
        if not over:
            break
        limited |= over
        rest = sum(share for source, share in by_source.items() if source not in limited)
        scale = (1 - limit * len(limited)) / rest if rest > 0 else 0.0
    return tuple(
        share * (limit / by_source[source] if source in limited else scale)
        for share, source in zip(shares, sources, strict=True)
    )


def _refuse_shared_names(tasks: Sequence[Task]) -> None:
    seen: dict[str, Task] = {}
    for task in tasks:
        if task.name in seen:
            raise DataError(
                f"two tasks are called '{task.name}', from '{seen[task.name].source}' and '{task.source}'; "
                "wanted one name per task. Rename one, or leave out a source that is listed twice."
            )
        seen[task.name] = task
