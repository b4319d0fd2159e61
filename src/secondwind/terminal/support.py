"""What `doctor` prints of several models: a line each, then every check that failed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:  # it loads torch
    from secondwind.study import Examined, Support


def print_support(found: "Sequence[tuple[Examined, Support]]") -> None:
    """Print the support table, and below it what failed."""
    console = Console(highlight=False)
    names = [name.replace("_", " ") for name in found[0][1]._fields]
    table = Table(*names, box=box.SIMPLE)
    for _, line in found:
        table.add_row(*(f"[red]{word}[/red]" if word == "FAIL" else word for word in line[:-1]), line.note)
    console.print(table)
    for examined, _ in found:
        for check in examined.checks:
            if check.passed is False:
                console.print(f"FAIL  {examined.name}, {check.name}: {check.finding}", markup=False)
