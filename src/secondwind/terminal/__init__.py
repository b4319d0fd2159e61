"""What a person sees in the terminal.

progress.py    bars and lines while something runs       printed.py    tables, drawn rows, the verdict
support.py     what `doctor` finds about several models
"""

from secondwind.terminal.printed import (
    print_checks,
    print_preview,
    print_recipes,
    print_scores,
    print_sweep,
    print_texts,
    print_verdict,
)
from secondwind.terminal.progress import Terminal
from secondwind.terminal.support import print_support

__all__ = [
    "Terminal",
    "print_checks",
    "print_preview",
    "print_recipes",
    "print_scores",
    "print_support",
    "print_sweep",
    "print_texts",
    "print_verdict",
]
