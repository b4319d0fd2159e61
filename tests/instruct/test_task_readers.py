import gzip
import json

import pytest

from secondwind.data.documents import Faults
from secondwind.errors import DataError
from secondwind.instruct import load_tasks, render
from secondwind.instruct.sources import cot_tsv, natural_instructions, plain

CAPITALS = {
    "task": "task900_capitals",
    "split": "train",
    "source": ["atlas"],
    "categories": ["Question Answering"],
    "output_language": ["English"],
    "instance_license": ["CC0"],
    "definition": ["Name the {capital}."],
    "positive_examples": [{"input": "France", "output": "Paris", "explanation": "It is."}],
    "eval_overlap": None,
    "instances": [
        {"id": "x-1", "input": "Italy ", "output": ["Rome", " Roma"]},
        {"input": "Spain", "output": "Madrid"},
    ],
}


@pytest.fixture
def faults():
    return Faults()


def write_lines(path, *rows):
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def reasons(faults):
    return {reason: faults.count(reason) for reason in faults.to_json()}


def test_natural_instructions_become_tasks_with_positive_examples_as_exemplars(tmp_path, faults):
    (task,) = natural_instructions.read_tasks(write_lines(tmp_path / "ni.jsonl.gz", CAPITALS), faults=faults)
    assert (task.name, task.cluster, task.source) == ("task900_capitals", "Question Answering", "atlas")
    assert (task.licence, task.language, task.metric) == ("CC0", "en", "rouge_l")
    assert [(r.fields["input"], r.answers, r.id) for r in task.records] == [
        ("Italy", ("Rome", "Roma"), "x-1"),
        ("Spain", ("Madrid",), "task900_capitals-1"),
    ]
    assert [record.answers for record in task.exemplars] == [("Paris",)]
    rendered = render(task.records[1], task.templates[0], exemplars=task.exemplars)
    assert "".join(rendered.inputs) == (
        "Name the {capital}.\n\nInput: France\nOutput: Paris\n\nInput: Spain\nOutput:"
    )
    assert faults.total == 0


def test_natural_instructions_leave_out_test_tasks_and_evaluation_overlap(tmp_path, faults):
    path = write_lines(
        tmp_path / "ni.jsonl",
        CAPITALS,
        CAPITALS | {"task": "t-test", "split": "test"},
        CAPITALS | {"task": "t-mmlu", "eval_overlap": "mmlu"},
        CAPITALS | {"task": "t-other", "split": "other"},
    )

    def read(**settings):
        return [task.name for task in natural_instructions.read_tasks(path, faults=faults, **settings)]

    assert read() == ["task900_capitals"]
    assert reasons(faults) == {"overlaps an evaluation benchmark": 1}
    assert read(splits=("train", "other"), keep_overlap=True) == ["task900_capitals", "t-mmlu", "t-other"]


def test_held_out_tasks_are_the_test_split_with_its_first_records(tmp_path, faults):
    path = write_lines(tmp_path / "ni.jsonl", CAPITALS, CAPITALS | {"task": "t-test", "split": "test"})
    (task,) = natural_instructions.read_held_out_tasks(path, faults=faults, max_records=1)
    assert (task.name, [record.id for record in task.records]) == ("t-test", ["x-1"])
    assert len(task.exemplars) == 1


def test_natural_instructions_count_what_they_cannot_use(tmp_path, faults):
    broken = {
        "instances": [{"input": "a"}, {"input": " ", "output": ["b"]}, 7, {"input": "c", "output": ["d"]}]
    }
    path = write_lines(
        tmp_path / "ni.jsonl",
        CAPITALS | broken,
        CAPITALS | {"task": "no-definition", "definition": []},
        CAPITALS | {"task": "no-instances", "instances": []},
        {"task": "meta only"},
        '{"task": ',
        "[]",
        '{"instances": [], "definition": "half a pair: \\ud83d"}',
    )
    (task,) = natural_instructions.read_tasks(path, faults=faults)
    assert [record.answers for record in task.records] == [("d",)]
    assert reasons(faults) == {
        "broken JSON": 1,
        "instance without an input": 2,
        "instance without an output": 1,
        "not UTF-8": 1,
        "not a JSON object": 1,
        "not a task": 1,
        "task without a definition": 1,
        "task without a usable instance": 1,
    }
    assert faults.to_json()["broken JSON"]["first"][0].startswith("ni.jsonl:5")


