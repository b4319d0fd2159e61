"""What a person sees in the terminal: progress, tables, drawn rows, the verdict.

On a terminal there are a bar and colour; in a pipe or a log there are plain lines, a few per stage.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from secondwind.signals import pause_if_asked

if TYPE_CHECKING:  # it loads torch, which listing recipes does not need
    from secondwind.study import Check, DrawnRow, DrawnText, Piece, Preview

_STAGE_WIDTH, _COUNT_WIDTH = 18, 9
_QUARTERS = 4
_LABEL_COLUMNS = 9  # before what a drawn line tells
_LONGEST_SILENCE_SECONDS = 60.0


@dataclass
class _Stretch:
    """Reports that count up to one total: a stage, or one of several things that it does in turn."""

    stage: str
    total: int
    began: float
    first: int | None = None  # what the first report counted: a resumed stage does not begin at 0
    done: int = 0
    detail: str = ""
    mark: int = 0
    shown: bool = False

    def goes_on(self, stage: str, done: int, total: int) -> bool:
        """Tell whether a report continues this stretch: another benchmark counts from the start again."""
        return (stage, total) == (self.stage, self.total) and done > self.done

    def line(self, now: float) -> str:
        """Write the last report, with the minutes that are left where it is at least one."""
        count = f"{self.done}" if self.total == 0 else f"{self.done}/{self.total}"
        minutes = self._seconds_left(now) // 60
        left = f"  about {minutes:.0f} min left" if minutes else ""
        return f"{self.stage:<{_STAGE_WIDTH}} {count:>{_COUNT_WIDTH}}  {self.detail}".rstrip() + left

    def _seconds_left(self, now: float) -> float:
        measured = self.done - (self.first or 0)
        return (now - self.began) / measured * max(0, self.total - self.done) if measured else 0.0

    def next_mark(self) -> int:
        """Number the quarters, or where the end is unknown the doublings, that are behind."""
        return self.done.bit_length() if self.total == 0 else self.done * _QUARTERS // self.total


class Terminal:
    """A `study.Monitor` that draws to stderr, so that stdout holds only results.

    Every report of progress is a place where a run may stop: see `signals`.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw a bar on a terminal, lines elsewhere, nothing when quiet."""
        self._console = console or Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._clock = clock
        self._last_line = clock()
        self._stretch: _Stretch | None = None
        self._num_stretches = 0  # of the present stage
        self._bar: TaskID | None = None
        self._bars = Progress(
            TextColumn("{task.description:<18}"),
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
        """Stop drawing, with the last state on a line of its own."""
        self._end_stage()
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print one line above the bar."""
        if not self._quiet:
            self._console.print(line, markup=False, soft_wrap=True)

    def progress(self, stage: str, done: int, total: int, detail: str = "") -> None:
        """Show that `done` of `total` steps of a stage are behind; a total of 0 is unknown.

        Raises:
            Paused: a signal asked the run to stop.
        """
        if self._stretch is None or not self._stretch.goes_on(stage, done, total):
            self._begin(stage, total)
        stretch = self._stretch
        assert stretch is not None
        if stretch.first is None:  # its own time is not known: it began before this report
            stretch.first, stretch.began = done, self._clock()
        stretch.done, stretch.detail, stretch.shown = done, detail, False
        if self._bar is not None:
            self._bars.update(self._bar, completed=done, total=total or None, detail=detail)
        else:
            self._plain(stretch)
        pause_if_asked(stage)

    def _begin(self, stage: str, total: int) -> None:
        """Start a stretch, of this stage or of the next one."""
        before = self._stretch
        if before is None or before.stage != stage:
            self._end_stage()
            if not self._bars.disable:
                self._bar = self._bars.add_task(stage, total=total or None, detail="")
        elif self._bar is not None:
            self._bars.reset(self._bar, total=total or None)
        else:
            self._show(before)
        self._stretch = _Stretch(stage, total, began=self._clock())
        self._num_stretches += 1

    def _plain(self, stretch: _Stretch) -> None:
        """Print a line at each quarter of a stretch or doubling, and at the latest after a minute."""
        mark = stretch.next_mark()
        if mark > stretch.mark or self._clock() - self._last_line >= _LONGEST_SILENCE_SECONDS:
            stretch.mark = mark
            self._show(stretch)

    def _show(self, stretch: _Stretch) -> None:
        """Print the last report of a stretch, unless it stands there already."""
        if not stretch.shown:
            self.say(stretch.line(self._clock()))
            stretch.shown, self._last_line = True, self._clock()

    def _end_stage(self) -> None:
        """Replace the bar of the present stage, which would push later ones off the screen, by a line."""
        stretch, bar = self._stretch, self._bar
        self._stretch, self._bar = None, None
        if bar is not None:
            self._bars.remove_task(bar)
        if stretch is not None and bar is not None and self._num_stretches > 1:
            self.say(f"{stretch.stage:<{_STAGE_WIDTH}} {self._num_stretches:>{_COUNT_WIDTH}}  parts")
        elif stretch is not None:
            self._show(stretch)
        self._num_stretches = 0


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


