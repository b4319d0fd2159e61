"""Record what T5's own span corruption does: tests/golden/t5_span_corruption.json.

    .venv-peers/denoise/bin/python scripts/make_t5_golden.py

Runs in the environment of benchmarks/denoise/requirements-seqio.txt, not in the project's. It calls
the functions of the released package and writes down, for each case, the shuffles in the order in
which T5 asked for them, the mask, the inputs and the targets:

    tokens    100 101 102 103 104 105 106 107         token i has the id 100 + i
    shuffles  {"size": 3, "ones": [0]}                a new span begins after noise token 0
              {"size": 3, "ones": [1]}                a new span begins after kept token 1
    mask      [2, 1, 2, 3]                            run lengths: kept, hidden, kept, hidden
    inputs    100..101 <0> 103..104 <1>               <k> is the k-th sentinel, a..b a run of ids
    targets   <0> 102 <1> 105..107

Source: T5 (arXiv:1910.10683, section 3.1.4) and the package `t5`, functions named in FUNCTIONS.
"""

import argparse
import hashlib
import inspect
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np  # noqa: E402
import seqio  # noqa: E402
import t5  # noqa: E402
import tensorflow as tf  # noqa: E402
from t5.data import preprocessors  # noqa: E402

TARGET = Path(__file__).parents[1] / "tests" / "golden" / "t5_span_corruption.json"
REQUIREMENTS = "benchmarks/denoise/requirements-seqio.txt"
COMMAND = ".venv-peers/denoise/bin/python scripts/make_t5_golden.py"
# The three functions read the same at this commit as in the package; its line numbers differ.
PERMALINK = (
    "https://github.com/google-research/text-to-text-transfer-transformer/blob/"
    "2bb173224c7ee64b43885471a65b77e3faa173a0/t5/data/preprocessors.py"
)
FUNCTIONS = (
    preprocessors.random_spans_noise_mask,
    preprocessors.noise_span_to_unique_sentinel,
    preprocessors.nonnoise_span_to_unique_sentinel,
)

FIRST_TOKEN = 100
LAST_SENTINEL = (1 << 20) - 1  # T5 counts sentinels down from the end of the vocabulary
VOCABULARY = SimpleNamespace(vocab_size=LAST_SENTINEL + 1)

# UL2 (arXiv:2205.05131, Table 1), U-PaLM (arXiv:2210.11399, section 3.3), T5Gemma 2 (arXiv:2512.14856).
SETTINGS = (
    (0.15, 3.0),
    (0.15, 8.0),
    (0.5, 3.0),
    (0.5, 8.0),
    (0.15, 64.0),
    (0.5, 64.0),
    (0.15, 32.0),
    (0.5, 12.0),
    (0.5, 32.0),
)
LENGTHS = (2, 3, 17, 114, 512)
LONG = ((2048, 0.15, 3.0), (2048, 0.5, 3.0), (2048, 0.15, 64.0), (1999, 0.15, 32.0))
# L * r, or n / mu, ends in exactly .5; some round down, some up.
HALVES = (
    (5, 0.5, 3.0),
    (7, 0.5, 3.0),
    (8, 0.5, 8.0),
    (24, 0.5, 8.0),
    (40, 0.5, 8.0),
    (10, 0.15, 3.0),
    (30, 0.15, 3.0),
    (70, 0.15, 8.0),
    (192, 0.5, 64.0),
    (320, 0.5, 64.0),
)
# More spans than kept tokens: T5 has no answer, Second Wind takes fewer spans.
CLIPPED = ((3, 0.5, 1.0), (9, 0.75, 1.5), (10, 0.8, 1.0), (20, 0.9, 2.0))
LONGEST_SCANNED = 8192
NUM_FLOAT32_CASES = 3
MASKS = {"num_tokens": 10, "corruption_rate": 0.4, "mean_span_length": 1.5, "draws": 20_000}


class Setting(NamedTuple):
    """One question to T5."""

    num_tokens: int
    corruption_rate: float
    mean_span_length: float


class Recorder:
    """Stands in for `seqio.stateless_shuffle`: calls it, and keeps what came out."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._original = seqio.stateless_shuffle
        self.shuffles: list[dict[str, Any]] = []

    def __enter__(self) -> "Recorder":
        """Listen."""
        seqio.stateless_shuffle = self._shuffle
        return self

    def __exit__(self, *problem: object) -> None:
        """Stop listening."""
        seqio.stateless_shuffle = self._original

    def _shuffle(self, value: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shuffled = self._original(value, seed)
        ones = np.flatnonzero(shuffled.numpy()).tolist()
        self.shuffles.append({"size": int(tf.size(value)), "seed": np.asarray(seed).tolist(), "ones": ones})
        return shuffled


def noise_mask(setting: Setting, seeds: Any) -> tf.Tensor:
    """Ask T5 for a mask."""
    return preprocessors.random_spans_noise_mask(
        tf.constant(setting.num_tokens), setting.corruption_rate, seeds, setting.mean_span_length
    )


def record(setting: Setting, seeds: list[list[int]]) -> dict[str, Any]:
    """Ask T5 for one example; where it fails, record that."""
    case: dict[str, Any] = {**setting._asdict(), "seeds": seeds}
    with Recorder() as recorder:
        try:
            mask = noise_mask(setting, tf.constant(seeds))
        except tf.errors.InvalidArgumentError as problem:
            reason = problem.message.partition("Shapes")  # the rest names addresses
            return {
                **case,
                "clipped": True,
                "shuffles": recorder.shuffles,
                "error": f"{type(problem).__name__}: {reason[1]}{reason[2].partition(' [Op')[0]}",
            }
    tokens = FIRST_TOKEN + tf.range(setting.num_tokens)
    inputs = preprocessors.noise_span_to_unique_sentinel(tokens, mask, VOCABULARY, seeds=None)
    targets = preprocessors.nonnoise_span_to_unique_sentinel(tokens, mask, VOCABULARY, seeds=None)
    return {
        **case,
        "shuffles": recorder.shuffles,
        "mask": run_lengths(mask.numpy()),
        "inputs": spelled(inputs.numpy().tolist()),
        "targets": spelled(targets.numpy().tolist()),
    }


def run_lengths(mask: np.ndarray) -> list[int]:
    """Return the lengths of runs, the first of them kept: `. # # .` becomes 1 2 1."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0))
    return np.diff(edges, prepend=0, append=len(mask)).tolist()


