"""Which tasks take part in a mixture, and with what share of the examples.

    task      examples  cap    size   share, max_share .5 by source
    gsm8k      7,473    5,000  5,000  .50
    xsum_a     6,500    3,000  3,000  .33
    xsum_b     1,500    3,000  1,500  .17

A subset of `num_tasks` takes the clusters in turn, so that a small one has many kinds of task:

    clusters   reading a1 a2 a3   logic b1   maths c1 c2
    order      c1  a2  b1 | a3  c2 | a1       clusters by key, tasks within one by key

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

    Subsets take the clusters in turn and are nested: the tasks chosen for a smaller `num_tasks` are among
    those of a larger one.

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
    names = {task.name for task in _clusters_in_turn(allowed, seed)[:wanted]}
    return tuple(task for task in allowed if task.name in names)


def _clusters_in_turn(tasks: Sequence[Task], seed: int) -> list[Task]:
    """Order tasks so that every cluster has given one before any gives its second, and so on."""

    def drawn(kind: str, name: str) -> tuple[int, str]:
        return key(seed, f"instruct.num_tasks.{kind}:{name}"), name

    in_cluster: dict[str, int] = {}
    turns: list[tuple[int, tuple[int, str], Task]] = []
    for task in sorted(tasks, key=lambda task: drawn("task", task.name)):
        turn = in_cluster.get(task.cluster, 0)
        in_cluster[task.cluster] = turn + 1
        turns.append((turn, drawn("cluster", task.cluster), task))
    return [task for *_, task in sorted(turns, key=lambda entry: entry[:2])]


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
        rates: collection -> relative rate. These collections part among them, by their rates, what they
            count for together by size; the others count by size.
        max_share: the largest share of one source; where there are too few sources for it, they
            share equally.
    """
    sizes = [float(capped_size(task, caps)) for task in tasks]
    totals: dict[str, float] = {}
    for task, size in zip(tasks, sizes, strict=True):
        totals[task.collection] = totals.get(task.collection, 0.0) + size
    rated = sorted(totals.keys() & set(rates))
    together, all_rates = sum(totals[name] for name in rated), sum(rates[name] for name in rated)
    sizes = [
        together * rates[task.collection] / all_rates * size / totals[task.collection]
        if task.collection in rated
        else size
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
