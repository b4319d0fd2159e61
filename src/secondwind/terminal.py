"""What a person sees in the terminal: progress, tables, drawn rows, the verdict.

On a terminal there are bars and colour; in a pipe or a log there are plain lines, a few per stage.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from secondwind.study import Check, DrawnRow, Preview

_PLAIN_LINES_PER_STAGE = 4


class Terminal:
    """A `study.Monitor` that draws to stderr, so that stdout holds only results."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Draw bars on a terminal, lines elsewhere, nothing when quiet."""
        self._console = Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._tasks: dict[str, TaskID] = {}
        self._lines: dict[str, int] = {}
        self._bars = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )

    def __enter__(self) -> "Terminal":
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the cursor on a fresh line."""
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print one line above the bars."""
        if not self._quiet:
            self._console.print(line, markup=False, soft_wrap=True)

    def progress(self, stage: str, done: int, total: int, detail: str = "") -> None:
        """Show that `done` of `total` steps of a stage are behind; a total of 0 is unknown."""
        if self._quiet:
            return
        if not self._console.is_terminal:
            self._plain(stage, done, total, detail)
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total, detail=detail)
        self._bars.update(self._tasks[stage], completed=done, total=total or None, detail=detail)

    def _plain(self, stage: str, done: int, total: int, detail: str) -> None:
        """Print a line at each quarter of a stage; where the end is unknown, at each doubling."""
        mark = done.bit_length() if total == 0 else done * _PLAIN_LINES_PER_STAGE // total
        if mark > self._lines.get(stage, 0):
            self._lines[stage] = mark
            count = f"{done}" if total == 0 else f"{done}/{total}"
            self._console.print(f"{stage:<16} {count}  {detail}", markup=False, soft_wrap=True)


def print_verdict(results: Mapping[str, Any], page: Path) -> None:
    """Print the verdict's sentences and where the report lies: the last lines of a run."""
    print()
    for sentence in results["verdict"]:
        print(f"- {sentence}")
    print(f"\nReport: {page}")


def print_scores(results: Mapping[str, Any]) -> None:
    """Print one line per benchmark of an evaluation."""
    table = Table("benchmark", "score", "95 % interval", "n", "failures", "attention")
    for name, entry in results["benchmarks"].items():
        low, high = entry["interval"]
        table.add_row(
            name,
            f"{entry['score']:.3f}",
            f"{low:.3f} .. {high:.3f}",
            str(entry["n"]),
            str(entry["failures"]),
            entry["attention"],
        )
    Console().print(table)
    average = results["normalized_average"]
    missing = f" (partial: without {', '.join(average['missing'])})" if average["missing"] else ""
    if average["value"] is not None:
        print(f"normalized average {average['value']:.1f}{missing}")


def print_checks(checks: Sequence[Check]) -> None:
    """Print one line per check of `doctor`."""
    marks = {True: ("ok", "green"), False: ("FAIL", "red"), None: ("-", "dim")}
    console = Console(highlight=False)
    for check in checks:
        mark, style = marks[check.passed]
        line = Text(f"{mark:>5}  ", style=style)
        line.append(f"{check.name}: ", style="bold").append(check.finding, style="default")
        console.print(line, soft_wrap=True)


def print_recipes(shipped: Mapping[str, Path]) -> None:
    """Print each shipped recipe with the first line of its comment."""
    for name, path in shipped.items():
        first = path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        print(f"{name:<16} {first}")


def print_preview(preview: Preview) -> None:
    """Print the resolved recipe, the mixture, the price, what can be resolved, and drawn rows."""
    console = Console(highlight=False)
    console.print(yaml.safe_dump(preview.recipe, sort_keys=False, allow_unicode=True), markup=False)
    if preview.mixture:
        columns = list(preview.mixture[0])
        table = Table(title=f"mixture of stage {preview.stage}")
        for number, column in enumerate(columns):
            table.add_column(column, no_wrap=number == 0, overflow="fold")
        for entry in preview.mixture:
            table.add_row(*(_cell(entry.get(column)) for column in columns))
        console.print(table)
    for line in preview.cost.lines():
        console.print(line, markup=False, soft_wrap=True)
    if preview.resolution:
        table = Table("benchmark", "items", "smallest difference shown (80 % power)", title="resolution")
        for entry in preview.resolution:
            table.add_row(entry["benchmark"], f"{entry['n']:,}", f"{100 * entry['detectable']:.1f} points")
        console.print(table)
    for row in preview.rows:
        _draw_row(console, row)


def _draw_row(console: Console, row: DrawnRow) -> None:
    """Draw one row: a line per example; inputs dim, a bar, targets bold; special tokens coloured."""
    console.rule(f"row {row.number}: {row.num_tokens} tokens, {row.num_targets} targets", align="left")
    for segment in row.segments:
        text = Text(f"[{segment.source}] ", style="magenta")
        was_target = False
        for piece in segment.pieces:
            if piece.target and not was_target:
                text.append(" | ", style="cyan")
            was_target = piece.target
            style = "yellow" if piece.special else ("bold green" if piece.target else "dim")
            text.append(piece.text, style=style)
        console.print(text, soft_wrap=True)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else ("" if value is None else str(value))
