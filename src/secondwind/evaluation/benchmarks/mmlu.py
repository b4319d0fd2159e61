"""MMLU: 57 subjects of four-option questions, 5-shot from the dev split.

    dev/anatomy_dev.csv    question,A,B,C,D,letter      exemplars, in the file's order
    test/anatomy_test.csv  the same                     items
    mmlu-cot.json          {subject: prompt}            chain-of-thought prompts; without it, direct only

Direct: the letters after "Answer:" are ranked. Chain of thought: "(A) .. (B) .." on one line, and the
letter is read out of the text.

Sources: hendrycks/test, evaluate.py (prompt); jasonwei20/flan-2, mmlu-cot.json; arXiv:2210.11416, appendix.
"""

import csv
import json
from pathlib import Path
from typing import Any

from secondwind.errors import DataError
from secondwind.evaluation.suite import Benchmark, Mode, Subtask
from secondwind.instruct.task import Record, Task, Template

LETTERS = ("A", "B", "C", "D")
SHOTS = 5

_INTRODUCTION = "The following are multiple choice questions (with answers) about {subject}."
_DIRECT_QUERY = "{question}\nA. {A}\nB. {B}\nC. {C}\nD. {D}\nAnswer:"
_COT_QUERY = "Q: {question}\n(A) {A} (B) {B} (C) {C} (D) {D}\nA: Let's think step by step."
_PASSAGE = "This question refers to the following information."


def load(folder: Path) -> Benchmark:
    """Read every subject that has a test file.

    Raises:
        DataError: there is none, or a file is damaged.
    """
    files = sorted((folder / "test").glob("*_test.csv"))
    if not files:
        raise DataError(
            f"no MMLU subject in {folder}/test; wanted files such as anatomy_test.csv. Check evaluation.data."
        )
    prompts = _prompts(folder / "mmlu-cot.json")
    subtasks = tuple(_subtask(folder, file.name.removesuffix("_test.csv"), prompts) for file in files)
    modes: tuple[Mode, ...] = ("direct", "cot") if all(s.worked for s in subtasks) else ("direct",)
    return Benchmark("mmlu", "MMLU", subtasks, method="rank", modes=modes, shots=SHOTS)


def _subtask(folder: Path, subject: str, prompts: dict[str, str]) -> Subtask:
    records = _records(folder / "test" / f"{subject}_test.csv", subject)
    exemplars = _records(folder / "dev" / f"{subject}_dev.csv", subject)
    introduction = _INTRODUCTION.format(subject=subject.replace("_", " "))
    templates = (
        Template(_DIRECT_QUERY, instruction=introduction),
        Template(_COT_QUERY, kind="rationale", instruction=introduction),
    )
    task = Task(f"mmlu_{subject}", "mmlu", records, templates, source="mmlu", licence="MIT")
    worked = tuple(f"Q: {block.strip()}" for block in prompts.get(subject, "").split("\n\nQ: ")[1:])
    return Subtask(task, exemplars, chance=1 / len(LETTERS), worked=worked)


def _records(file: Path, subject: str) -> tuple[Record, ...]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.reader(lines))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{file} cannot be read: {error}. Restore the file of the MMLU release.") from error
    return tuple(
        _record(row, f"{file}:{number}", f"{subject}-{number - 1}") for number, row in enumerate(rows, 1)
    )


def _record(row: list[str], place: str, identity: str) -> Record:
    if len(row) != 6 or row[5].strip() not in LETTERS:
        raise DataError(
            f"{place} is {row!r}; wanted question, four options and a letter A - D. Restore the file."
        )
    question = row[0].strip()
    fields = {
        "question": question,
        **dict(zip(LETTERS, (option.strip() for option in row[1:5]), strict=True)),
    }
    # Questions on one passage start with it, and the last paragraph asks.
    group = question.rsplit("\n", 1)[0] if question.startswith(_PASSAGE) and "\n" in question else ""
    return Record(fields, (row[5].strip(),), options=LETTERS, id=identity, group=group)


def _prompts(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    try:
        stored: Any = json.loads(file.read_text(encoding="utf-8"))
        return {str(subject): str(prompt) for subject, prompt in stored.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"{file} cannot be read: {error}. Restore it, or remove it to ask directly only."
        ) from error
