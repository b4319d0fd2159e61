"""The mixture table: what the mixture intended and what came out of it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from secondwind.instruct.selection import capped_size
from secondwind.instruct.task import Task

Log = npt.NDArray[np.int32]


class Line(NamedTuple):
    """One example in the log: counts, and flags as 0 or 1. A log is int32[N, fields]."""

    task: int
    inputs: int
    targets: int
    shots_wished: int
    shots_found: int
    shots: int
    rationale: int
    options: int
    replaced: int


def empty_log() -> Log:
    """Return a log of no examples."""
    return np.zeros((0, len(Line._fields)), dtype=np.int32)


def column(log: Log, name: str) -> npt.NDArray[np.int64]:
    """Return one field of all lines."""
    return log[:, Line._fields.index(name)].astype(np.int64)


def mixture_table(
    tasks: Sequence[Task], shares: Sequence[float], log: Log, *, caps: Mapping[str, int]
) -> dict[str, Any]:
    """Summarise a log by task, by format and by what was dropped, ready for JSON."""
    of_task = column(log, "task")
    targets = max(1, int(column(log, "targets").sum()))
    rows: list[dict[str, Any]] = []
    for number, (task, share) in enumerate(zip(tasks, shares, strict=True)):
        own = log[of_task == number]
        rows.append(
            {
                "task": task.name,
                "cluster": task.cluster,
                "collection": task.collection,
                "source": task.source,
                "licence": task.licence,
                "language": task.language,
                "examples": len(task.records),
                "cap": caps.get(task.collection),
                "counted_examples": capped_size(task, caps),
                "intended_share": round(share, 6),
                "realised_share": _share(len(own), len(log)),
                "realised_examples": len(own),
                "epochs": round(len(own) / len(task.records), 3),
                "mean_tokens": _share(_total(own, "inputs") + _total(own, "targets"), len(own)),
                "target_tokens": _total(own, "targets"),
                "target_token_share": _share(_total(own, "targets"), targets),
            }
        )
    return {"examples": len(log), "tasks": rows, "formats": _formats(log), "drops": _drops(log)}


def _formats(log: Log) -> dict[str, Any]:
    shots = column(log, "shots")
    return {
        "few_shot": _share(int(np.count_nonzero(shots)), len(log)),
        "mean_shots": _share(int(shots.sum()), int(np.count_nonzero(shots))),
        "rationale": _share(_total(log, "rationale"), len(log)),
        "options": _share(_total(log, "options"), len(log)),
    }


def _drops(log: Log) -> dict[str, Any]:
    """Count what the budget and scarce records took away."""
    wished, shots = column(log, "shots_wished"), column(log, "shots")
    return {
        "exemplars_not_found": int((wished - column(log, "shots_found")).sum()),
        "exemplars_dropped": int((column(log, "shots_found") - shots).sum()),
        "became_zero_shot": int(np.count_nonzero((wished > 0) & (shots == 0))),
        "records_replaced": _total(log, "replaced"),
    }


def _total(log: Log, name: str) -> int:
    return int(column(log, name).sum())


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
