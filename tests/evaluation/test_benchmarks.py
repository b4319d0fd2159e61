"""Suites read from files: small ones made here, and the real ones where there is a data folder."""

import gzip
import json
from pathlib import Path

import pytest

from secondwind.data.documents import Faults
from secondwind.errors import DataError
from secondwind.evaluation.benchmarks import load_suite
from secondwind.evaluation.prompts import Prompt, fit_prompt
from secondwind.evaluation.suite import Benchmark, Mode
from tests.evaluation.fakes import FakeRespondent

PROMPT = """canary: do not train on this
-----
Tell whether one returns.

Q: Turn around. Do you return?
Options:
- Yes
- No
A: Let's think step by step.
One turns.
So the answer is No.

Q: Stand. Do you return?
Options:
- Yes
- No
A: Let's think step by step.
One stays. So the answer is Yes."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with one BBH task and one MMLU subject."""
    (tmp_path / "bbh" / "bbh").mkdir(parents=True)
    (tmp_path / "bbh" / "cot-prompts").mkdir()
    items = [{"input": "Jump. Do you return?\nOptions:\n- Yes\n- No", "target": "Yes"}]
    (tmp_path / "bbh" / "bbh" / "navigate.json").write_text(json.dumps({"canary": "-", "examples": items}))
    (tmp_path / "bbh" / "cot-prompts" / "navigate.txt").write_text(PROMPT)
    for split, rows in (
        ("dev", '"What is 1, plus 1?",1,2,3,4,B\n'),
        (
            "test",
            "What is 2 + 2?,1,2,3,4,D\n"
            '"This question refers to the following information.\nA tale.\nWho?",a,b,c,d,A\n',
        ),
    ):
        (tmp_path / "mmlu" / split).mkdir(parents=True)
        (tmp_path / "mmlu" / split / f"high_school_sums_{split}.csv").write_text(rows)
    return tmp_path


def prompt_of(made: Benchmark, mode: Mode, number: int = 0) -> str:
    subtask = made.subtasks[0]
    prompt = fit_prompt(
        subtask.task.records[number],
        subtask=subtask,
        benchmark=made,
        mode=mode,
        answer_tokens=1,
        mode_token=None,
        respondent=FakeRespondent(context_length=100_000),
    )
    assert isinstance(prompt, Prompt)
    return prompt.text


def test_the_bbh_chain_of_thought_prompt_is_the_authors_file_and_the_question(folder: Path):
    made = load_suite("bbh", folder, faults=Faults()).benchmarks[0]
    assert prompt_of(made, "cot") == PROMPT.split("-----\n")[1] + (
        "\n\nQ: Jump. Do you return?\nOptions:\n- Yes\n- No\nA: Let's think step by step."
    )


def test_the_bbh_direct_prompt_keeps_questions_and_final_answers(folder: Path):
    made = load_suite("bbh", folder, faults=Faults()).benchmarks[0]
    options = "\nOptions:\n- Yes\n- No\nA:"
    assert prompt_of(made, "direct") == (
        f"Tell whether one returns.\n\nQ: Turn around. Do you return?{options} No"
        f"\n\nQ: Stand. Do you return?{options} Yes\n\nQ: Jump. Do you return?{options}"
    )
    assert made.subtasks[0].chance == 0.5


def test_mmlu_asks_for_letters_after_dev_exemplars(folder: Path):
    made = load_suite("mmlu", folder, faults=Faults()).benchmarks[0]
    assert prompt_of(made, "direct") == (
        "The following are multiple choice questions (with answers) about high school sums.\n\n"
        "What is 1, plus 1?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: B\n\n"
        "What is 2 + 2?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:"
    )
    first, second = made.subtasks[0].task.records
    assert (first.answers, first.options, first.group) == (("D",), ("A", "B", "C", "D"), "")
    assert second.group.endswith("A tale.")
    assert made.modes == ("direct",)  # without mmlu-cot.json


def test_mmlu_chain_of_thought_uses_the_published_prompts(folder: Path):
    intro = "The following are multiple choice questions (with answers) about high school sums."
    block = "Q: 1 + 1?\n(A) 1 (B) 2 (C) 3 (D) 4\nA: Let's think step by step. Two. The answer is (B)."
    (folder / "mmlu" / "mmlu-cot.json").write_text(
        json.dumps({"high_school_sums": f"{intro}\n\n{block}\n\n"})
    )
    made = load_suite("mmlu", folder, faults=Faults()).benchmarks[0]
    assert made.modes == ("direct", "cot")
    assert prompt_of(made, "cot") == (
        f"{intro}\n\n{block}\n\nQ: What is 2 + 2?\n(A) 1 (B) 2 (C) 3 (D) 4\nA: Let's think step by step."
    )


