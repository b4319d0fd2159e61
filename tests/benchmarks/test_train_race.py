"""The race of training compares like with like: all contenders that can run here train the same."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.train import bare, bench, environment, figures, hf_trainer, masks, ours
from benchmarks.train.figures import Entry
from benchmarks.train.job import Answer, Job
from benchmarks.train.materials import NUM_SENTINELS, SMALL, make_examples, make_model, make_outline

VOCABULARY = 384
TINY = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
NUM_EXAMPLES, STEPS = 5, 3


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("race")
    make_model(folder / "model", SMALL | TINY, vocabulary=VOCABULARY)
    make_examples(folder / "examples.json", NUM_EXAMPLES, vocabulary=VOCABULARY)
    return Job(
        model=str(folder / "model"),
        examples=str(folder / "examples.json"),
        steps=STEPS,
        row_length=512,
        rows_per_pass=2,
        examples_per_pass=2,
    )


def answer_of(contender: Any, job: Job, folder: Path) -> Answer:
    contender.race(job, folder / "answer.json")
    return Answer.read(folder / "answer.json")


def test_every_contender_reports_the_same_losses(job: Job, tmp_path: Path) -> None:
    wanted = answer_of(ours, job, tmp_path)
    assert len(wanted.losses) == len(wanted.cpu_seconds) == len(wanted.wall_seconds) == STEPS
    assert wanted.losses[0] == pytest.approx(math.log(VOCABULARY), abs=0.2)
    assert wanted.losses[-1] < wanted.losses[0] - 0.01
    for contender in (bare, hf_trainer):
        found = answer_of(contender, job, tmp_path)
        # All steps: the optimizer and its settings are the same, too.
        assert found.losses == pytest.approx(wanted.losses, abs=1e-4)
        assert len(found.cpu_seconds) == STEPS and min(found.cpu_seconds) > 0


@pytest.mark.parametrize("backend", ["auto", "dense"])
def test_drawn_weights_are_those_of_every_contender_of_that_job(
    job: Job, tmp_path: Path, backend: str
) -> None:
    make_outline(tmp_path / "outline", SMALL | TINY, vocabulary=VOCABULARY)
    drawn = replace(job, model=str(tmp_path / "outline"), drawn=True, backend=backend, steps=2)
    wanted = answer_of(ours, drawn, tmp_path)
    assert answer_of(bare, drawn, tmp_path).losses == pytest.approx(wanted.losses, abs=1e-4)


def test_the_loss_of_other_examples_is_told_apart(job: Job, tmp_path: Path) -> None:
    wanted = answer_of(ours, job, tmp_path)
    other = tmp_path / "other.json"
    make_examples(other, NUM_EXAMPLES, vocabulary=VOCABULARY, seed=2)
    found = answer_of(bare, replace(job, examples=str(other)), tmp_path)
    (fault,) = figures.loss_faults({"ours": [wanted], "bare": [found]}, precision="fp32")
    assert fault.startswith("bare loop begins with loss")
    assert figures.loss_faults({"ours": [wanted], "bare": [wanted]}, precision="fp32") == []


def test_both_masks_train_on_the_same_rows_with_the_warm_up_left_out(job: Job, tmp_path: Path) -> None:
    masks.race(replace(job, turns=2), tmp_path / "answer.json")
    prefix, causal = (Answer.read(tmp_path / f"answer.{mask}.json") for mask in ("prefix", "causal"))
    assert prefix.tokens == causal.tokens and len(prefix.tokens) == 2 * (STEPS - 1)
    assert prefix.tokens[: STEPS - 1] == prefix.tokens[STEPS - 1 :]
    assert len(prefix.cpu_seconds) == len(causal.cpu_seconds) == len(prefix.tokens)


def test_examples_are_like_those_of_natural_instructions(tmp_path: Path) -> None:
    tokens, targets = make_examples(tmp_path / "examples.json", 2000, vocabulary=32_000)
    assert 0.07 < targets / tokens < 0.09
    pairs = Job(model="", examples=str(tmp_path / "examples.json")).pairs()
    assert tokens == sum(len(inputs) + len(answer) for inputs, answer in pairs)
    assert min(len(inputs) for inputs, _ in pairs) >= 100 and max(len(inputs) for inputs, _ in pairs) <= 400
    end = 32_000 - NUM_SENTINELS - 5
    assert {answer[-1] for _, answer in pairs} == {end}
    assert max(max(inputs) for inputs, _ in pairs) < end


def test_a_pass_of_the_bare_loop_asks_for_every_target_once() -> None:
    one = bare.to_pass([([5, 6, 7], [8, 9]), ([1], [2])], "cpu")
    assert one.tokens.tolist() == [[5, 6, 7, 8, 9, 1, 2]]
    assert one.positions.tolist() == [[0, 1, 2, 3, 4, 0, 1]]
    assert one.asked.tolist() == [2, 3, 5]
    assert one.targets.tolist() == [8, 9, 2]


def test_the_bare_loop_packs_every_example_once_within_the_room() -> None:
    pairs = [([0] * length, [1]) for length in (5, 2, 7, 1, 3)]
    bins = bare.packed(pairs, 8)
    assert sorted(len(inputs) for one in bins for inputs, _ in one) == [1, 2, 3, 5, 7]
    assert all(sum(len(inputs) + 1 for inputs, _ in one) <= 8 for one in bins)
    assert len(bins) == 3  # 8 | 6 2 | 4 3


def entry(
    name: str, cpu_seconds: list[list[float]], *, tokens: list[int] | None = None, peak: int = 100
) -> Entry:
    answers = [
        Answer(cpu_seconds=seconds, tokens=tokens or [], extra_peak_bytes=peak) for seconds in cpu_seconds
    ]
    return Entry.of(name, answers, 60, threads=1)


def test_rates_leave_the_warm_up_out_and_count_best_and_median_laps() -> None:
    found = entry("ours", [[9.0, 2.0, 3.0], [0.1, 6.0, 5.0]])
    assert (found.best, found.typical, found.rates) == (30.0, 15.0, [30.0, 12.0])


def test_laps_over_other_rows_are_added_up_not_chosen_from() -> None:
    found = entry("prefix", [[2.0, 9.0, 3.0, 4.0]], tokens=[10, 50, 10, 50])
    assert found.best == 60 / (2.0 + 4.0)


def four(ours_seconds: float, trl_peak: int) -> list[Entry]:
    return [
        entry("ours", [[1.0, ours_seconds]]),
        entry("trl_trainer", [[1.0, 8.0]], peak=trl_peak),
        entry("hf_trainer", [[1.0, 6.0]]),
        entry("bare", [[1.0, 1.8]]),
    ]


def test_bars_are_held() -> None:
    found = figures.ratios("heat", four(2.0, 300), has_bars=True)
    assert [figure.ratio for figure in found[:3]] == pytest.approx([4.0, 3.0, 0.9])
    assert [figure.bar for figure in found] == [4.0, 3.0, 0.8, 0.35]
    assert found[3].ratio == pytest.approx(1 / 3) and found[3].at_most
    assert all(figure.holds for figure in found)


@pytest.mark.parametrize(("ours_seconds", "trl_peak", "missed"), [(2.4, 300, 3), (2.0, 200, 1)])
def test_a_missed_bar_shows_unless_no_bars_are_held(ours_seconds: float, trl_peak: int, missed: int) -> None:
    entries = four(ours_seconds, trl_peak)
    assert sum(not figure.holds for figure in figures.ratios("heat", entries, has_bars=True)) == missed
    assert all(figure.holds for figure in figures.ratios("heat", entries, has_bars=False))


def test_the_prefix_mask_has_a_bar_of_its_own() -> None:
    laps = {"prefix": [[1.1]], "causal": [[1.0]]}
    entries = four(2.0, 300) + [entry(name, seconds, tokens=[10]) for name, seconds in laps.items()]
    slow = figures.ratios("heat", entries, has_bars=True)[3]
    assert slow.what == "tokens/s, UL2R, prefix mask / UL2R, causal mask"
    assert slow.ratio == pytest.approx(1 / 1.1) and slow.bar == 0.93
    assert not slow.holds


def test_the_race_says_when_its_peers_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["bench"])
    assert bench.main() == 2
    assert "benchmarks.train.environment" in capsys.readouterr().err


@pytest.mark.slow
def test_trl_packs_without_letting_examples_see_each_other(job: Job, tmp_path: Path) -> None:
    if environment.peer_python() is None:
        pytest.skip("TRL is not installed: python -m benchmarks.train.environment")
    answers = {name: [bench.ask(name, job, tmp_path)[name]] for name in ("ours", "trl_trainer")}
    assert figures.loss_faults(answers, precision="fp32") == []
    assert answers["trl_trainer"][0].losses == pytest.approx(answers["ours"][0].losses, abs=1e-4)
