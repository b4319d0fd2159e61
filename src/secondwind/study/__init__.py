"""Studies: arms x seeds of one recipe, and single models outside a study.

plan.py      arms -> the nodes to train and the contrasts to make
ground.py    the adopted base, the corpus, the tasks that all arms share       pretrain.py from nothing
rows.py      the rows of a stage               mixtures.py, settings.py        recipe words -> objects
run.py       stages in order, each skipped when done; then evaluation and results
resume.py    what may change in a begun run    resolved.py   what `auto` came to in it
results.py   results.json    verdict.py, facts.py, samples.py    what stands beside it
preview.py   `show`          drawing.py  its rows       price.py
ask.py       `eval`, `generate`    doctor.py, checks.py, support.py   `doctor`
"""

from secondwind.study.ask import answers, evaluate_model
from secondwind.study.checks import Check, environment
from secondwind.study.doctor import Examined, examine
from secondwind.study.drawing import DrawnRow, DrawnSegment, DrawnText, Piece, draw_text
from secondwind.study.monitor import Monitor, Silent
from secondwind.study.preview import Preview, preview, previews
from secondwind.study.run import run
from secondwind.study.suites import KnownSuite, known_suites
from secondwind.study.support import Support, support

__all__ = [
    "Check",
    "DrawnRow",
    "DrawnSegment",
    "DrawnText",
    "Examined",
    "KnownSuite",
    "Monitor",
    "Piece",
    "Preview",
    "Silent",
    "Support",
    "answers",
    "draw_text",
    "environment",
    "evaluate_model",
    "examine",
    "known_suites",
    "preview",
    "previews",
    "run",
    "support",
]
