"""Turn a record and a template into pieces of text.

    pieces   "Answer in one word.\\n\\n"                        instruction and separator
             "Mia lives in Orra.\\nWhere is Mia?\\nAnswer:"     an exemplar's query
             " Orra"                                           ... and its target, which is input here
             "\\n\\n"
             "Tom lives in Belt.\\nWhere is Tom?\\nAnswer:"     the query: the last piece of the inputs
    target   " Belt"                                           the only piece that carries loss

Pieces are encoded apart and concatenated, so an exemplar's target has the same tokens as the target
of a training example. A prompt never ends in white space: the target owns the space before it.

Source: FLAN 2022's few-shot format, where exemplar answers are inputs (arXiv:2301.13688, section 3);
    the white-space rule is ours.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from secondwind.errors import DataError, ExampleError, nearest
from secondwind.instruct.task import Record, Template

# The marker that evaluation looks for when it reads an answer out of a chain of thought.
RATIONALE_TARGET = "{rationale} The answer is {answer}."

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OWN_NAMES = frozenset({"answer", "options", "rationale"})


@dataclass(frozen=True)
class Rendered:
    """A prompt in pieces, and what follows it.

    Args:
        inputs: pieces whose concatenation is the prompt; it never ends in white space.
        target: starts with one space.
    """

    inputs: tuple[str, ...]
    target: str


def render(record: Record, template: Template, *, exemplars: Sequence[Record] = ()) -> Rendered:
    """Write instruction, exemplars and query as the inputs, and the answer as the target.

    Raises:
        ExampleError: the query or a target is blank, or a rationale is missing.
        DataError: the template names a field that the record does not have.
    """
    pieces = [template.instruction.rstrip() + template.between] if template.instruction.strip() else []
    for exemplar in exemplars:
        pieces += [_query(exemplar, template), target_text(exemplar, template), template.between]
    return Rendered((*pieces, _query(record, template)), target_text(record, template))


def options_block(record: Record) -> str:
    """List the options, one a line."""
    return "\n".join(f"- {option}" for option in record.options)


def target_text(record: Record, template: Template) -> str:
    """Write what follows the query: one space, then the answer, or the steps and then the answer.

    Raises:
        ExampleError: nothing is left to learn, or a rationale is asked for and missing.
    """
    text = template.target
    if template.kind == "rationale" and "{rationale}" not in text:
        text = RATIONALE_TARGET
        if record.answers[0].rstrip().endswith("."):
            text = text.removesuffix(".")
    filled = _filled(text, record).strip()
    if not filled:
        raise ExampleError(
            f"template target {template.target!r} of record '{record.id}' is blank; wanted text to learn."
        )
    return f" {filled}"


def candidate_targets(record: Record, template: Template) -> list[str]:
    """Write one target per option, in the options' order, for rank classification.

    Raises:
        ExampleError: the record has no options, or the template asks for a rationale.
    """
    if not record.options or template.kind == "rationale":
        raise ExampleError(
            f"record '{record.id}' has {len(record.options)} options and the template is {template.kind!r}; "
            "rank classification wanted options and a direct template. Generate and extract instead."
        )
    return [target_text(replace(record, answers=(option,)), template) for option in record.options]


def suits(record: Record, template: Template) -> bool:
    """Tell whether a record has everything that a template needs."""
    own, fields = _names(template.query, template.target)
    if "options" in own and not record.options:
        return False
    if (template.kind == "rationale" or "rationale" in own) and not record.rationale:
        return False
    return fields <= record.fields.keys()


def refuse_unknown_fields(record: Record, template: Template, *, task: str) -> None:
    """Raise if a template names a field that the record does not have.

    Raises:
        DataError: names the task, the placeholder and the nearest field.
    """
    _, fields = _names(template.query, template.target)
    for name in sorted(fields - record.fields.keys()):
        raise _unknown_name(name, record, of=f" of task '{task}'")


def _query(record: Record, template: Template) -> str:
    text = _filled(template.query, record).rstrip()
    if not text:
        raise ExampleError(
            f"the query {template.query!r} of record '{record.id}' is blank; wanted some text."
        )
    return text


def _filled(text: str, record: Record) -> str:
    """Fill in `{name}` alone: no format specs, no attributes, so foreign templates stay harmless."""
    literals, names = _parts(text)
    filled = [literals[0]]
    for name, literal in zip(names, literals[1:], strict=True):
        filled += (_value(name, record), literal)
    return "".join(filled)


def _value(name: str, record: Record) -> str:
    if name == "answer":
        return record.answers[0]
    if name == "options":
        return options_block(record)
    if name == "rationale":
        return _rationale(record)
    if name not in record.fields:
        raise _unknown_name(name, record)
    return record.fields[name]


def _unknown_name(name: str, record: Record, *, of: str = "") -> DataError:
    return DataError(
        f"a template{of} fills in {{{name}}}, but record '{record.id}' has {sorted(record.fields)}."
        f"{nearest(name, record.fields)} Mend the template, or add the field."
    )


def _rationale(record: Record) -> str:
    if not record.rationale:
        raise ExampleError(
            f"record '{record.id}' has no rationale, but its template wants one. Use a direct template."
        )
    return record.rationale.strip()


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[list[str], list[str]]:
    """Split a template's text into literals and the names between them: one literal more than names."""
    parts = _PLACEHOLDER.split(text)
    return parts[0::2], parts[1::2]


@lru_cache(maxsize=4096)
def _names(query: str, target: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return a template's own names, and the fields that it wants of a record."""
    names = frozenset(_parts(query)[1]) | frozenset(_parts(target)[1])
    return names & _OWN_NAMES, names - _OWN_NAMES
