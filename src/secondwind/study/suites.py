"""What a recipe's protocols ask: suites by name, and the study's own held-out text.

toy          the toy world's benchmarks
perplexity   the study's held-out documents
infilling    blanks in the study's held-out documents
others       read from evaluation.data
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from secondwind import toyworld
from secondwind.data import Faults
from secondwind.errors import RecipeError
from secondwind.evaluation import PerplexityBenchmark, Protocol, Suite
from secondwind.evaluation.benchmarks import load_suite
from secondwind.evaluation.benchmarks.blanks import infilling_benchmark
from secondwind.recipe import Recipe
from secondwind.study.ground import Ground

_PERPLEXITY = "perplexity"
_OWN_TEXT = (_PERPLEXITY, "infilling")
_PASSAGE_TOKENS = 400  # of a held-out document; enough for one item, whatever the document's length


def read_suites(recipe: Recipe, faults: Faults) -> dict[str, Suite]:
    """Read the suites that do not depend on the study's own text, so that a typo is found at once.

    Args:
        faults: receives the records of the suites' files that cannot be asked.

    Raises:
        DataError: unknown name, or missing files.
    """
    data = recipe.evaluation.data
    folder = None if data is None else Path(data)
    names = dict.fromkeys(section.suite for section in recipe.evaluation.protocols)
    return {
        name: toyworld.suite() if name == "toy" else load_suite(name, folder, faults=faults)
        for name in names
        if name not in _OWN_TEXT
    }


def protocols(ground: Ground, suites: Mapping[str, Suite]) -> list[Protocol]:
    """List every protocol of the recipe under every attention.

    Raises:
        RecipeError: a suite needs held-out documents and the recipe holds out none.
    """
    evaluation = ground.recipe.evaluation
    own = {section.suite for section in evaluation.protocols} & set(_OWN_TEXT)
    found = dict(suites) | {name: _own_suite(ground, name) for name in sorted(own)}
    token = None if evaluation.mode_token == "none" else evaluation.mode_token
    return [
        Protocol(
            found[section.suite],
            mode=section.mode,
            attention=attention,
            mode_token=token,
            samples=section.samples,
            temperature=section.temperature,
            limit=section.limit or evaluation.limit,
        )
        for section in evaluation.protocols
        for attention in evaluation.attention
        # Documents have no inputs, so every mask reads them causally: once is enough.
        if section.suite != _PERPLEXITY or attention == evaluation.attention[0]
    ]


def _own_suite(ground: Ground, name: str) -> Suite:
    """Make a suite from the study's held-out documents."""
    if ground.corpus is None or ground.corpus.held_out is None:
        raise RecipeError(
            f"suite '{name}' is made from held-out documents, and the recipe holds out none. Add a corpus, "
            "and raise corpus.held_out (for example to 1%)."
        )
    if name == _PERPLEXITY:
        return Suite(name, perplexity=(PerplexityBenchmark(name, ground.corpus.held_out),))
    return Suite(name, infilling=(infilling_benchmark(_passages(ground)),))


def suite_sizes(asked: Sequence[Protocol]) -> dict[str, int]:
    """Count the items of every benchmark that is asked."""
    sizes: dict[str, int] = {}
    for protocol in asked:
        suite = protocol.suite
        assert isinstance(suite, Suite)
        for benchmark in suite.benchmarks:
            if protocol.mode in benchmark.modes:
                counts = [len(subtask.task.records) for subtask in benchmark.subtasks]
                sizes[benchmark.name] = sum(min(count, protocol.limit or count) for count in counts)
        for blanks in suite.infilling:
            sizes[blanks.name] = min(len(blanks.items), protocol.limit or len(blanks.items))
    return sizes


def _passages(ground: Ground) -> Iterator[str]:
    """Yield a passage of each held-out document as text; long documents give several."""
    assert ground.corpus is not None and ground.corpus.held_out is not None
    documents = ground.corpus.held_out
    decode = cast(Any, ground.tokenizer).decode
    for number in range(documents.num_documents):
        tokens = documents.document(number)
        for start in range(0, len(tokens), 8 * _PASSAGE_TOKENS):
            yield str(decode(tokens[start : start + _PASSAGE_TOKENS].tolist()))
