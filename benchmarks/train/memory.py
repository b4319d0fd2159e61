"""Memory of the loss at a large vocabulary: all logits, those of loss positions, and those in chunks.

    python -m benchmarks.train.memory                  152,000 entries; minutes, 8 GB
    python -m benchmarks.train.memory --vocabulary 32000

A Llama of 2 layers x 128 makes two forward and backward passes over one row, in float32, in a process of its
own; the second pass adds to the gradients of the first. What is counted is the peak of the resident size
above that of the loaded network: gradients (two tables of vocabulary x 128), what the body keeps, logits.

    full     transformers' own loss: logits of every position
    kept     logits of the loss positions, all at once
    chunks   as training does it

Two bars, and an exit code of 1 below either. Needs Linux, which tells a process its own peak.

    share    with a tenth of 2,048 positions, `chunks` takes at most half of `full`
    growth   with four times the row and twenty times the loss positions, `chunks` takes at most 128 MiB more
             than the same body takes with a vocabulary of 1,000
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from secondwind.example import Batch
from secondwind.model import chunked
from secondwind.model.backend import settle_backend
from secondwind.model.load import LanguageModel
from secondwind.model.loss import target_loss
from secondwind.vocabulary import Vocabulary

_LARGEST_SHARE, _MOST_GROWTH_MIB = 0.5, 128
_DOCUMENT = 512  # tokens; a row holds several
_SMALL_VOCABULARY = 1_000
_PASSES = 2


class Case(NamedTuple):
    """One line of the table."""

    way: str
    vocabulary: int
    row_length: int
    num_targets: int


def main() -> int:
    """Measure, print, and compare with the bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vocabulary", type=int, default=152_000)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.measure:
        print(json.dumps(measure(Case(*json.loads(told.measure)))))
        return 0
    return compare(told.vocabulary)


def compare(vocabulary: int) -> int:
    """Print the table and return the exit code."""
    print(f"{'logits':8}{'vocabulary':>12}{'row':>7}{'targets':>9}{'extra MiB':>11}{'CPU s a pass':>14}")
    full, _, chunks = (
        _measured(Case(way, vocabulary, 2048, 204)) for way in ("full", "kept", "chunks")
    )
    short, same, long = (
        _measured(Case("chunks", vocabulary, row, targets))
        for row, targets in ((1024, 102), (4096, 102), (4096, 2040))
    )
    body = [_measured(Case("kept", _SMALL_VOCABULARY, row, 102)) for row in (1024, 4096)]
    share = chunks / full
    of_body = body[1] - body[0]
    growth = long - short - of_body
    print(f"chunks, of full logits                          {share:.2f}   bar: at most {_LARGEST_SHARE}")
    print(f"growth with the row alone, less the body's      {same - short - of_body:.0f} MiB")
    print(f"growth with row and targets, less the body's    {growth:.0f} MiB   bar: at most {_MOST_GROWTH_MIB}")
    return int(share > _LARGEST_SHARE or growth > _MOST_GROWTH_MIB)


def _measured(case: Case) -> float:
    """Measure in a fresh process, print a line, and return the extra peak in MiB."""
    command = [sys.executable, "-m", "benchmarks.train.memory", "--measure", json.dumps(case)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    numbers = f"{case.vocabulary:>12,}{case.row_length:>7,}{case.num_targets:>9,}"
    print(f"{case.way:8}{numbers}{found['extra_mib']:>11,.0f}{found['cpu_seconds']:>14.2f}", flush=True)
    return found["extra_mib"]


def measure(case: Case) -> dict[str, float]:
    """Train on one row, twice."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, batch = _model(case), _batch(case)
    if case.way == "kept":
        chunked.max_positions = lambda network: case.num_targets
    _step(case, model, batch, passes=0)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is in use
    began = time.process_time()
    _step(case, model, batch, passes=_PASSES)
    seconds = (time.process_time() - began) / _PASSES
    return {"extra_mib": _status("VmHWM") - before, "cpu_seconds": seconds}
