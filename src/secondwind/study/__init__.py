"""Studies: arms x seeds of one recipe, and single models outside a study.

plan.py      arms -> the nodes to train and the contrasts to make
ground.py    the adopted base, the corpus, the tasks that all arms share       pretrain.py from nothing
rows.py      the rows of a stage               mixtures.py, settings.py        recipe words -> objects
run.py       stages in order, each skipped when done; then evaluation and results
results.py   results.json    verdict.py, facts.py, samples.py    what stands beside it
preview.py   `show`          price.py    ask.py   `eval`, `generate`    doctor.py   `doctor`
"""

from secondwind.study.ask import answer, evaluate_model
from secondwind.study.doctor import Check, environment, examine
from secondwind.study.monitor import Monitor, Silent
from secondwind.study.preview import DrawnRow, DrawnSegment, Piece, Preview, preview
from secondwind.study.run import run

__all__ = [
    "Check",
    "DrawnRow",
    "DrawnSegment",
    "Monitor",
    "Piece",
    "Preview",
    "Silent",
    "answer",
    "environment",
    "evaluate_model",
    "examine",
    "preview",
    "run",
]
