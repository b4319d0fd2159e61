"""Run one attention backend over rows of several lengths: a line of JSON for each.

    python -m benchmarks.gpu.backends --backend flex [--dry-run]

A pass is forward and backward over the same number of tokens at every length, bf16 over float32 parameters,
rows of UL2R under the prefix mask; documents are a quarter of a row on average. The loss of a pass is told,
too: it must be that of the dense mask.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import torch
from benchmarks.gpu.materials import job_of
from benchmarks.gpu.sizes import BACKEND_ROWS, BACKEND_SIZE, DRY_BACKEND_ROWS
from benchmarks.train.masks import ul2r_rows
from benchmarks.train.ours import loaded

from secondwind.example import Batch
from secondwind.model.backend import BackendChoice
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_loss

BACKENDS = tuple(name for name in get_args(BackendChoice) if name not in ("auto", "unpacked"))
_WARM_PASSES, _TIMED_PASSES = 2, 5


def main() -> None:
    """Measure a backend and print its lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--backend", choices=BACKENDS, required=True)
    parser.add_argument("--dry-run", action="store_true")
    told = parser.parse_args()
    size, lengths = ("tiny", DRY_BACKEND_ROWS) if told.dry_run else (BACKEND_SIZE, BACKEND_ROWS)
    with tempfile.TemporaryDirectory() as scratch:
        job = replace(job_of(size, Path(scratch), dry=told.dry_run), backend=told.backend)
        model = None
        for length in lengths:
            found: dict[str, Any] = {"part": "backends", "backend": told.backend, "row_length": length}
            try:
                model = model or loaded(job, "prefix")
                told_rows = replace(job, row_length=length)
                rows = ul2r_rows(told_rows, model.vocabulary, document_tokens=length // 4)
                batch = Batch.stack(rows.rows(range(max(lengths) // length)))
                found |= measured(model, batch)
            except Exception as error:  # one length or kernel that fails must not cost the others
                found |= {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
            print(json.dumps(found), flush=True)


def measured(model: LanguageModel, batch: Batch) -> dict[str, Any]:
    """Return tokens a second of the best pass, its extra memory and its loss."""
    on_gpu = model.device.type == "cuda"
    model.network.zero_grad()
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if on_gpu else 0
    laps: list[float] = []
    loss = float("nan")
    for _ in range(_WARM_PASSES + _TIMED_PASSES):
        model.network.zero_grad()
        started = time.perf_counter()
        with torch.autocast(model.device.type, torch.bfloat16):
            found = target_loss(model, batch)
        (found.total / found.count).backward()
        loss = found.total.item() / found.count
        if on_gpu:
            torch.cuda.synchronize()
        laps.append(time.perf_counter() - started)
    return {
        "tokens_per_second": batch.num_tokens / min(laps[_WARM_PASSES:]),
        "extra_peak_bytes": torch.cuda.max_memory_allocated() - before if on_gpu else None,
        "first_seconds": laps[0],
        "loss": loss,
    }


if __name__ == "__main__":
    main()
