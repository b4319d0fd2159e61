"""What `show` knows before a run: the resolved recipe, the mixture, the price, what can be resolved, rows.

Nothing is trained and nothing is kept: the base is adopted and the corpus encoded for the preview alone.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from secondwind import recipe as recipes
from secondwind.data import Faults, Stream, steps_for_tokens
from secondwind.denoise import DenoisedCorpus
from secondwind.evaluation import Suite
from secondwind.example import Example, Row
from secondwind.recipe import Recipe
from secondwind.study.facts import denoiser_table, examples_by_source
from secondwind.study.ground import Ground, lay_ground
from secondwind.study.monitor import Monitor
from secondwind.study.price import Price, price, resolution
from secondwind.study.rows import StageRows, stage_rows
from secondwind.study.run import stage_section
from secondwind.study.suites import protocols, read_suites

_MIXTURE_ROWS = 256
_DENOISER_COLUMNS = ("name", "rate", "realised_share", "examples")
_TASK_COLUMNS = (
    "task",
    "cluster",
    "licence",
    "examples",
    "cap",
    "intended_share",
    "realised_share",
    "mean_tokens",
)


@dataclass(frozen=True)
class Piece:
    """A stretch of text of one kind."""

    text: str
    target: bool
    special: bool


@dataclass(frozen=True)
class DrawnSegment:
    """One example of a row, ready to draw."""

    source: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, eq=False)
class DrawnRow:
    """One row: its arrays, its examples, and its text."""

    number: int
    row: Row
    examples: tuple[Example, ...]
    segments: tuple[DrawnSegment, ...]

    @property
    def num_tokens(self) -> int:
        """Count the tokens that are not padding."""
        return self.row.num_tokens

    @property
    def num_targets(self) -> int:
        """Count the predictions that carry loss."""
        return self.row.num_targets

    def to_json(self) -> dict[str, Any]:
        """Return the row as `show --json` prints it."""
        return {
            "tokens": self.row.tokens.tolist(),
            "segment_ids": self.row.segment_ids.tolist(),
            "positions": self.row.positions.tolist(),
            "prefix_mask": self.row.prefix_mask.tolist(),
            "loss_mask": self.row.loss_mask.tolist(),
            "examples": [
                {"source": e.source, "inputs": e.inputs.tolist(), "targets": e.targets.tolist()}
                for e in self.examples
            ],
        }


@dataclass(frozen=True, eq=False)
class Preview:
    """Everything `show` prints."""

    recipe: dict[str, Any]
    stage: str
    mixture: list[dict[str, Any]]
    cost: Price
    resolution: list[dict[str, Any]]
    rows: tuple[DrawnRow, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "recipe": self.recipe,
            "mixture": self.mixture,
            "cost": self.cost.to_json(),
            "resolution": self.resolution,
            "rows": [row.to_json() for row in self.rows],
        }


def preview(recipe: Recipe, *, stage: str, rows: int, monitor: Monitor) -> Preview:
    """Prepare a recipe's data in a folder that goes away, and describe what a run of it would do.

    Args:
        stage: whose mixture and rows: ul2r, clm or flan.
        rows: how many training rows to draw.
    """
    suites = read_suites(recipe, Faults())
    with tempfile.TemporaryDirectory() as scratch:
        ground = lay_ground(recipe, Path(scratch), monitor, train_base=False)
        return _preview(ground, suites, stage, rows)


def _preview(ground: Ground, suites: Mapping[str, Suite], stage: str, rows: int) -> Preview:
    recipe = ground.recipe
    has_stage = (recipe.flan if stage == "flan" else recipe.ul2r) is not None
    stage_data = stage_rows(ground, stage, recipe.seeds[0]) if has_stage or rows else None
    return Preview(
        recipe=recipe.model_dump(mode="json"),
        stage=stage,
        mixture=[] if stage_data is None else _mixture(ground, stage_data, stage),
        cost=price(ground),
        resolution=resolution(protocols(ground, suites)),
        rows=() if stage_data is None else tuple(_draw(ground, stage_data, n) for n in range(rows)),
    )


def _mixture(ground: Ground, stage: StageRows, name: str) -> list[dict[str, Any]]:
    """Return the mixture as it comes out over the stage, or over its first rows if it is long."""
    section = stage_section(ground.recipe, name)
    tokens = recipes.num_tokens(section.tokens, pretraining_tokens=ground.pretraining_tokens)
    steps = steps_for_tokens(stage.rows, min(tokens, _MIXTURE_ROWS * section.row_length), section.batch_rows)
    num_rows = steps * section.batch_rows
    if isinstance(stage.source, DenoisedCorpus):
        table = denoiser_table(stage.source, examples_by_source(stage, num_rows), {})
        return [{name: entry[name] for name in _DENOISER_COLUMNS} for entry in table]
    if stage.source is None:
        return [{"name": "clm", "rate": 1.0, "realised_share": 1.0}]
    assert isinstance(stage.rows, Stream)
    facts = getattr(stage.source, "facts", None)
    count = sum(len(stage.rows.examples(number)) for number in range(num_rows))
    tasks: list[dict[str, Any]] = [] if facts is None else facts(count)["tasks"]
    return [{name: entry[name] for name in _TASK_COLUMNS} for entry in tasks]


def _draw(ground: Ground, stage: StageRows, number: int) -> DrawnRow:
    row = stage.rows.row(number)
    examples = tuple(_examples(row, ground))
    segments = tuple(DrawnSegment(e.source, tuple(_pieces(e, ground))) for e in examples)
    return DrawnRow(number, row, examples, segments)


def _examples(row: Row, ground: Ground) -> Sequence[Example]:
    """Read the examples back out of a row: what is packed is what is drawn."""
    found: list[Example] = []
    for segment, source in enumerate(row.sources, start=1):
        inside = row.segment_ids == segment
        tokens, prefix = row.tokens[inside], row.prefix_mask[inside]
        start = 0 if ground.vocabulary.bos is None else 1
        inputs = tokens[start : int(np.count_nonzero(prefix))]
        found.append(Example(inputs, tokens[int(np.count_nonzero(prefix)) :], source))
    return found


def _pieces(example: Example, ground: Ground) -> Sequence[Piece]:
    """Decode an example in runs of ordinary tokens, special ones apart."""
    special = ground.vocabulary.reserved
    pieces: list[Piece] = []
    for tokens, target in ((example.inputs, False), (example.targets, True)):
        run: list[int] = []
        for token in tokens.tolist():
            if token not in special:
                run.append(token)
                continue
            pieces += _run(run, target, ground)
            run = []
            pieces.append(Piece(f" {ground.vocabulary.names.get(token, '?')}", target, special=True))
        pieces += _run(run, target, ground)
    return pieces


def _run(tokens: list[int], target: bool, ground: Ground) -> list[Piece]:
    return [Piece(ground.decode(tokens), target, special=False)] if tokens else []
