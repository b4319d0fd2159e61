"""Progress: on a terminal a bar and colour; in a pipe or a log plain lines, a few per stage."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from secondwind.signals import pause_if_asked

_STAGE_WIDTH, _COUNT_WIDTH = 18, 9
_QUARTERS = 4
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
