"""FLAN 2022's chain-of-thought sets: `question TAB answer TAB rationale`, no header.

    gsm8k_train.tsv.gz -> task cot_gsm8k, source gsm8k, licence of FLAN
    mine.tsv           -> task cot_mine, source mine, licence unknown

Line breaks are written as a backslash and an n. Options stand in the question, after "Options:". They
become options of the record where the answer is one of them in full; where the answer is only a
letter they stay in the question, which cannot be asked without them.

Source: google-research/FLAN@e9e4ec6, flan/v2/cot_data.
"""

from collections.abc import Sequence
from pathlib import Path

from secondwind.data.documents import Faults
from secondwind.data.formats import DataFile
from secondwind.errors import DataError
from secondwind.instruct.library import QUESTION_TEMPLATES
from secondwind.instruct.sources.found import TSV, LoadedTasks, stem, task_files
from secondwind.instruct.sources.lines import numbered_lines
from secondwind.instruct.task import Record, Task

COLLECTION = "flan_cot"
LICENCE = "Apache-2.0"  # of FLAN's repository

_CLUSTERS = {
    "aqua": "math word problems",
    "gsm8k": "math word problems",
    "creak": "fact checking",
    "ecqa": "commonsense",
    "esnli": "natural language inference",
    "qasc": "science questions",
    "qed": "reading comprehension",
    "sensemaking": "commonsense",
    "strategyqa": "multi-hop questions",
}
_OPTIONS = "\nOptions:\n"


def read_tasks(path: str | Path, *, faults: Faults) -> tuple[Task, ...]:
    """Read one task from each TSV file of a folder or glob, or from one file.

    Raises:
        DataError: the path is missing, or a file holds no usable row.
    """
    return read_files(task_files(path, kinds={TSV}), faults=faults).tasks


def read_files(files: Sequence[DataFile], *, faults: Faults) -> LoadedTasks:
    """Read one task from each file.

    Raises:
        DataError: a file holds no usable row.
    """
    return LoadedTasks(tuple(_task(file, faults) for file in files))


def _task(file: DataFile, faults: Faults) -> Task:
    name = stem(file).removesuffix("_train")
    is_flans = name in _CLUSTERS and stem(file) != name
    records: list[Record] = []
    for place, line in numbered_lines(file, faults=faults):
        columns = [column.replace("\\n", "\n").strip() for column in line.split("\t")]
        if len(columns) != 3:
            faults.add("not three columns", place, f"{len(columns)} columns")
        elif not all(columns):
            faults.add("empty column", place, "question, answer or rationale")
        else:
            records.append(_record(*columns, identity=place))
    if not records:
        raise DataError(
            f"no row of {file.name} could be read; wanted lines of question, answer and rationale, parted by "
            "tabs. Check that this is one of FLAN's chain-of-thought files."
        )
    return Task(
        name=f"cot_{name}",
        cluster=_CLUSTERS.get(name, name),
        records=tuple(records),
        templates=QUESTION_TEMPLATES,
        source=name,
        licence=LICENCE if is_flans else "unknown",
        collection=COLLECTION,
    )


def _record(question: str, answer: str, rationale: str, *, identity: str) -> Record:
    head, _, block = question.partition(_OPTIONS)
    options = tuple(line.removeprefix("- ").strip() for line in block.splitlines() if line.strip())
    if answer not in options or not head.strip():
        return Record(fields={"question": question}, answers=(answer,), rationale=rationale, id=identity)
    return Record(
        fields={"question": head.strip()},
        answers=(answer,),
        options=options,
        rationale=rationale,
        id=identity,
    )