def print_checks(checks: "Sequence[Check]") -> None:
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


def print_preview(preview: "Preview") -> None:
    """Print the resolved recipe, the mixture, the price, what can be resolved, and drawn rows."""
    console = Console(highlight=False)
    console.print(yaml.safe_dump(preview.recipe, sort_keys=False, allow_unicode=True), markup=False)
    if preview.mixture:
        columns = list(preview.mixture[0])
        table = Table(title=f"mixture of stage {preview.stage} (shares are of examples)")
        for number, column in enumerate(columns):
            table.add_column(column, no_wrap=number == 0, overflow="fold")
        for entry in preview.mixture:
            table.add_row(*(_cell(entry.get(column)) for column in columns))
        console.print(table)
    for line in (*preview.notes, *preview.cost.lines()):
        console.print(line, markup=False, soft_wrap=True)
    if preview.resolution:
        table = Table("benchmark", "items", "smallest difference shown (80 % power)", title="resolution")
        for entry in preview.resolution:
            table.add_row(entry["benchmark"], f"{entry['n']:,}", f"{100 * entry['detectable']:.1f} points")
        console.print(table)
    for row in preview.rows:
        _draw_row(console, row)


def print_sweep(previews: "Sequence[Preview]") -> None:
    """Print the price of each study of a sweep, and of all of them."""
    table = Table(title=f"sweep of {len(previews)} studies, each a run folder of its own")
    table.add_column("study", overflow="fold")
    for column in ("FLOPs", "of the base", "minutes here", "GiB"):
        table.add_column(column, justify="right")
    for preview in previews:
        cost = preview.cost
        share = "unknown" if cost.share_of_base is None else f"{100 * cost.share_of_base:.3g} %"
        table.add_row(
            preview.recipe["name"],
            f"{cost.flops:.2e}",
            share,
            f"{cost.seconds / 60:.0f}",
            f"{cost.memory_bytes / 2**30:.2f}",
        )
    flops, seconds = (sum(getattr(p.cost, name) for p in previews) for name in ("flops", "seconds"))
    table.add_section()
    table.add_row("all", f"{flops:.2e}", "", f"{seconds / 60:.0f}", "")
    console = Console(highlight=False)
    console.print(table)
    console.print(f"The first of them, {previews[0].recipe['name']}:", markup=False)


def print_texts(drawn: "Sequence[DrawnText]") -> None:
    """Draw a text under each denoiser: its inputs, its targets, and the row with both masks."""
    console = Console(highlight=False)
    for text in drawn:
        hidden = text.row.num_targets
        console.rule(
            f"{text.denoiser.name}: {text.num_tokens} tokens, {hidden} targets", align="left", characters="-"
        )
        (segment,) = text.row.segments
        for name, wanted in (("inputs", False), ("targets", True)):
            line = Text(f"{name:<{_LABEL_COLUMNS}}", style="cyan")
            _append(line, [piece for piece in segment.pieces if piece.target == wanted])
            console.print(line, soft_wrap=True)
        _draw_masks(console, text)


def _draw_masks(console: Console, drawn: "DrawnText") -> None:
    """Write each token of a row above its place in the prefix mask and in the loss mask."""
    row = drawn.row.row
    cells = [text.replace(" ", "\u00b7").replace("\n", "\\n") for text in drawn.spelled]
    widths = [max(len(cell), 1) + 1 for cell in cells]
    room, start = console.width - _LABEL_COLUMNS, 0
    while start < len(cells):
        stop = start + 1
        while stop < len(cells) and sum(widths[start : stop + 1]) <= room:
            stop += 1
        lines = {"token": Text(), "prefix": Text(), "loss": Text()}
        for place in range(start, stop):
            width, is_prefix = widths[place], bool(row.prefix_mask[place])
            lines["token"].append(f"{cells[place]:<{width}}", style="dim" if is_prefix else "bold green")
            lines["prefix"].append(f"{'#' if is_prefix else '.':<{width}}")
            lines["loss"].append(f"{'#' if row.loss_mask[place] else '.':<{width}}")
        for name, line in lines.items():
            line.rstrip()
            console.print(Text(f"{name:<{_LABEL_COLUMNS}}", style="cyan") + line, soft_wrap=True)
        start = stop


def _draw_row(console: Console, row: "DrawnRow") -> None:
    """Draw one row: a line per example; inputs dim, a bar, targets bold; special tokens coloured."""
    console.rule(f"row {row.number}: {row.num_tokens} tokens, {row.num_targets} targets", align="left")
    for segment in row.segments:
        text = Text(f"[{segment.source}] ", style="magenta")
        _append(text, [piece for piece in segment.pieces if not piece.target])
        text.append(" | ", style="cyan")
        _append(text, [piece for piece in segment.pieces if piece.target])
        console.print(text, soft_wrap=True)


def _append(line: Text, pieces: "Sequence[Piece]") -> None:
    for piece in pieces:
        style = "yellow" if piece.special else ("bold green" if piece.target else "dim")
        line.append(piece.text, style=style)


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else ("" if value is None else str(value))
