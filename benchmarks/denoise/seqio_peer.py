"""T5's own span corruption as a tf.data pipeline, raced over a pipe.

    .venv-peers/denoise/bin/python -m benchmarks.denoise.seqio_peer            race: one JSON line in, one out
    .venv-peers/denoise/bin/python -m benchmarks.denoise.seqio_peer --check    are all rows restored?

Asked, on standard input       {"length": 2048, "rows": 256, "seed": 0}
answers, on standard output    {"seconds": 0.11, "wall_seconds": 0.10, "tokens": 524288, "written": 612345}

`seconds` is processor time of the whole process, so that a shared machine does not count against it.
Every question is answered from a pipeline that has been run through once before. One thread, in
order, nothing fetched ahead; each denoiser reads the rows that are its own, as seqio mixes tasks.

In its favour: rows come cut to length, no EOS or mode token is added, and tokens are counted inside
TensorFlow, so that no row is handed to Python.

Source: `t5.data.preprocessors.denoise` with the mask of `span_corruption`, or of `prefix_lm` for S.
"""

import argparse
import json
import os
import sys
import time
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, TextIO

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from benchmarks.denoise.table import LAST_SENTINEL, SETTINGS, Setting, raw_rows, restored  # noqa: E402
from t5.data import preprocessors  # noqa: E402

FEATURES = {"targets": SimpleNamespace(vocabulary=SimpleNamespace(vocab_size=LAST_SENTINEL + 1))}


def pipeline(length: int, num_rows: int, seed: int) -> tf.data.Dataset:
    """Mix the corrupted rows of all denoisers, in the order that `raw_rows` gives them."""
    rows, choice = raw_rows(length, num_rows, seed)
    numbers = np.asarray(choice)
    parts = [_corrupted(rows[numbers == number], setting) for number, setting in enumerate(SETTINGS)]
    order = tf.data.Dataset.from_tensor_slices(numbers.astype(np.int64))
    mixed = tf.data.Dataset.choose_from_datasets(parts, order, stop_on_empty_dataset=False)
    return mixed.with_options(_options())


@cache
def counted(length: int, num_rows: int, seed: int) -> tf.data.Dataset:
    """Reduce a pipeline to the number of tokens written; the first run through it is made here."""
    lengths = pipeline(length, num_rows, seed).map(lambda e: tf.size(e["inputs"]) + tf.size(e["targets"]))
    total = lengths.batch(num_rows).map(tf.reduce_sum).with_options(_options())
    next(iter(total))
    return total


def answer(question: dict[str, int]) -> dict[str, Any]:
    """Run the pipeline once more, with the clock on."""
    length, num_rows = question["length"], question["rows"]
    total = counted(length, num_rows, question.get("seed", 0))
    wall, processor = time.perf_counter(), time.process_time()
    written = int(next(iter(total)))
    return {
        "seconds": time.process_time() - processor,
        "wall_seconds": time.perf_counter() - wall,
        "tokens": length * num_rows,
        "written": written,
    }


def check(length: int, num_rows: int) -> None:
    """Restore every row from what the pipeline wrote."""
    rows, _ = raw_rows(length, num_rows, 0)
    seen = 0
    for row, example in zip(rows, pipeline(length, num_rows, 0).as_numpy_iterator(), strict=True):
        assert restored(example["inputs"], example["targets"]) == row.tolist(), f"row {seen} is not restored"
        seen += 1
    assert seen == num_rows, f"{seen} rows of {num_rows} came out"


def serve(questions: TextIO, answers: TextIO) -> None:
    """Answer each line with a line until the questions end."""
    for line in questions:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def _corrupted(rows: np.ndarray, setting: Setting) -> tf.data.Dataset:
    """Let T5 corrupt the rows of one denoiser."""
    dataset = tf.data.Dataset.from_tensor_slices({"targets": rows})
    if setting.kind == "prefix":  # as in `prefix_lm`: T5 calls the prefix noise and drops the rest
        mask_fn = preprocessors.random_prefix_noise_mask
        inputs_fn, targets_fn = preprocessors.drop_nonnoise_tokens, preprocessors.drop_noise_tokens
    else:
        mask_fn = partial(preprocessors.random_spans_noise_mask, mean_noise_span_length=setting.mean)
        inputs_fn = preprocessors.noise_span_to_unique_sentinel
        targets_fn = preprocessors.nonnoise_span_to_unique_sentinel
    return preprocessors.denoise(
        dataset, FEATURES, setting.rate, mask_fn, inputs_fn=inputs_fn, targets_fn=targets_fn
    )


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False  # with one thread there is nothing to tune, and tuning costs time
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    options.experimental_optimization.inject_prefetch = False
    return options


def _private_stdout() -> TextIO:
    """Keep standard output for answers; whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def main() -> None:
    """Race, or check."""
    parser = argparse.ArgumentParser(description="Answer questions on standard input, or check.")
    parser.add_argument("--check", action="store_true", help="restore rows of several lengths, then end")
    checks = parser.parse_args().check
    answers = _private_stdout()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if not checks:
        serve(sys.stdin, answers)
        return
    for length in (8, 64, 512, 2048):
        check(length, num_rows=70)
        answers.write(f"length {length}: 70 rows restored\n")


if __name__ == "__main__":
    main()
