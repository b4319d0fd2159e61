"""Instructions: tasks in, examples out.

sources/      public formats -> Task                       load_tasks
library/      our own phrasings, by the shape of a record
task.py       records + templates + metric                 Record, Template, Task
selection.py  which tasks, with what share                 select_tasks, mixture_shares
exemplars.py  solved records to show before a query        choose_exemplars
render.py     record + template -> pieces of text          render, candidate_targets
planning.py   example number -> what it will be
source.py     -> an endless sequence of examples           InstructionSource

    example 7   task cot_gsm8k   record 4711   two exemplars   "Q: {question}\\nA:"   ->  inputs | targets EOS

Evaluation renders its prompts with the same `render`, so training and evaluation cannot drift apart.
"""

from secondwind.instruct.exemplars import choose_exemplars
from secondwind.instruct.render import Rendered, candidate_targets, options_block, render, suits, target_text
from secondwind.instruct.selection import mixture_shares, select_tasks
from secondwind.instruct.settings import InstructionSettings
from secondwind.instruct.source import InstructionSource
from secondwind.instruct.sources import load_tasks
from secondwind.instruct.task import Kind, Metric, Record, Task, Template

__all__ = [
    "InstructionSettings",
    "InstructionSource",
    "Kind",
    "Metric",
    "Record",
    "Rendered",
    "Task",
    "Template",
    "candidate_targets",
    "choose_exemplars",
    "load_tasks",
    "mixture_shares",
    "options_block",
    "render",
    "select_tasks",
    "suits",
    "target_text",
]
