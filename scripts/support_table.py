"""Print what `secondwind doctor` finds about a tiny random model of every family: docs/architectures.md.

.venv/bin/python -m scripts.support_table [NAME ...]

The models are those of scripts/tiny_models.py; everything runs on the CPU, in a minute or two.
"""

import argparse
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from scripts.tiny_models import write
from tests.model.architectures.catalogue import TINY

from secondwind.study import Support, examine, support


def table(names: Iterable[str]) -> str:
    """Return the table of these models: a head and one line each."""
    head = [column.replace("_", " ") for column in Support._fields]
    lines = [_line(head), _line("---" for _ in head)]
    return "\n".join([*lines, *(row(name) for name in names)])


def row(name: str) -> str:
    """Write one tiny model, examine it, and return its line."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        write(name, folder)
        return _line(support(examine(str(folder))))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the lines of the named models, or all."""
    parser = argparse.ArgumentParser(description="Print the support table of docs/architectures.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    print(table(parser.parse_args().names or TINY))


if __name__ == "__main__":
    main()
