"""From a text file to packed rows: tokens a second with tokenisation and without, and peak memory.

    python -m benchmarks.denoise.text_to_rows corpus.jsonl.gz
    python -m benchmarks.denoise.text_to_rows corpus.jsonl.gz --tokenizer MODEL --row-length 8192

Prints one line a stage: reading and encoding into shards, planning windows and rows on lengths, and
building rows (corrupting windows, packing them). Rates are raw corpus tokens per second of wall time;
memory is the largest resident size of the process up to there. Without --tokenizer a byte-level BPE of
16,384 ids is trained on the file's first 20 MB, outside the clock.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.data.text import trained_tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from secondwind.data import Faults, Packer, Stream, prepare, read_documents, steps_for_tokens
from secondwind.denoise import U_PALM, DenoisedCorpus, required_sentinels
from secondwind.vocabulary import Vocabulary

_BATCH_ROWS = 32


def main() -> None:
    """Time each stage on one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("text", type=Path, help="a text, JSONL or compressed file")
    parser.add_argument("--tokenizer", help="model folder or hub name; none trains one")
    parser.add_argument("--row-length", type=int, default=2048)
    parser.add_argument("--examples-per-row", type=int, default=2)
    parser.add_argument("--documents", type=int, help="read this many documents only")
    told = parser.parse_args()
    tokenizer: Any = _named(told.tokenizer) if told.tokenizer else _trained(told.text)
    room = told.row_length // told.examples_per_row
    needed = required_sentinels([denoiser for denoiser, _ in U_PALM], room)
    vocabulary = Vocabulary.adopt(tokenizer, num_sentinels=needed)
    with tempfile.TemporaryDirectory() as folder:
        started, faults = time.perf_counter(), Faults()
        documents = read_documents(str(told.text), text_field="text", limit=told.documents, faults=faults)
        corpus = prepare(
            documents,
            tokenizer,
            vocabulary,
            Path(folder) / "corpus",
            held_out=0.0,
            faults=faults,
            identity={},
        )
        shards = corpus.train
        encoding = time.perf_counter() - started
        print(f"{shards.num_documents:,} documents, {shards.num_tokens:,} tokens; row {told.row_length:,}")
        _tell("reading and encoding", shards.num_tokens, encoding)
        started = time.perf_counter()
        source = DenoisedCorpus(shards, U_PALM, vocabulary, seed=1, room=room, mode_token_dropout=0.2)
        stream = Stream(source, Packer(told.row_length, vocabulary), seed=1)
        num_rows = steps_for_tokens(stream, shards.num_tokens, 1)
        raw_tokens = int(source.window_lengths(stream.examples_of_first(num_rows)).sum())
        planning = time.perf_counter() - started
        _tell("planning windows and rows", raw_tokens, planning)
        stream.row(0)  # loads the kernel
        started = time.perf_counter()
        batches = (
            range(first, min(first + _BATCH_ROWS, num_rows)) for first in range(0, num_rows, _BATCH_ROWS)
        )
        packed = sum(row.num_tokens for batch in batches for row in stream.rows(batch))
        building = time.perf_counter() - started
        _tell("corrupting and packing", raw_tokens, building)
        _tell("all but encoding", raw_tokens, planning + building)
        _tell("text to rows", raw_tokens, encoding + planning + building)
        print(f"{num_rows:,} rows, filled to {packed / (num_rows * told.row_length):.2%}")


def _tell(stage: str, tokens: int, seconds: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{stage:<26} {tokens / seconds / 1e6:8.2f} M tokens/s {seconds:8.1f} s   peak {peak:,.0f} MiB")


def _named(name: str) -> Any:
    return AutoTokenizer.from_pretrained(name)


def _trained(path: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=trained_tokenizer(str(path)))


if __name__ == "__main__":
    main()
