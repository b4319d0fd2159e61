"""From text to token shards: MB a second against a bare loop of `tokenizers`, and memory as text grows.

    python -m benchmarks.data.shards $SECONDWIND_DATA/pretrain/en_modern.jsonl.gz
    python -m benchmarks.data.shards TEXT... --megabytes 100      a tenth of it, in minutes

The text is repeated, sentences in another order each time, until there are 1000 MB of it. Each figure is
taken in a process of its own. Two bars, and an exit code of 1 below either:

    speed    one process reads, encodes and seals at least 0.8 of the tokens per CPU second that a bare loop
             of `encode_batch_fast` encodes, on the same documents in memory
    memory   the peak for all of the text is at most 1.15 times the peak for a tenth of it

Rates are megabytes of UTF-8 text. The bare loop takes the ids of each document, and does nothing with them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.data.text import trained_tokenizer

from secondwind.data import Faults, prepare, read_documents
from secondwind.vocabulary import Vocabulary

_MEGABYTE = 1_000_000
_FEWEST_OF_BARE, _MOST_GROWTH = 0.8, 1.15
_BARE_MEGABYTES, _BARE_BATCH = 20, 64
_NUM_SENTINELS = 100


def main() -> int:
    """Measure, print, and compare with the bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("text", nargs="*", help="text, JSONL or Parquet files; none takes $SECONDWIND_DATA")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--measure", nargs=3, metavar=("WHAT", "FILE", "WORKERS"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.measure:
        what, file, workers = told.measure
        print(json.dumps(_MEASURES[what](Path(file), int(workers))))
        return 0
    sources = told.text or [f"{os.environ['SECONDWIND_DATA']}/pretrain/en_modern.jsonl.gz"]
    with tempfile.TemporaryDirectory() as folder:
        return compare(Path(folder), sources, told.megabytes)


