"""This engine on rows of UL2R, under the prefix mask and under the causal one, turn by turn in one process.

Both see the same rows: windows of drawn documents under U-PaLM's denoisers, two examples a row. Losses are
not compared: the weights go on from turn to turn.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from benchmarks.train.job import Answer, Job
from benchmarks.train.laps import Laps
from benchmarks.train.ours import loaded, run

from secondwind.data import Packer, Stream, TokenShards
from secondwind.denoise import U_PALM, DenoisedCorpus
from secondwind.model.load import LanguageModel
from secondwind.training.records import StepReport
from secondwind.vocabulary import Vocabulary

MASKS = ("prefix", "causal")
_DOCUMENT_TOKENS, _CORPUS_TOKENS = 700, 400_000


def race(job: Job, answer: Path) -> None:
    """Write one answer for each mask, beside where a single one would stand."""
    start = Laps(job.device)
    model = loaded(job, "prefix")
    views = {mask: model.with_attention(mask) for mask in MASKS}
    rows = ul2r_rows(job, model.vocabulary)
    rows.row(0)  # loads the compiled code
    start.begin()
    answers = {mask: Answer(start_seconds=start.answer.start_seconds) for mask in MASKS}
    for turn in range(job.turns):
        # Whoever comes second finds a warmer machine: they take turns at that, too.
        for mask in MASKS if turn % 2 == 0 else MASKS[::-1]:
            answers[mask] = _joined(answers[mask], _turn(views[mask], rows, job))
    for mask, found in answers.items():
        found.write(answer.with_suffix(f".{mask}.json"))


def _turn(model: LanguageModel, rows: Stream, job: Job) -> Answer:
    laps, seen = Laps(job.device), [0]

    def border(report: StepReport) -> None:
        laps.border()
        seen.append(report.tokens)

    laps.begin()
    run(model, rows, job, job.rows_per_pass, border)
    laps.answer.tokens = np.diff(seen).tolist()
    return laps.answer


def ul2r_rows(job: Job, vocabulary: Vocabulary, *, document_tokens: int = _DOCUMENT_TOKENS) -> Stream:
    """Return rows of U-PaLM's mixture over documents of drawn tokens, mostly of about `document_tokens`."""
    draws = np.random.default_rng(1)
    num_documents = max(50, _CORPUS_TOKENS // document_tokens)
    lengths = draws.lognormal(np.log(document_tokens), 0.8, num_documents).astype(np.int64) + 2
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tokens = draws.integers(0, min(vocabulary.names), int(offsets[-1]), dtype=np.int32)
    shards = TokenShards(tokens, offsets, folder=Path("nowhere"), fingerprint="drawn")
    source = DenoisedCorpus(shards, U_PALM, vocabulary, seed=1, room=job.row_length // 2)
    return Stream(source, Packer(job.row_length, vocabulary), seed=1)


def _joined(before: Answer, after: Answer) -> Answer:
    """Append the timed laps of a turn; its warm-up is dropped here already."""
    return replace(
        before,
        cpu_seconds=before.cpu_seconds + after.cpu_seconds[1:],
        wall_seconds=before.wall_seconds + after.wall_seconds[1:],
        tokens=before.tokens + after.tokens[1:],
        extra_peak_bytes=max(before.extra_peak_bytes, after.extra_peak_bytes),
        peak_is_clean=before.peak_is_clean and after.peak_is_clean,
    )
