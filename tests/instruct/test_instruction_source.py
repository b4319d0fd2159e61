import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondwind.errors import DataError, RecipeError
from secondwind.instruct import InstructionSettings, InstructionSource, Record, Task, Template, render
from secondwind.instruct.library import PLAIN_TEMPLATES, QUESTION_TEMPLATES, definition_templates
from secondwind.runs import fingerprint

LIBRARY = (*QUESTION_TEMPLATES, *PLAIN_TEMPLATES, *definition_templates("Name the town."))
ROOMY = InstructionSettings(max_tokens=4096, max_share=1)


@pytest.fixture(scope="session")
def make_source(tokenizer, vocabulary):
    def make(*tasks, seed=1, settings=ROOMY, **changes):
        return InstructionSource(tasks, tokenizer, vocabulary, replace(settings, **changes), seed)

    return make


def as_bytes(source, indices):
    return [(source[i].inputs.tobytes(), source[i].targets.tobytes(), source[i].source) for i in indices]


def test_examples_are_the_same_in_any_order_of_access(make_source, make_task):
    tasks = (make_task("a"), make_task("b", size=7), make_task("c", size=1))
    indices = [0, 255, 256, 600, 3, 2000]
    asked_for_first = make_source(*tasks, max_tokens=150)
    backwards = make_source(*tasks, max_tokens=150)
    lengths = backwards.lengths(0, 2001)
    expected = as_bytes(asked_for_first, indices)
    assert as_bytes(backwards, indices[::-1]) == expected[::-1]
    assert [len(inputs) // 4 + len(targets) // 4 + 1 for inputs, targets, _ in expected] == lengths[
        indices
    ].tolist()


def test_examples_survive_being_forgotten(make_source, make_task):
    source = make_source(make_task(size=3), few_shot_share=0)
    before = as_bytes(source, [5])
    for block in range(1, 34):
        source[block * 256]
    assert as_bytes(source, [5]) == before


@given(start=st.integers(0, 300), span=st.integers(0, 200), max_tokens=st.integers(90, 400))
def test_lengths_are_those_of_the_examples_and_within_the_budget(
    make_source, make_task, start, span, max_tokens
):
    source = make_source(make_task(), make_task("b"), max_tokens=max_tokens)
    lengths = source.lengths(start, start + span)
    built = [source[index] for index in range(start, start + span)]
    assert lengths.dtype == np.int64
    assert lengths.tolist() == [1 + len(example.inputs) + len(example.targets) for example in built]
    assert all(length <= max_tokens for length in lengths)


@pytest.mark.parametrize("template", LIBRARY)
def test_only_the_target_and_eos_are_targets(template, make_source, tokenizer, vocabulary):
    fields = {"question": "Where is Mia?", "input": "Where is Mia?", "inputs": "Where is Mia?"}
    record = Record(fields=fields, answers=("Orra",), options=("Belt", "Orra"), rationale="She does.")
    example = make_source(Task("t", "c", (record,), (template,)))[0]
    rendered = render(record, template)
    assert tokenizer.text(example.inputs) == "".join(rendered.inputs)
    assert tokenizer.text(example.targets) == rendered.target
    assert example.targets[-1] == vocabulary.eos
    assert not np.isin(example.inputs, list(vocabulary.reserved)).any()
    assert np.isin(example.targets, list(vocabulary.reserved)).sum() == 1


def test_few_shot_prompts_never_hold_the_query_twice(make_source, make_task, tokenizer):
    source = make_source(make_task(size=6), few_shot_share=1)
    seen_exemplars = 0
    for index in range(200):
        questions = [
            line for line in tokenizer.text(source[index].inputs).splitlines() if line.startswith("Where")
        ]
        assert len(set(questions)) == len(questions)
        seen_exemplars += len(questions) - 1
    assert seen_exemplars > 400


