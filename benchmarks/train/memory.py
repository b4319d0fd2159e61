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
    growth   with twice the row and ten times the loss positions, `chunks` takes at most the arrays of a chunk
             more, 3 x 128 MiB, besides what a body with a vocabulary of 1,000 takes more
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
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

_LARGEST_SHARE, _MOST_GROWTH_MIB = 0.5, 3 * 128
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
    full, _, chunks = (_measured(Case(way, vocabulary, 2048, 204)) for way in ("full", "kept", "chunks"))
    _, long = (_measured(Case(way, vocabulary, 4096, 2040)) for way in ("kept", "chunks"))
    wide = _measured(Case("chunks", vocabulary, 4096, 204))
    body = [_measured(Case("kept", _SMALL_VOCABULARY, row, 204)) for row in (2048, 4096)]
    share, of_body = chunks / full, body[1] - body[0]
    growth = long - chunks - of_body
    print(f"chunks, of full logits                          {share:.2f}   bar: at most {_LARGEST_SHARE}")
    print(f"growth with the row alone, less the body's      {wide - chunks - of_body:.0f} MiB")
    print(
        f"growth with row and targets, less the body's    {growth:.0f} MiB   bar: at most {_MOST_GROWTH_MIB}"
    )
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
    network, batch = _network(case), _batch(case)
    loss = _all_logits(network, batch) if case.way == "full" else _targets_alone(network, batch, case)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is in use
    began = time.process_time()
    for _ in range(_PASSES):
        loss().backward()
    seconds = (time.process_time() - began) / _PASSES
    return {"extra_mib": _status("VmHWM") - before, "cpu_seconds": seconds}


def _network(case: Case) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=case.vocabulary,
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=case.row_length,
        )
    )


def _batch(case: Case) -> Batch:
    """Make one row of documents, each with its share of the targets at its end."""
    places = np.arange(case.row_length)
    documents = case.row_length // _DOCUMENT
    targets = np.full(documents, case.num_targets // documents)
    targets[: case.num_targets % documents] += 1
    from_end = _DOCUMENT - 1 - places % _DOCUMENT  # the last token predicts nothing
    loss_mask = (from_end >= 1) & (from_end <= targets[places // _DOCUMENT])
    tokens = np.random.default_rng(0).integers(2, case.vocabulary, case.row_length)
    return Batch(
        tokens=tokens[None].astype(np.int32),
        segment_ids=(1 + places // _DOCUMENT)[None].astype(np.int32),
        positions=(places % _DOCUMENT)[None].astype(np.int32),
        prefix_mask=np.zeros((1, case.row_length), dtype=np.bool_),
        loss_mask=loss_mask[None],
    )


def _all_logits(network: Any, batch: Batch) -> Callable[[], Tensor]:
    tokens = torch.from_numpy(batch.tokens).long()
    labels = torch.full_like(tokens, -100)
    predicted = torch.from_numpy(np.pad(batch.loss_mask[:, :-1], ((0, 0), (1, 0))))
    labels[predicted] = tokens[predicted]
    return lambda: network(input_ids=tokens, labels=labels, use_cache=False).loss


def _targets_alone(network: LlamaForCausalLM, batch: Batch, case: Case) -> Callable[[], Tensor]:
    vocabulary = Vocabulary(size=case.vocabulary, eos=1, pad=0, bos=None, sentinels=(), modes={})
    backend = settle_backend(network, "document", attention="causal").backend
    model = LanguageModel(network, None, vocabulary, "causal", backend, "")
    if case.way == "kept":
        chunked.max_positions = lambda network: case.num_targets
    return lambda: target_loss(model, batch).total / case.num_targets


def _status(name: str) -> float:
    """Return a size of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(found) / 1024


if __name__ == "__main__":
    sys.exit(main())
