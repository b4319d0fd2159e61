"""BIG-Bench Hard: 27 tasks, 3-shot, direct and chain of thought.

    bbh/navigate.json           {"examples": [{"input": .., "target": "Yes"}]}       items
    cot-prompts/navigate.txt    canary, -----, description, three "Q: .. A: .." blocks

The exemplars of both modes come from the prompt file: whole blocks for chain of thought, question and
final answer for direct. Answers are generated and compared.

Source: Suzgun et al., arXiv:2210.09261; suzgunmirac/BIG-Bench-Hard.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from secondwind.errors import DataError
from secondwind.evaluation.suite import Benchmark, Mode, Subtask
from secondwind.instruct.task import Record, Task, Template

SHOTS = 3

_STEPS = "\nA: Let's think step by step."
_FINAL = re.compile(r"[Tt]he answer is (.*?)\.?$")
_LETTERED = re.compile(r"^\([A-Z]\) ", re.MULTILINE)
_DASHED = re.compile(r"^- ", re.MULTILINE)

# These three show no options, but every answer is one of two.
_TWO_ANSWERS = frozenset({"boolean_expressions", "sports_understanding", "web_of_lies"})


def load(folder: Path) -> Benchmark:
    """Read every task that has a file.

    Raises:
        DataError: there is none, or a file is damaged.
    """
    files = sorted((folder / "bbh").glob("*.json"))
    if not files:
        raise DataError(
            f"no BBH task in {folder}/bbh; wanted files such as navigate.json. Check evaluation.data."
        )
    subtasks = tuple(_subtask(file, folder / "cot-prompts" / f"{file.stem}.txt") for file in files)
    limits: dict[Mode, int] = {"direct": 64, "cot": 512}
    return Benchmark(
        "bbh", "BBH", subtasks, method="generate", modes=("direct", "cot"), shots=SHOTS, max_new_tokens=limits
    )


def _subtask(items: Path, prompt: Path) -> Subtask:
    name = items.stem
    records = _records(items)
    description, blocks = _prompt(prompt)
    templates = (
        Template("Q: {input}\nA:", instruction=description),
        Template("Q: {input}" + _STEPS, kind="rationale", instruction=description),
    )
    exemplars = tuple(
        _exemplar(block, f"{name}-exemplar-{number}", prompt) for number, block in enumerate(blocks)
    )
    task = Task(f"bbh_{name}", "bbh", records, templates, source="bbh", licence="MIT")
    return Subtask(task, exemplars, chance=_chance(name, records), worked=tuple(blocks))


def _chance(name: str, records: tuple[Record, ...]) -> float:
    """Return the expected score of guessing among the options that each item lists."""
    if name in _TWO_ANSWERS:
        return 0.5
    counts = [_num_options(record.fields["input"]) for record in records]
    return float(np.mean([1 / count if count else 0.0 for count in counts]))


def _num_options(question: str) -> int:
    """Count the options listed at the end of a question; 0 where it lists none."""
    _, found, listed = question.rpartition("Options:\n")
    return len(_LETTERED.findall(listed)) or len(_DASHED.findall(listed)) if found else 0


def _records(file: Path) -> tuple[Record, ...]:
    try:
        stored: Any = json.loads(file.read_text(encoding="utf-8"))
        return tuple(
            Record(
                {"input": str(item["input"]).strip()},
                (str(item["target"]).strip(),),
                id=f"{file.stem}-{number}",
            )
            for number, item in enumerate(stored["examples"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{file} cannot be read as a BBH task: {error!r}. Restore the file of the release."
        ) from error


def _prompt(file: Path) -> tuple[str, list[str]]:
    """Split a prompt file into its description and its solved blocks."""
    try:
        text = file.read_text(encoding="utf-8").split("-----\n", 1)[1].strip()
    except (OSError, ValueError, IndexError) as error:
        raise DataError(
            f"{file} cannot be read as a BBH prompt: {error!r}. Restore the file of the release."
        ) from error
    description, *blocks = text.split("\n\nQ: ")
    return description, [f"Q: {block.strip()}" for block in blocks]


def _exemplar(block: str, identity: str, file: Path) -> Record:
    question, found, steps = block.removeprefix("Q: ").partition(_STEPS)
    answer = _FINAL.search(steps.strip())
    if not found or answer is None:
        raise DataError(
            f"a block of {file} has no steps and answer: {block[-80:]!r}. Restore the file of the release."
        )
    return Record({"input": question.strip()}, (answer[1],), rationale=steps.strip(), id=identity)
