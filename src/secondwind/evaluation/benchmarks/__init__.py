"""Suites by name, read from a data folder.

    flan2022          MMLU and BBH, direct and chain of thought; TyDiQA and MGSM are named as missing
    mmlu, bbh         one of them
    held_out_tasks    the test tasks of Natural Instructions

Suites made in code, such as the toy world's, or from documents, are passed as `Suite` objects.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from secondwind.data.documents import Faults
from secondwind.errors import DataError, nearest
from secondwind.evaluation.benchmarks import bbh, mmlu, natural_instructions
from secondwind.evaluation.suite import Suite

__all__ = ["FLAN2022_PARTS", "SUITES", "Loader", "load_suite"]

# arXiv:2210.11416, section 2.3: the six parts of the normalised average.
FLAN2022_PARTS = ("MMLU:direct", "MMLU:cot", "BBH:direct", "BBH:cot", "TyDiQA:direct", "MGSM:cot")


def load_suite(name: str, data: Path | None, *, faults: Faults) -> Suite:
    """Read a suite from a data folder.

    Raises:
        DataError: the name or a file is unknown, or no data folder was given.
    """
    if name not in SUITES:
        raise DataError(
            f"no suite '{name}'.{nearest(name, SUITES)} The suites are: {', '.join(sorted(SUITES))}."
        )
    if data is None:
        raise DataError(
            f"suite '{name}' is read from a data folder, and none was given. Name it: --data "
            "DIR, or evaluation.data in a recipe."
        )
    return SUITES[name].load(data, faults)


def _flan2022(data: Path, faults: Faults) -> Suite:
    return Suite("flan2022", (mmlu.load(data / "mmlu"), bbh.load(data / "bbh")), parts=FLAN2022_PARTS)


def _mmlu(data: Path, faults: Faults) -> Suite:
    return Suite("mmlu", (mmlu.load(data / "mmlu"),))


def _bbh(data: Path, faults: Faults) -> Suite:
    return Suite("bbh", (bbh.load(data / "bbh"),))


def _held_out_tasks(data: Path, faults: Faults) -> Suite:
    return Suite("held_out_tasks", (natural_instructions.load(data / "natural_instructions", faults=faults),))


class Loader(NamedTuple):
    """How a suite is read, and one line about it."""

    load: Callable[[Path, Faults], Suite]
    description: str


SUITES: dict[str, Loader] = {
    "flan2022": Loader(_flan2022, "MMLU and BBH as Flan 2022 asks them, direct or by chain of thought"),
    "mmlu": Loader(_mmlu, "exams in 57 subjects, four options"),
    "bbh": Loader(_bbh, "27 hard tasks of BIG-bench, direct or by chain of thought"),
    "held_out_tasks": Loader(_held_out_tasks, "the test tasks of Natural Instructions"),
}
