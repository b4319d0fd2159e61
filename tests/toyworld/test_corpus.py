"""The corpus: repeatable, plain prose, and never an item of a benchmark."""

import subprocess
import sys
import time

import pytest

from secondwind.errors import DataError
from secondwind.toyworld import SPLITS, corpus, suite, train_tokenizer, tuning_tasks

NUM_DOCUMENTS = 3000


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return list(corpus("base", NUM_DOCUMENTS))


def test_corpus_gives_the_same_documents_again(documents: list[str]) -> None:
    assert list(corpus("base", 50)) == documents[:50]


def test_corpus_splits_share_no_long_document(documents: list[str]) -> None:
    long = {document for document in documents if len(document.split()) > 25}
    assert len(long) > NUM_DOCUMENTS // 2
    for split in SPLITS[1:]:
        assert long.isdisjoint(corpus(split, NUM_DOCUMENTS))


def test_corpus_refuses_an_unknown_split() -> None:
    with pytest.raises(DataError, match="no split 'bose'.*Nearest: base"):
        next(corpus("bose", 1))


def test_corpus_has_no_question_and_answer_formatting(documents: list[str]) -> None:
    text = "\n".join(documents)
    for mark in ("?", "Question", "Answer", "Options", "Q:", "A:", "Reply"):
        assert mark not in text
    assert max(len(document.split()) for document in documents) < 250


def test_corpus_and_tuning_hold_no_benchmark_item(documents: list[str]) -> None:
    tuning = [task.records[index] for task in tuning_tasks() for index in range(min(400, len(task.records)))]
    told = "\n".join([*documents, *(record.fields.get("passage", "") for record in tuning)])
    groups = {record.group for record in tuning}
    questions = {record.fields["question"] for record in tuning if not record.fields.get("passage")}
    items = [record for b in suite().benchmarks for subtask in b.subtasks for record in subtask.task.records]
    assert len(items) > 800
    for record in items:
        passage = record.fields["passage"]
        if passage:
            assert passage not in told
            assert record.group not in groups
        else:
            assert record.fields["question"] not in questions


def test_benchmark_sums_never_share_their_numbers_with_tuning() -> None:
    def numbers(passage: str) -> tuple[str, ...]:
        return tuple(word for word in passage.replace(".", "").split() if word.isdigit())

    sums = [task for task in tuning_tasks() if task.name.endswith(("_sum", "sum_two_steps"))]
    assert len(sums) == 3
    tuned = {
        record.group
        for task in sums
        for record in (task.records[index] for index in range(len(task.records)))
    }
    items = [r for b in suite().benchmarks if b.family == "MGSM" for s in b.subtasks for r in s.task.records]
    assert items and all(len(numbers(record.fields["passage"])) == 3 for record in items)
    assert tuned.isdisjoint(record.group for record in items)


def test_infilling_items_stand_in_no_document(documents: list[str]) -> None:
    told = "\n".join(documents)
    items = [item for benchmark in suite().infilling for item in benchmark.items]
    assert len(items) >= 100
    for item in items:
        text = item.text
        for answer in item.answers:
            text = text.replace("___", answer, 1)
        assert text not in told


def test_infilling_answers_stand_after_their_blanks() -> None:
    for benchmark in suite().infilling:
        for item in benchmark.items:
            before, after = item.text.rsplit("___", 1)
            assert all(answer in after and answer not in before for answer in item.answers)


def test_corpus_makes_five_thousand_documents_a_second_when_the_machine_is_free() -> None:
    started = time.process_time()
    num_documents = sum(1 for _ in corpus("fresh", 1000))
    assert num_documents / (time.process_time() - started) > 1500  # a third of it, for busy machines


def test_tokenizer_keeps_most_words_and_numbers_whole(documents: list[str]) -> None:
    tokenizer = train_tokenizer(2000)
    assert tokenizer.get_vocab_size() <= 1024
    text = " Mia had 12 plums. Mia got 3 more. 12 plus 3 is 15."
    assert tokenizer.encode(" 12 15 20").tokens == ["Ġ12", "Ġ15", "Ġ20"]
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    sample = documents[:300]
    num_tokens = sum(len(tokenizer.encode(document).ids) for document in sample)
    num_words = sum(len(document.split()) for document in sample)
    assert num_tokens < 1.45 * num_words  # signs count as tokens of their own


def test_toyworld_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, secondwind.toyworld; sys.exit(any(m in sys.modules for m in ('torch', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