def compare(folder: Path, sources: list[str], megabytes: int) -> int:
    """Make the text in `folder`, measure it, and return the exit code."""
    sizes = {"bare": min(_BARE_MEGABYTES, megabytes), "tenth": megabytes // 10, "whole": megabytes}
    for name, size in sizes.items():
        write_text(folder / f"{name}.jsonl", sources, size)
    trained_tokenizer(sources[0]).save(str(folder / "tokenizer.json"))
    bare, alone = _raced(folder / "bare.jsonl")
    workers = os.cpu_count() or 1
    tenth = _measured("prepare", folder / "tenth.jsonl", workers)
    whole = _measured("prepare", folder / "whole.jsonl", workers)
    _tell(f"bare loop, {sizes['bare']} MB", bare)
    _tell(f"shards, {sizes['bare']} MB, 1 process", alone)
    _tell(f"shards, {sizes['tenth']} MB, {workers} workers", tenth)
    _tell(f"shards, {sizes['whole']} MB, {workers} workers", whole)
    speed = alone["tokens"] / alone["cpu_seconds"] / (bare["tokens"] / bare["cpu_seconds"])
    growth = whole["peak_megabytes"] / tenth["peak_megabytes"]
    print(f"tokens per CPU second, of the bare loop's   {speed:.2f}   bar: at least {_FEWEST_OF_BARE}")
    print(f"peak memory, of that for a tenth            {growth:.2f}   bar: at most {_MOST_GROWTH}")
    return int(speed < _FEWEST_OF_BARE or growth > _MOST_GROWTH)


def write_text(path: Path, sources: list[str], megabytes: int) -> None:
    """Write so much JSONL: the documents again and again, no two alike."""
    left = megabytes * _MEGABYTE
    with path.open("w", encoding="utf-8") as file:
        for text in _texts(sources):
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
            left -= len(text.encode())
            if left <= 0:
                return


def _texts(sources: list[str]) -> Iterator[str]:
    for turn in count():
        for source in sources:
            for document in read_documents(source, faults=Faults()):
                sentences = document.text.split(". ")
                if turn:
                    Random(f"{turn} {document.id}").shuffle(sentences)
                    sentences[0] = f"{turn} {sentences[0]}"
                yield ". ".join(sentences)


def _raced(file: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Take the best of three turns of each, one after the other: a busy machine is only ever slower."""
    turns = [(_measured("bare", file, 1), _measured("prepare", file, 1)) for _ in range(3)]
    bare, alone = (min(found, key=lambda one: one["cpu_seconds"]) for found in zip(*turns, strict=True))
    return bare, alone


def _measured(what: str, file: Path, workers: int) -> dict[str, float]:
    """Measure in a fresh process, so that its memory is its own."""
    command = [sys.executable, "-m", "benchmarks.data.shards", "--measure", what, str(file), str(workers)]
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


class _Peak:
    """The largest resident size of this process and its children together, at any report of progress."""

    most = 0.0

    @classmethod
    def look(cls, *_: int) -> None:
        cls.most = max(cls.most, _peak_megabytes())


def _peak_megabytes() -> float:
    """Add up the high-water marks of this process and of the children it has now.

    Not `getrusage`, which counts what a child shared with its parent before it became another program.
    """
    threads = Path("/proc/self/task").iterdir()
    children = [child for thread in threads for child in (thread / "children").read_text().split()]
    return sum(_high_water_megabytes(process) for process in ("self", *children))


def _high_water_megabytes(process: str) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def _timed(work: Callable[[], int], file: Path) -> dict[str, float]:
    started, before = time.perf_counter(), _cpu_seconds()
    tokens = work()
    return {
        "megabytes": file.stat().st_size / _MEGABYTE,
        "tokens": tokens,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": _cpu_seconds() - before,
        "peak_megabytes": max(_Peak.most, _peak_megabytes()),
    }


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class _Tokenizer:
    """The tokenizer beside the text, with what preparing asks for."""

    def __init__(self, file: Path) -> None:
        from tokenizers import Tokenizer

        self.backend_tokenizer: Any = Tokenizer.from_file(str(file.with_name("tokenizer.json")))


def _bare(file: Path, _workers: int) -> dict[str, float]:
    backend = _Tokenizer(file).backend_tokenizer
    texts = [document.text for document in read_documents(file, faults=Faults())]
    batches = [texts[start : start + _BARE_BATCH] for start in range(0, len(texts), _BARE_BATCH)]

    def work() -> int:
        encoded = (backend.encode_batch_fast(batch, add_special_tokens=False) for batch in batches)
        return sum(len(document.ids) for batch in encoded for document in batch)

    return _timed(work, file)


def _prepare(file: Path, workers: int) -> dict[str, float]:
    tokenizer: Any = _Tokenizer(file)
    size = tokenizer.backend_tokenizer.get_vocab_size()
    special = iter(range(size, size + _NUM_SENTINELS + 5))
    vocabulary = Vocabulary(
        size=size + 128,
        eos=next(special),
        pad=next(special),
        bos=None,
        sentinels=tuple(next(special) for _ in range(_NUM_SENTINELS)),
        modes={"R": next(special), "S": next(special), "X": next(special)},
    )

    def work() -> int:
        faults = Faults()
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            corpus = prepare(
                read_documents(file, faults=faults),
                tokenizer,
                vocabulary,
                Path(folder) / "corpus",
                held_out=0.0,
                faults=faults,
                identity={},
                workers=workers,
                progress=_Peak.look,
            )
            assert not faults.total, faults.to_json()
            return corpus.train.num_tokens

    return _timed(work, file)


_MEASURES = {"bare": _bare, "prepare": _prepare}


def _tell(what: str, found: dict[str, float]) -> None:
    rate = found["megabytes"] / found["seconds"]
    tokens = found["tokens"] / found["cpu_seconds"] / 1e6
    print(
        f"{what:<34} {rate:7.2f} MB/s  {tokens:6.3f} M tokens per CPU s  {found['seconds']:7.1f} s  "
        f"peak {found['peak_megabytes']:,.0f} MB"
    )


if __name__ == "__main__":
    raise SystemExit(main())
