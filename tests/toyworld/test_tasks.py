"""Tasks and benchmarks: enough of them, balanced, and out of reach of readers without understanding."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from tests.toyworld.oracles import (
    FiveGram,
    NearestNeighbour,
    five_gram_reader,
    neighbour_reader,
    normalized,
    render,
    tuning_examples,
)

from secondwind.evaluation import Suite
from secondwind.instruct.task import Record
from secondwind.toyworld import HELD_OUT_CLUSTERS, corpus, dev_suite, suite, tasks, tuning_tasks

CEILING = 10.0


@pytest.fixture(scope="module")
def examples() -> list[tuple[str, str]]:
    return tuning_examples(tuning_tasks(), 120)


def test_tasks_are_many_and_some_clusters_are_held_out() -> None:
    clusters = {task.cluster for task in tasks()}
    assert len(tuning_tasks()) >= 24
    assert len(clusters) >= 8
    assert len(HELD_OUT_CLUSTERS) >= 3
    assert set(HELD_OUT_CLUSTERS) < clusters
    assert not {task.cluster for task in tuning_tasks()} & set(HELD_OUT_CLUSTERS)
    assert len({task.name for task in tasks()}) == len(tasks())


def test_tasks_have_at_least_four_phrasings_that_never_end_in_space() -> None:
    for task in tasks():
        assert len(task.templates) >= 4
        for index in range(min(6, len(task.records))):
            record = task.records[index]
            for template in task.templates:
                inputs, targets = render(record, template)
                assert inputs == inputs.rstrip()
                assert targets.startswith(" ") and "{" not in inputs + targets
                assert not template.shows_options or record.options


def test_records_are_the_same_when_built_again() -> None:
    for task in tasks():
        assert task.records[3] == task.records[3]
        assert task.records[-1] == task.records[len(task.records) - 1]


def test_answers_stand_at_every_place_of_the_options_alike() -> None:
    places: Counter[tuple[int, int]] = Counter()
    for task in tasks():
        for record in task.records[:200]:
            if len(record.options) > 2:
                places[len(record.options), record.options.index(record.answers[0])] += 1
    for size in (3, 4):
        counts = [places[size, place] for place in range(size)]
        assert sum(counts) > 500
        assert max(counts) < 1.15 * min(counts)


def test_yes_and_no_are_balanced() -> None:
    truths = [task for task in tasks() if "truth" in task.cluster]
    assert len(truths) == 9
    for task in truths:
        answers = Counter(record.answers[0] for record in task.records[:400])
        assert len(answers) == 2 and max(answers.values()) < 240


@pytest.mark.parametrize("made", [suite, dev_suite])
def test_benchmarks_of_held_out_clusters_say_so(made: Callable[[], Suite]) -> None:
    tuned = {task.cluster for task in tuning_tasks()}
    assert any(benchmark.held_out for benchmark in made().benchmarks)
    for benchmark in made().benchmarks:
        clusters = {subtask.task.cluster for subtask in benchmark.subtasks}
        assert benchmark.held_out == clusters.isdisjoint(tuned)
        assert benchmark.held_out == ("never tuned on" in benchmark.note)


def test_toy_families_are_those_of_the_papers() -> None:
    assert {benchmark.family for benchmark in suite().benchmarks} == {"MMLU", "BBH", "TyDiQA", "MGSM"}


def test_toy_mmlu_asks_kinds_of_facts_that_no_tuning_record_asks_and_toy_facts_others() -> None:
    def topics(records: Iterable[Record]) -> set[str]:
        return {record.id.split("/")[0] for record in records}

    tuned = topics(r for task in tuning_tasks() if task.cluster == "knowledge" for r in task.records)
    asked = {
        benchmark.name: topics(r for subtask in benchmark.subtasks for r in subtask.task.records)
        for benchmark in suite().benchmarks
        if benchmark.family == "MMLU"
    }
    assert asked == {"toy_mmlu": {"goods", "bed", "colour"}, "toy_facts": {"river", "diet", "stuff"}}
    assert asked["toy_mmlu"].isdisjoint(tuned) and asked["toy_facts"] == tuned


def contents(made: Suite) -> set[str]:
    """What the items and exemplars of a suite are about, and the texts themselves."""
    subtasks = [subtask for benchmark in made.benchmarks for subtask in benchmark.subtasks]
    records = [record for s in subtasks for record in (*s.task.records, *s.exemplars)]
    items = [item for benchmark in made.infilling for item in benchmark.items]
    asked = {record.group for record in records} | {record.fields["passage"] for record in records}
    return (asked | {item.group for item in items} | {item.text for item in items}) - {""}


def test_the_suite_for_choosing_settings_shares_no_item_with_toy() -> None:
    dev = contents(dev_suite())
    assert len(dev) > 700
    assert dev.isdisjoint(contents(suite()))
    names = [{benchmark.name for benchmark in (*s.benchmarks, *s.infilling)} for s in (suite(), dev_suite())]
    assert names[0].isdisjoint(names[1])


def test_the_suite_for_choosing_settings_shares_no_item_with_tuning() -> None:
    tuned = {r.group for task in tuning_tasks() for r in task.records[:400]}
    assert contents(dev_suite()).isdisjoint(tuned)


@pytest.mark.parametrize("made", [suite, dev_suite])
def test_benchmark_exemplars_are_no_items_and_modes_have_templates(made: Callable[[], Suite]) -> None:
    for benchmark in made().benchmarks:
        kinds = {"direct": "direct", "cot": "rationale"}
        for subtask in benchmark.subtasks:
            items = {record.group for record in subtask.task.records}
            assert len(subtask.exemplars) >= benchmark.shots
            assert items.isdisjoint(record.group for record in subtask.exemplars)
            for mode in benchmark.modes:
                assert any(template.kind == kinds[mode] for template in subtask.task.templates)


def test_five_gram_model_stays_below_the_ceiling(examples: list[tuple[str, str]]) -> None:
    model = FiveGram([*corpus("base", 3000), *(inputs + targets for inputs, targets in examples)])
    average, parts = normalized(suite(), five_gram_reader(model))
    assert len(parts) == 5  # toy_mmlu and toy_facts are one
    assert average <= CEILING, parts


def test_nearest_neighbour_stays_below_the_ceiling(examples: list[tuple[str, str]]) -> None:
    average, parts = normalized(suite(), neighbour_reader(NearestNeighbour(examples)))
    assert len(parts) == 5
    assert average <= CEILING, parts