@pytest.mark.parametrize(
    ("few_shot", "options", "rationale"), [(0.5, 0.64, 0.5), (0, 0, 0), (1, 1, 1), (0.2, 0.9, 0.7)]
)
def test_shares_of_formats_come_out_as_set(make_source, make_task, few_shot, options, rationale):
    source = make_source(
        make_task(), few_shot_share=few_shot, options_share=options, rationale_share=rationale
    )
    formats = source.facts(range(3000))["formats"]
    for share, wanted in (("few_shot", few_shot), ("options", options), ("rationale", rationale)):
        assert formats[share] == pytest.approx(wanted, abs=4 * (wanted * (1 - wanted) / 3000) ** 0.5)


def test_number_of_exemplars_is_uniform(make_source, make_task, tokenizer):
    source = make_source(make_task(), few_shot_share=1, max_shots=4)
    shots = [tokenizer.text(source[i].inputs).count("Where does") - 1 for i in range(2000)]
    counts = np.bincount(shots, minlength=5)
    assert counts[0] == 0
    assert counts[1:] == pytest.approx([500] * 4, abs=80)


def test_tasks_have_their_shares_at_every_prefix(make_source, make_task):
    source = make_source(make_task("a", size=30), make_task("b", size=10))
    sources = [source[index].source for index in range(400)]
    assert source.shares == pytest.approx((0.75, 0.25))
    for prefix in range(1, 401):
        assert abs(sources[:prefix].count("a") - 0.75 * prefix) < 1