def test_chain_of_thought_rows_become_questions_options_and_rationales(tmp_path, faults):
    path = write_lines(
        tmp_path / "creak_train.tsv.gz",
        "Is snow warm?\\nOptions:\\n- yes\\n- no\tno\tSnow is ice.\\nIce is cold.",
        "Pick one.\\nOptions:\\n(A) 1\\n(B) 2\t(B)\t1+1=2",
    )
    (task,) = cot_tsv.read_tasks(path, faults=faults)
    parsed, lettered = task.records
    assert (task.name, task.cluster, task.source) == ("cot_creak", "fact checking", "creak")
    assert (parsed.fields["question"], parsed.options, parsed.answers) == (
        "Is snow warm?",
        ("yes", "no"),
        ("no",),
    )
    assert parsed.rationale == "Snow is ice.\nIce is cold."
    assert (lettered.options, lettered.fields["question"]) == ((), "Pick one.\nOptions:\n(A) 1\n(B) 2")


def test_chain_of_thought_counts_rows_that_are_no_triples(tmp_path, faults):
    path = write_lines(tmp_path / "x.tsv", "q\ta", "q\t\tr", "q\ta\tr", "q\ta\tr\tmore")
    path.write_bytes(path.read_bytes() + b"\xff\ta\tr\n")
    (task,) = cot_tsv.read_tasks(path, faults=faults)
    assert len(task.records) == 1
    assert reasons(faults) == {"empty column": 1, "not UTF-8": 1, "not three columns": 2}


@pytest.mark.parametrize(
    "row",
    [
        {"inputs": "2 + 2?", "targets": "4", "task": "sums"},
        {"prompt": "2 + 2?", "completion": "4", "task_name": "sums"},
        {"source": "2 + 2?", "target": "4", "_task_name": "sums"},
        {"question": "2 + 2?", "answer": ["4"], "task": "sums"},
    ],
)
def test_plain_rows_are_read_under_the_names_of_public_exports(row, tmp_path, faults):
    (task,) = plain.read_tasks(write_lines(tmp_path / "pairs.jsonl", row), faults=faults)
    rendered = render(task.records[0], task.templates[0])
    assert (task.name, rendered.inputs, rendered.target) == ("sums", ("2 + 2?",), " 4")


def test_plain_rows_are_grouped_by_task_and_else_by_file(tmp_path, faults):
    path = write_lines(
        tmp_path / "pairs.jsonl.gz",
        {"inputs": "a", "targets": "b", "task": "t"},
        {"inputs": "c", "targets": "d"},
        {"inputs": "e", "targets": "f", "task": "t"},
        {"inputs": " ", "targets": "f"},
        {"inputs": "g", "targets": []},
        {"text": "h"},
    )
    tasks = plain.read_tasks(path, faults=faults)
    assert [(task.name, len(task.records)) for task in tasks] == [("t", 2), ("pairs", 1)]
    assert reasons(faults) == {"no inputs": 2, "no targets": 1}


def test_load_tasks_picks_the_reader_for_each_file_of_a_folder(tmp_path, faults):
    write_lines(tmp_path / "a.jsonl", CAPITALS)
    write_lines(tmp_path / "b.jsonl", {"inputs": "a", "targets": "b"})
    write_lines(tmp_path / "c_train.tsv.gz", "q\ta\tr")
    write_lines(tmp_path / "d.jsonl", {"text": "a document"})
    write_lines(tmp_path / "README.md", "not data")
    tasks = load_tasks(tmp_path, faults=faults).tasks
    assert [task.collection for task in tasks] == ["natural_instructions", "plain", "flan_cot"]
    assert reasons(faults) == {"unknown format": 1}


def test_missing_empty_and_truncated_sources_are_errors(tmp_path, faults):
    with pytest.raises(DataError, match="does not exist"):
        load_tasks(tmp_path / "nowhere", faults=faults)
    with pytest.raises(DataError, match="holds no such file"):
        load_tasks(tmp_path, faults=faults)
    with pytest.raises(DataError, match="no task could be read"):
        load_tasks(write_lines(tmp_path / "documents.jsonl", {"text": "a"}), faults=faults)
    whole = write_lines(tmp_path / "whole.jsonl.gz", *[CAPITALS] * 50).read_bytes()
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read to its end"):
        natural_instructions.read_tasks(cut, faults=faults)


def test_real_natural_instructions_give_the_clean_tasks_and_the_official_test_tasks(data_pack, faults):
    path = data_pack / "natural_instructions" / "tasks_n256.jsonl.gz"
    tasks, left_out = load_tasks(path, faults=faults)
    assert (len(tasks), reasons(faults)) == (73, {"overlaps an evaluation benchmark": 55})
    held_out = natural_instructions.read_held_out_tasks(path, faults=faults)
    assert len(held_out) == 8
    assert {task.name for task in held_out} < left_out
    assert not {task.name for task in held_out} & {task.name for task in tasks}


def test_real_chain_of_thought_sets_are_read_to_the_last_row(data_pack, faults):
    tasks = load_tasks(data_pack / "flan_cot", faults=faults).tasks
    assert (len(tasks), sum(len(task.records) for task in tasks), faults.total) == (7, 33_443, 0)
    assert all(record.rationale for task in tasks for record in task.records)
