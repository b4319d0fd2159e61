"""Who watches a study: a terminal, a log, or nobody."""

from typing import Protocol


class Monitor(Protocol):
    """Receives what happens while it happens."""

    def say(self, line: str) -> None:
        """Take one line that a person should read."""
        ...

    def progress(self, stage: str, done: int, total: int, detail: str = "") -> None:
        """Take the state of one stage: `done` of `total` steps (0: unknown), and a detail to show."""
        ...


class Silent:
    """A monitor that drops everything."""

    def say(self, line: str) -> None:
        """Drop the line."""

    def progress(self, stage: str, done: int, total: int, detail: str = "") -> None:
        """Drop the state."""