def test_every_epoch_visits_each_record_once_in_an_order_of_its_own(make_source, make_task, tokenizer):
    source = make_source(make_task(size=40), few_shot_share=0)
    asked = [tokenizer.text(source[index].inputs).split()[2] for index in range(120)]
    epochs = [asked[start : start + 40] for start in (0, 40, 80)]
    assert all(set(epoch) == {f"n{number}" for number in range(40)} for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_budget_takes_exemplars_first_then_the_record_and_counts_both(make_source, make_task):
    short, long = make_task(size=20), make_task(size=20)
    padded = [
        replace(record, fields={"question": record.fields["question"] + " please" * 40})
        for record in long.records
    ]
    task = replace(short, records=[*short.records, *padded])
    roomy = make_source(task, few_shot_share=1).facts(range(1000))
    tight = make_source(task, few_shot_share=1, max_tokens=130).facts(range(1000))
    assert roomy["drops"] == {
        "exemplars_not_found": 0,
        "exemplars_dropped": 0,
        "became_zero_shot": 0,
        "records_replaced": 0,
    }
    assert tight["drops"]["exemplars_dropped"] > 500
    assert 0 < tight["drops"]["became_zero_shot"] < 1000
    assert tight["drops"]["records_replaced"] > 300
    assert tight["formats"]["few_shot"] == 1 - tight["drops"]["became_zero_shot"] / 1000


def test_a_rare_fitting_record_stands_in_when_no_drawn_one_fits(make_source):
    records = [Record(fields={"q": "why" + "y" * 500}, answers=("a",), id=f"{n}") for n in range(50)]
    records[17] = Record(fields={"q": "short"}, answers=("a",))
    source = make_source(Task("t", "c", records, (Template("{q}"),)), max_tokens=30)
    assert set(source.lengths(0, 256)) == {1 + len("short") + len(" a") + 1}


def test_a_task_without_a_fitting_record_is_left_out_and_named(make_source, make_task):
    giant = Task("giant", "c", [Record(fields={"q": "x" * 500}, answers=("a",))], (Template("{q}"),))
    source = make_source(make_task(), giant, max_tokens=300)
    assert source.left_out == ("giant",)
    assert source.facts(range(256))["left_out"] == ["giant"]
    assert {source[index].source for index in range(256)} == {"home"}
    with pytest.raises(DataError, match="none of 1 tasks has a record that fits max_tokens = 300"):
        make_source(giant, max_tokens=300)


def test_few_shot_falls_back_to_zero_shot_where_all_records_ask_the_same(make_source):
    task = Task("t", "c", [Record(fields={"q": "who"}, answers=("me",))] * 3, (Template("{q}"),))
    drops = make_source(task, few_shot_share=1, max_shots=2).facts(range(256))["drops"]
    assert drops["became_zero_shot"] == 256
    assert drops["exemplars_not_found"] > 256


def test_a_record_that_makes_no_example_is_replaced_and_counted(make_source):
    records = [Record(fields={"q": " "}, answers=("a",)), Record(fields={"q": "why"}, answers=("b",))]
    source = make_source(Task("t", "c", records, (Template("{q}"),)), few_shot_share=0)
    assert {len(source[index].inputs) for index in range(64)} == {3}
    assert source.facts(range(256))["drops"]["records_replaced"] >= 128


def test_facts_tell_of_exactly_the_examples_that_are_named(make_source, make_task):
    source = make_source(make_task("a"), make_task("b"))
    of_b = [index for index in range(600) if source[index].source == "b"]
    facts = source.facts(np.array(of_b[5:25]))
    assert {task["task"]: task["realised_examples"] for task in facts["tasks"]} == {"a": 0, "b": 20}
    targets = sum(len(source[index].targets) for index in of_b[5:25])
    assert sum(task["target_tokens"] for task in facts["tasks"]) == targets


def test_without_bos_a_prompt_without_tokens_is_replaced_since_its_first_target_would_be_lost(
    tokenizer, vocabulary
):
    class Deaf(type(tokenizer)):
        def __call__(self, text, **settings):
            return super().__call__(["" if piece == "mute" else piece for piece in text], **settings)

    records = [Record(fields={"q": "mute"}, answers=("a",)), Record(fields={"q": "why"}, answers=("b",))]
    task, found = Task("t", "c", records, (Template("{q}"),)), {}
    for bos in (vocabulary.bos, None):
        known = replace(vocabulary, bos=bos)
        source = InstructionSource([task], Deaf(), known, replace(ROOMY, few_shot_share=0), 1)
        found[bos] = {len(source[index].inputs) for index in range(64)}
        found[bos, "drops"] = source.facts(range(64))["drops"]["records_replaced"]
    assert (found[None], found[vocabulary.bos]) == ({3}, {0, 3})
    assert found[None, "drops"] >= 32 and found[vocabulary.bos, "drops"] == 0


def test_facts_are_a_mixture_table_ready_for_json(make_source, make_task):
    tasks = (
        make_task("a", size=30, source="s", collection="x", licence="MIT"),
        make_task("b", size=10, source="t", collection="y"),
    )
    facts = make_source(*tasks, caps={"x": 10}).facts(range(1000))
    row = facts["tasks"][0]
    assert json.loads(json.dumps(facts)) == facts
    assert (row["task"], row["source"], row["licence"], row["cap"]) == ("a", "s", "MIT", 10)
    assert (row["examples"], row["counted_examples"]) == (30, 10)
    assert (row["intended_share"], row["realised_share"], row["realised_examples"]) == (0.5, 0.5, 500)
    assert sum(task["target_token_share"] for task in facts["tasks"]) == pytest.approx(1, abs=1e-5)


def test_fingerprint_changes_with_whatever_changes_the_examples(make_source, make_task):
    task = make_task()
    other_record = replace(task, records=[*task.records[1:], replace(task.records[0], rationale="No.")])
    prints = [
        fingerprint(make_source(task).identity()),
        fingerprint(make_source(task, seed=2).identity()),
        fingerprint(make_source(task, options_share=0.5).identity()),
        fingerprint(make_source(other_record).identity()),
        fingerprint(make_source(replace(task, templates=task.templates[:2])).identity()),
        fingerprint(make_source(replace(task, exemplars=task.records[:1])).identity()),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint(make_source(make_task()).identity()) == prints[0]


def test_misspelt_placeholder_is_an_error_before_any_example(make_source, make_task):
    with pytest.raises(DataError, match=r"task 'home' fills in \{qestion\}.*Nearest: question"):
        make_source(make_task(templates=(Template("{qestion}"),)))


@pytest.mark.parametrize(
    "wrong",
    [{"few_shot_share": 1.5}, {"max_tokens": 0}, {"max_shots": 0}, {"caps": {"x": 0}}, {"rates": {"x": -1}}],
)
def test_impossible_settings_are_errors_that_name_the_setting(wrong):
    with pytest.raises(RecipeError, match=f"flan.{next(iter(wrong))}"):
        InstructionSettings(**{"max_tokens": 100, **wrong})
