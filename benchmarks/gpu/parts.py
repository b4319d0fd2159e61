"""Run one part in a process of its own: every result is kept the moment it is printed, and time is limited.

A part says what it found line by line, on its standard output:

    {"part": ...}                          a result, appended to results.jsonl
    tests/gpu/test_x.py::y PASSED          a result of pytest, turned into one
    [gw3] [ 50%] PASSED tests/gpu/...      the same, where several processes test
    anything else                          goes into the log
"""

import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
_OUTCOMES = "(PASSED|FAILED|SKIPPED|ERROR|XFAIL|XPASS)"
_TEST = re.compile(rf"^(tests/\S+::.+?) {_OUTCOMES}\b")
_TEST_OF_SEVERAL = re.compile(rf"^\[gw\d+\] (?:\[ *\d+%\] )?{_OUTCOMES} (tests/\S+::.+)$")


class Part(NamedTuple):
    """A command, and how many seconds it may take."""

    name: str
    command: list[str]
    limit: float


class Kept:
    """The results so far, in memory and line by line in a file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.records: list[dict[str, Any]] = []
        self._results, self._log = folder / "results.jsonl", folder / "log.txt"
        self._results.unlink(missing_ok=True)
        self._log.unlink(missing_ok=True)

    def add(self, record: dict[str, Any]) -> None:
        """Keep one result."""
        self.records.append(record)
        _append(self._results, json.dumps(record))

    def take(self, part: str, line: str) -> None:
        """Keep a line of a part's output as what it is."""
        test, of_several = _TEST.match(line), _TEST_OF_SEVERAL.match(line)
        if test:
            self.add({"part": part, "test": test[1], "outcome": test[2].lower()})
        elif of_several:
            self.add({"part": part, "test": of_several[2].strip(), "outcome": of_several[1].lower()})
        elif line.startswith('{"part"'):
            self.add(json.loads(line))
        else:
            _append(self._log, f"{part}: {line}")

    def of(self, part: str) -> list[dict[str, Any]]:
        """Return the results of one part."""
        return [record for record in self.records if record["part"] == part]


def run_part(part: Part, kept: Kept, *, seconds_left: float) -> None:
    """Run a part until it ends or its time is over; how it ended is a result, too."""
    limit = min(part.limit, seconds_left)
    if limit <= 0:
        kept.add({"part": "run", "name": part.name, "ended": "not begun: no time was left", "seconds": 0.0})
        return
    started = time.monotonic()
    too_late = threading.Event()
    with subprocess.Popen(
        part.command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # so that what it started ends with it
    ) as process:

        def end() -> None:
            too_late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit, end)
        timer.start()
        assert process.stdout is not None
        for line in process.stdout:
            kept.take(part.name, line.rstrip())
        code = process.wait()
        timer.cancel()
    ended = f"cut after {limit:.0f} s" if too_late.is_set() else "done" if code == 0 else f"exit code {code}"
    kept.add({"part": "run", "name": part.name, "ended": ended, "seconds": time.monotonic() - started})


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
