"""What a recipe's protocols ask: suites by name, and the study's own held-out text.

toy          the toy world's benchmarks
perplexity   the study's held-out documents
infilling    blanks in the study's held-out documents
others       read from evaluation.data
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from secondwind import toyworld
from secondwind.data import Faults
from secondwind.errors import RecipeError
from secondwind.evaluation import PerplexityBenchmark, Protocol, Suite
from secondwind.evaluation.benchmarks import load_suite
from secondwind.evaluation.benchmarks.blanks import infilling_benchmark
from secondwind.runs import canonical_json, write_atomically
from secondwind.study.ground import Ground

_EMBEDDED = ("toy", "perplexity", "infilling")
_PERPLEXITY = "perplexity"
_PASSAGE_TOKENS = 400  # of a held-out document; enough for one item, whatever the document's length


def protocols(ground: Ground) -> list[Protocol]:
    """List every protocol of the recipe under every attention; suites are read once."""
    evaluation = ground.recipe.evaluation
    faults = Faults()
    suites = {section.suite: suite_of(ground, section.suite, faults) for section in evaluation.protocols}
    if faults.total:
        write_atomically(ground.out / "evaluations" / "faults.json", canonical_json(faults.to_json()))
    token = None if evaluation.mode_token == "none" else evaluation.mode_token
    found: list[Protocol] = []
    for section in evaluation.protocols:
        for attention in evaluation.attention:
            if section.suite == _PERPLEXITY and attention != evaluation.attention[0]:
                continue  # documents have no inputs, so every mask reads them causally
            found.append(
                Protocol(
                    suites[section.suite],
                    mode=section.mode,
                    attention=attention,
                    mode_token=token,
                    samples=section.samples,
                    temperature=section.temperature,
                    limit=section.limit or evaluation.limit,
                )
            )
    return found


def suite_of(ground: Ground, name: str, faults: Faults) -> Suite:
    """Return a suite of the toy world, of the study's held-out text, or of evaluation.data.

    Args:
        faults: receives the records of the suite's files that cannot be asked.

    Raises:
        RecipeError: the suite needs held-out documents and the recipe holds out none.
        DataError: unknown name, or missing files.
    """
    if name == "toy":
        return toyworld.suite()
    if name not in _EMBEDDED:
        data = ground.recipe.evaluation.data
        return load_suite(name, None if data is None else Path(data), faults=faults)
    if ground.corpus is None or ground.corpus.held_out is None:
        raise RecipeError(
            f"suite '{name}' is made from held-out documents, and the recipe holds out none. Add a corpus, "
            "and raise corpus.held_out (for example to 1%)."
        )
    if name == _PERPLEXITY:
        return Suite(name, perplexity=(PerplexityBenchmark(name, ground.corpus.held_out),))
    return Suite(name, infilling=(infilling_benchmark(_passages(ground)),))


def suite_sizes(ground: Ground) -> dict[str, int]:
    """Count the items of every benchmark that the recipe asks."""
    sizes: dict[str, int] = {}
    for protocol in protocols(ground):
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