def test_flan2022_names_all_six_parts(folder: Path):
    suite = load_suite("flan2022", folder, faults=Faults())
    assert suite.expected_parts == (
        "MMLU:direct",
        "MMLU:cot",
        "BBH:direct",
        "BBH:cot",
        "TyDiQA:direct",
        "MGSM:cot",
    )


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("mmlu/test/high_school_sums_test.csv", "What?,1,2,3,E\n", r"sums_test.csv:1 is .*wanted question"),
        ("bbh/bbh/navigate.json", "{", "cannot be read as a BBH task"),
        ("bbh/cot-prompts/navigate.txt", "no line of dashes", "cannot be read as a BBH prompt"),
        ("bbh/cot-prompts/navigate.txt", "-----\nDo.\n\nQ: What?\nA: No.", "has no steps and answer"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, path: str, content: str, message: str):
    (folder / path).write_text(content)
    with pytest.raises(DataError, match=message):
        load_suite("flan2022", folder, faults=Faults())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flan2021", "no suite 'flan2021'. Nearest: flan2022"),
        ("mmlu", "no MMLU subject"),
        ("bbh", "no BBH task"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, name: str, message: str):
    with pytest.raises(DataError, match=message):
        load_suite(name, tmp_path, faults=Faults())


def test_held_out_tasks_come_from_every_file_that_has_some(tmp_path: Path):
    folder = tmp_path / "of [mine]" / "natural_instructions"
    folder.mkdir(parents=True)

    def write(name: str, split: str) -> None:
        stored = {
            "task": name,
            "split": split,
            "definition": ["Name the capital."],
            "instances": [{"input": "Italy", "output": ["Rome"]}],
        }
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(json.dumps(stored).encode() + b"\n"))

    def asked() -> list[str]:
        suite = load_suite("held_out_tasks", folder.parent, faults=Faults())
        return [subtask.task.name for subtask in suite.benchmarks[0].subtasks]

    write("meta", "test")  # not called tasks*
    write("tasks1", "train")
    with pytest.raises(DataError, match="no Natural Instructions task of the splits \\['test'\\]"):
        asked()
    write("tasks2", "test")
    write("tasks3", "train")
    write("tasks4", "test")
    assert asked() == ["tasks2", "tasks4"]
    (folder / "tasks5.jsonl.gz").write_bytes((folder / "tasks4.jsonl.gz").read_bytes()[:40])
    with pytest.raises(DataError, match="tasks5.jsonl.gz cannot be read to its end"):
        asked()


def test_a_named_suite_wants_a_data_folder():
    with pytest.raises(DataError, match="none was given"):
        load_suite("mmlu", None, faults=Faults())


def test_the_real_suites_have_their_official_sizes(data_pack: Path):
    suite = load_suite("flan2022", data_pack, faults=Faults())
    sizes = {
        made.name: (len(made.subtasks), sum(len(s.task.records) for s in made.subtasks))
        for made in suite.benchmarks
    }
    assert sizes == {"mmlu": (57, 14042), "bbh": (27, 6511)}
    chances = {s.task.name: s.chance for s in suite.benchmarks[1].subtasks}
    wanted = {
        "bbh_navigate": 1 / 2,
        "bbh_snarks": 1 / 2,
        "bbh_formal_fallacies": 1 / 2,
        "bbh_sports_understanding": 1 / 2,
        "bbh_logical_deduction_seven_objects": 1 / 7,
        "bbh_disambiguation_qa": 1 / 3,
        "bbh_temporal_sequences": 1 / 4,
        "bbh_word_sorting": 0.0,
        "bbh_dyck_languages": 0.0,
    }
    # One released item of snarks lists one option, three of disambiguation_qa list four.
    assert {name: chances[name] for name in wanted} == pytest.approx(wanted, abs=3e-3)
    assert all(len(s.worked) == len(s.exemplars) == 3 for s in suite.benchmarks[1].subtasks)


def test_the_real_prompts_are_the_published_files(data_pack: Path):
    suite = load_suite("bbh", data_pack, faults=Faults())
    for subtask in suite.benchmarks[0].subtasks:
        file = data_pack / "bbh" / "cot-prompts" / f"{subtask.task.name.removeprefix('bbh_')}.txt"
        published = file.read_text(encoding="utf-8").split("-----\n", 1)[1].strip()
        rebuilt = "\n\n".join([subtask.task.templates[1].instruction, *subtask.worked])
        assert rebuilt == published


def test_the_real_held_out_tasks_have_definitions_and_two_exemplars(data_pack: Path):
    made = load_suite("held_out_tasks", data_pack, faults=Faults()).benchmarks[0]
    assert len(made.subtasks) == 8
    assert not made.averaged
    for subtask in made.subtasks:
        assert len(subtask.exemplars) == 2
        assert subtask.task.metric == "rouge_l"
        assert 0 < len(subtask.task.records) <= 100
