"""The rows of each stage, from a recipe's sections: where objectives meet data.

    ul2r   corpus -> windows under denoisers -> packed rows
    clm    the same documents in the same order -> contiguous windows, as many tokens per row
    flan   tasks -> instruction examples -> packed rows

Rows depend on the recipe and the seed alone, so every arm that shares a stage sees the same rows, and
all Flan arms of one seed see the same rows too.
"""

from dataclasses import dataclass
from functools import lru_cache

from secondwind.data import ControlStream, MixedSource, Packer, RowSource, Stream
from secondwind.denoise import CAUSAL, DenoisedCorpus
from secondwind.errors import RecipeError
from secondwind.example import ExampleSource
from secondwind.instruct import InstructionSource
from secondwind.recipe import Ul2rSection
from secondwind.study.ground import Ground
from secondwind.study.mixtures import denoiser_mixture, instruction_settings


@dataclass(frozen=True, eq=False)
class StageRows:
    """The rows of one stage and what they are made from.

    Args:
        rows: what the loop reads.
        source: the examples behind the rows; None for the control, whose rows are cut from documents.
        row_length: tokens per row.
    """

    rows: RowSource
    source: ExampleSource | None
    row_length: int


@lru_cache(maxsize=4)  # pure; the Flan arms of one seed share their rows, and plans are costly
def stage_rows(ground: Ground, stage: str, seed: int) -> StageRows:
    """Build the rows of a stage: `ul2r`, `clm` or `flan`.

    Raises:
        RecipeError: the recipe has no section for the stage.
    """
    if stage == "flan":
        return _flan_rows(ground, seed)
    section = ground.recipe.ul2r
    if section is None or ground.corpus is None:
        raise RecipeError(f"the stage {stage} needs the sections ul2r and corpus. Add them to the recipe.")
    source = denoised_corpus(ground, section, seed)
    packer = Packer(section.row_length, ground.vocabulary)
    stream = Stream(source, packer, seed=seed)
    if stage == "ul2r":
        return StageRows(stream, source, section.row_length)
    control = ControlStream(ground.corpus.train, stream, ground.vocabulary, section.row_length, seed)
    return StageRows(control, None, section.row_length)


def denoised_corpus(ground: Ground, section: Ul2rSection, seed: int) -> DenoisedCorpus:
    """Put the corpus under the recipe's mixture of denoisers."""
    assert ground.corpus is not None
    return DenoisedCorpus(
        ground.corpus.train,
        denoiser_mixture(section),
        ground.vocabulary,
        seed=seed,
        room=section.row_length // section.examples_per_row,
        mode_token_dropout=section.mode_token_dropout,
    )


def _flan_rows(ground: Ground, seed: int) -> StageRows:
    section = ground.recipe.flan
    if section is None:
        raise RecipeError("the stage flan needs the section flan. Add it to the recipe.")
    settings = instruction_settings(section, frozenset(task.collection for task in ground.tasks))
    tasks = InstructionSource(ground.tasks, ground.tokenizer, ground.vocabulary, settings, seed)
    source: ExampleSource = tasks
    if section.corpus_share > 0:
        assert ground.corpus is not None
        plain = DenoisedCorpus(
            ground.corpus.train, CAUSAL, ground.vocabulary, seed=seed, room=section.row_length // 2
        )
        source = MixedSource([tasks, plain], [1 - section.corpus_share, section.corpus_share])
    stream = Stream(source, Packer(section.row_length, ground.vocabulary), seed=seed)
    return StageRows(stream, source, section.row_length)


def raw_tokens_read(stage: StageRows, num_rows: int) -> int | None:
    """Count the corpus tokens behind the first rows of UL2R or its control; None for instructions.

    Both arms train on equally many tokens, but UL2R's include sentinels and mode tokens.
    """
    if isinstance(stage.rows, ControlStream):
        return stage.rows.tokens_read(num_rows)
    if isinstance(stage.rows, Stream) and isinstance(stage.source, DenoisedCorpus):
        read = (stage.rows.examples(number).tolist() for number in range(num_rows))
        return sum(stage.source.window_length(index) for examples in read for index in examples)
    return None
