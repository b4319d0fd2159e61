"""Race denoising against its peers on one core: raw tokens a second, UL2's seven denoisers at equal rates.

    make bench-denoise                                    the environment of the seqio peer, then the race
    python -m benchmarks.denoise.bench --rounds 3         fewer rounds
    python -m benchmarks.denoise.bench --json             the figures alone

All take turns in every round, three laps each, and every figure is processor time. What counts is the best
lap of each: on a shared machine the others measure the neighbours. Beside the ratio stand the lowest and
the highest of single rounds. Ours is timed on rows that no cache holds, as its bound is.

    ours          secondwind.denoise.denoise_many
    collator      the algorithm of Hugging Face's T5 MLM collator, in numpy
    seqio         T5's own tf.data pipeline, in its own environment
    plain Python  lists only
    DRAM copy     copying as many bytes as ours writes: no code could be faster

Exit code 1 where ours is below a bar, 2 where the seqio peer is missing.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from benchmarks.denoise import environment, hf_collator, plain_python
from benchmarks.denoise.table import EOS, LAST_SENTINEL, NUM_ORDINARY, raw_rows

from secondwind.denoise import UL2, denoise_many
from secondwind.vocabulary import Vocabulary

LENGTHS = (512, 2048, 8192)
NUM_SENTINELS = 4096
_LAPS = 3
OURS_TOKENS, PEER_TOKENS, PLAIN_TOKENS = 1 << 24, 1 << 20, 1 << 18

Bars = dict[str, dict[int, float]]
BARS: Bars = {
    "collator": {512: 20, 2048: 12, 8192: 10},
    "seqio": dict.fromkeys(LENGTHS, 30),
    "DRAM copy": dict.fromkeys(LENGTHS, 0.15),
}

Seconds = float
Lap = Callable[[], tuple[Seconds, int]]  # processor time, and the raw tokens done in it


class Figure(NamedTuple):
    """One ratio of rates, ours over a peer's: over the rounds, and its bar."""

    length: int
    peer: str
    tokens_per_second: float
    ratio: float
    lowest: float
    highest: float
    bar: float | None

    @property
    def holds(self) -> bool:
        """Tell whether the bar is reached."""
        return self.bar is None or self.ratio >= self.bar


def race(length: int, rounds: int, ask_seqio: Callable[[dict[str, int]], dict[str, Any]]) -> list[Figure]:
    """Let all take turns at one row length."""
    vocabulary = Vocabulary(
        size=LAST_SENTINEL + 1,
        eos=EOS,
        pad=0,
        bos=None,
        sentinels=tuple(LAST_SENTINEL - number for number in range(NUM_SENTINELS)),
        modes={},
    )
    denoisers = [replace(denoiser, mode=None) for denoiser, _ in UL2]  # peers write no mode token
    rows, choice = raw_rows(length, OURS_TOKENS // length, 0)
    tokens, offsets = rows.ravel(), np.arange(len(rows) + 1) * length
    keys, ends = np.arange(len(rows), dtype=np.uint64), np.ones(len(rows), dtype=np.bool_)

    def ours() -> int:
        made = denoise_many(tokens, offsets, denoisers, choice, vocabulary, keys=keys, ends_document=ends)
        return len(made.inputs) + len(made.targets)

    written = ours()  # compiles, and warms the pages
    source, target = np.ones(written, dtype=np.int32), np.zeros(written, dtype=np.int32)

    def copy() -> None:
        np.copyto(target, source)

    laps: dict[str, Lap] = {
        "ours": lambda: (_clock(ours), tokens.size),
        "DRAM copy": lambda: (_clock(copy), tokens.size),
        "collator": _peer(hf_collator.corrupt_rows, length, PEER_TOKENS),
        "plain Python": _peer(plain_python.corrupt_rows, length, PLAIN_TOKENS),
        "seqio": lambda: _told(ask_seqio({"length": length, "rows": PEER_TOKENS // length, "seed": 0})),
    }
    rates: dict[str, list[float]] = {name: [] for name in laps}
    for _ in range(rounds):
        for name, lap in laps.items():
            rates[name].append(max(done / seconds for seconds, done in (lap() for _ in range(_LAPS))))
    return [_figure(length, name, rates["ours"], rates[name]) for name in laps]


def _figure(length: int, peer: str, ours: list[float], theirs: list[float]) -> Figure:
    paired = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    bar = BARS.get(peer, {}).get(length)
    return Figure(length, peer, max(theirs), max(ours) / max(theirs), min(paired), max(paired), bar)


def _clock(work: Callable[[], Any]) -> Seconds:
    started = time.process_time()
    work()
    return time.process_time() - started


def _peer(corrupt_rows: Callable[..., int], length: int, num_tokens: int) -> Lap:
    rows, choice = raw_rows(length, num_tokens // length, 0)
    listed, rng = list(rows), np.random.default_rng(0)
    return lambda: (_clock(lambda: corrupt_rows(listed, choice, rng)), rows.size)


def _told(answer: dict[str, Any]) -> tuple[Seconds, int]:
    return answer["seconds"], answer["tokens"]


@contextmanager
def seqio_peer(command: list[str]) -> Iterator[Callable[[dict[str, int]], dict[str, Any]]]:
    """Keep the peer's process for the whole race; it answers one line per question."""
    with subprocess.Popen(
        command, cwd=environment.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None

        def ask(question: dict[str, int]) -> dict[str, Any]:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            if not answer:
                raise SystemExit(f"the seqio peer ended with exit code {process.wait()}")
            return json.loads(answer)

        yield ask
        process.stdin.close()


def print_table(figures: list[Figure]) -> None:
    """Print one line per length and peer."""
    print(f"{'length':>6}  {'what':<13} {'M tokens/s':>10} {'ours / it':>10} {'lowest .. highest':>19}  bar")
    for figure in figures:
        spread = f"{figure.lowest:.3g} .. {figure.highest:.3g}"
        bar = "" if figure.bar is None else f">= {figure.bar:g}{'' if figure.holds else '  MISSED'}"
        print(
            f"{figure.length:>6}  {figure.peer:<13} {figure.tokens_per_second / 1e6:>10.3g} "
            f"{figure.ratio:>10.3g} {spread:>19}  {bar}"
        )


def main() -> int:
    """Run the race."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each at each length")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    command = environment.peer_command()
    if command is None:
        print("no seqio peer. Make it: python -m benchmarks.denoise.environment", file=sys.stderr)
        return 2
    assert NUM_ORDINARY < LAST_SENTINEL - NUM_SENTINELS
    with seqio_peer(command) as ask:
        figures = [figure for length in LENGTHS for figure in race(length, arguments.rounds, ask)]
    if arguments.json:
        print(json.dumps([figure._asdict() for figure in figures], indent=1))
    else:
        print_table(figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
