"""Our own phrasings, by the shape of the records they speak about.

definition.py  a task told by its definition: Natural Instructions
question.py    a question with an answer, and perhaps options and steps
plain.py       text that somebody has phrased already

Every phrasing without options is written as such; nothing is made by deleting text from another.
"""

from secondwind.instruct.library.definition import definition_templates
from secondwind.instruct.library.plain import PLAIN_TEMPLATES
from secondwind.instruct.library.question import QUESTION_TEMPLATES

__all__ = ["PLAIN_TEMPLATES", "QUESTION_TEMPLATES", "definition_templates"]