def spelled(ids: list[int]) -> str:
    """Write ids as sentinels `<k>` and runs `a..b`."""
    words: list[str] = []
    start = 0
    for place, token in enumerate(ids):
        last = place + 1 == len(ids) or ids[place + 1] != token + 1
        if last:
            words.append(f"{ids[start]}..{token}" if place > start else named(token))
            start = place + 1
    return " ".join(words)


def named(token: int) -> str:
    """Write one id."""
    sentinel = LAST_SENTINEL - token
    return f"<{sentinel}>" if sentinel < LAST_SENTINEL // 2 else str(token)


def float32_lengths(rate: float) -> list[int]:
    """Find the lengths at which T5's number of noise tokens is not what float64 gives.

    Every length whose float32 product might round otherwise is put to T5 itself.
    """
    lengths = np.arange(2, LONGEST_SCANNED + 1)
    single = np.rint(lengths.astype(np.float32) * np.float32(rate))
    double = np.rint(lengths * rate)
    near_half = np.abs(lengths * rate % 1 - 0.5) < 1e-2
    differing: list[int] = []
    for place in np.flatnonzero(near_half | (single != double)):
        length = int(lengths[place])
        exact = min(max(int(double[place]), 1), length - 1)
        if (
            int(tf.reduce_sum(tf.cast(noise_mask(Setting(length, rate, 64.0), [[0, 0], [0, 1]]), tf.int32)))
            != exact
        ):
            differing.append(length)
    return differing


def distribution() -> dict[str, int]:
    """Draw many masks of one small setting and count each."""
    setting = Setting(MASKS["num_tokens"], MASKS["corruption_rate"], MASKS["mean_span_length"])
    traced = tf.function(lambda seeds: noise_mask(setting, seeds))
    seen: Counter[str] = Counter()
    for draw in range(MASKS["draws"]):
        mask = traced(tf.constant([[draw, 0], [draw, 1]])).numpy()
        seen["".join("#" if hidden else "." for hidden in mask)] += 1
    return dict(sorted(seen.items()))


def settings(differing: list[int]) -> Iterator[Setting]:
    """Yield every case, the lengths at which float32 decides last."""
    for rate, mean in SETTINGS:
        yield from (Setting(length, rate, mean) for length in LENGTHS)
    yield from (Setting(*case) for case in (*LONG, *HALVES, *CLIPPED))
    yield from (Setting(length, 0.15, 3.0) for length in differing[:NUM_FLOAT32_CASES])


def provenance(differing: dict[str, list[int]]) -> dict[str, Any]:
    """Say where all this comes from, and what was found on the way."""
    return {
        "made_by": COMMAND,
        "made_on": datetime.now(UTC).date().isoformat(),
        "requirements": REQUIREMENTS,
        "versions": {
            "python": platform.python_version(),
            "t5": t5.__version__,
            "seqio": seqio.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
        "functions": [
            f"{f.__module__}.{f.__name__}, line {inspect.getsourcelines(inspect.unwrap(f))[1]}"
            for f in FUNCTIONS
        ],
        "permalink": PERMALINK,
        "sha256": {
            "t5/data/preprocessors.py": file_sha256(preprocessors.__file__),
            "seqio/utils.py": file_sha256(seqio.utils.__file__),
        },
        "notes": {
            "shuffles": "in the order in which T5 asks for them: noise tokens first, then kept tokens",
            "float32": "T5 computes L * r in float32. At these L its number of noise tokens is not "
            "rint(L * r) in float64, for 2 <= L <= 8192. Division by the mean span length never differs: "
            "n / 3 has no half, and n / 8, 12, 32 and 64 have exact ones.",
            "one_token": "T5 takes a window of 1 token for 2 and cuts the mask: nothing is hidden.",
        },
        "float32_lengths": differing,
    }


def file_sha256(path: str) -> str:
    """Hash a file of the reference."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def lines(parts: Iterable[str]) -> str:
    """Give every part a line of its own."""
    return ",\n".join(parts)


def write(path: Path) -> None:
    """Ask everything and write one line per case."""
    differing = {str(rate): float32_lengths(rate) for rate in sorted({rate for rate, _ in SETTINGS})}
    cases = []
    for number, setting in enumerate(settings(differing["0.15"])):
        case = record(setting, [[2 * number, 17], [2 * number + 1, 17]])
        decided = setting.num_tokens in differing.get(str(setting.corruption_rate), [])
        cases.append({**case, "float32": True} if decided else case)
    header = lines(
        f"{json.dumps(name)}: {json.dumps(value)}" for name, value in provenance(differing).items()
    )
    masks = json.dumps({**MASKS, "counts": distribution()})
    rows = lines(json.dumps(case, separators=(",", ":")) for case in cases)
    text = f'{{"provenance": {{\n{header}\n}},\n"masks": {masks},\n"cases": [\n{rows}\n]}}\n'
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {len(cases)} cases, {len(text) / 1000:.0f} kB, to {path}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Record what T5's own span corruption does.")
    parser.add_argument("--out", type=Path, default=TARGET)
    write(parser.parse_args().out)
