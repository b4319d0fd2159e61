from hypothesis import given
from hypothesis import strategies as st

from secondwind.instruct import Record, Task, Template, choose_exemplars

PLAIN = (Template("{question}"),)


def ask(question, answer="yes", **rest):
    return Record(fields={"question": question}, answers=(answer,), **rest)


def task_of(records, **settings):
    return Task(name="t", cluster="c", records=records, templates=PLAIN, **settings)


@given(
    questions=st.lists(st.sampled_from(["who", "Who", " who ", "where", "when", "why"]), min_size=1),
    count=st.integers(1, 5),
    key=st.integers(0, 2**64 - 1),
    data=st.data(),
)
def test_exemplars_are_never_the_query_nor_ask_the_same_twice(questions, count, key, data):
    index = data.draw(st.integers(0, len(questions) - 1))
    chosen = choose_exemplars(task_of([ask(q) for q in questions]), index, count=count, key=key)
    asked = [record.fields["question"].strip().lower() for record in chosen]
    assert questions[index].strip().lower() not in asked
    assert len(set(asked)) == len(asked) <= count


@given(size=st.integers(2, 40), count=st.integers(1, 5), key=st.integers(0, 2**64 - 1))
def test_exemplars_are_as_many_as_asked_for_where_all_questions_differ(size, count, key):
    chosen = choose_exemplars(task_of([ask(f"q{n}") for n in range(size)]), 0, count=count, key=key)
    assert len(chosen) == min(count, size - 1)


def test_exemplars_depend_on_the_key_alone_and_reach_every_record():
    task = task_of([ask(f"q{n}") for n in range(6)])
    first = choose_exemplars(task, 2, count=2, key=7)
    assert first == choose_exemplars(task, 2, count=2, key=7)
    reached = {
        record.fields["question"]
        for key in range(100)
        for record in choose_exemplars(task, 2, count=1, key=key)
    }
    assert reached == {"q0", "q1", "q3", "q4", "q5"}


def test_one_question_about_other_options_is_not_a_duplicate_unless_it_shares_the_answer():
    records = [
        ask("Which is ironic?", "a", options=("a", "b")),
        ask("Which is ironic?", "a", options=("b", "a")),
        ask("Which is ironic?", "A", options=("a", "z")),
        ask("Which is ironic?", "c", options=("c", "d")),
    ]
    assert choose_exemplars(task_of(records), 0, count=5, key=1) == [records[3]]


def test_exemplars_suit_the_template():
    with_steps = ask("q2", rationale="because")
    task = task_of([ask("q0", rationale="since"), ask("q1"), with_steps])
    template = Template("{question}", kind="rationale")
    assert choose_exemplars(task, 0, count=2, key=3, template=template) == [with_steps]


def test_exemplars_come_from_the_further_records_too_but_the_query_does_not():
    extra = ask("extra")
    task = task_of([ask("q0")], exemplars=(extra, ask("q0")))
    assert choose_exemplars(task, 0, count=3, key=4) == [extra]
