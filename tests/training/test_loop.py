"""The loop end to end: it learns, it counts, and no interruption changes a bit of what it does."""

import math
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from secondwind import runs
from secondwind.errors import NonFiniteLoss, Paused, RunError
from secondwind.example import Batch, Row
from secondwind.flops import attention_pairs, training_flops
from secondwind.model.load import LanguageModel
from secondwind.model.loss import TargetLoss
from secondwind.training import checkpoint, read_timing, stage
from secondwind.training import step as steps
from secondwind.training.loop import train
from secondwind.training.records import StepReport
from tests.training.conftest import LORA, ROW_LENGTH, TinyRows, make_model, make_settings


class Killed(BaseException):
    """Stands for kill -9: no handler of the program may catch it."""


def _parameters(model) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.network.parameters()])


def _metrics(folder: Path) -> bytes:
    return (folder / "metrics.jsonl").read_bytes()


def _kill_after(step: int):
    def progress(report: StepReport) -> None:
        if report.step == step:
            raise Killed

    return progress


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Return folder, model and summary of a run that nothing interrupted."""
    torch.set_num_threads(1)
    folder, model = tmp_path_factory.mktemp("unbroken"), make_model()
    return folder, model, train(model, TinyRows(), make_settings(), folder)


def _assert_equal_to_unbroken(unbroken, folder, model, summary) -> None:
    assert _metrics(folder) == _metrics(unbroken[0])
    assert torch.equal(_parameters(model), _parameters(unbroken[1]))
    assert summary == unbroken[2]


def test_loss_falls(tmp_path):
    train(make_model(), TinyRows(), make_settings(steps=40, checkpoint_every=100), tmp_path)
    losses = [record["loss"] for record in runs.JsonLines(tmp_path / "metrics.jsonl").read()]
    assert len(losses) == 40
    assert losses[-1] < 0.7 * losses[0]


def test_metrics_name_the_stage_and_count_tokens_targets_and_sources(unbroken):
    records = runs.JsonLines(unbroken[0] / "metrics.jsonl").read()
    assert [record["step"] for record in records] == [1, 2, 3, 4, 5, 6, 7, 8]
    rows = [TinyRows().row(number) for number in range(6)]
    first = records[0]
    assert set(first) == {
        "stage", "step", "loss", "grad_norm", "grad_norms", "learning_rate", "micro_batch_rows", "tokens",
        "target_tokens", "sources",
    }  # fmt: skip
    assert first["micro_batch_rows"] == 4
    assert set(first["grad_norms"]) == {"embeddings", "matrices", "vectors"}
    assert math.hypot(*first["grad_norms"].values()) == pytest.approx(first["grad_norm"], rel=1e-5)
    assert first["stage"] == "train"
    assert first["tokens"] == sum(row.num_tokens for row in rows)
    assert first["target_tokens"] == sum(row.num_targets for row in rows)
    assert set(first["sources"]) == {"R", "C"}
    assert sum(count for _, count in first["sources"].values()) == first["target_tokens"]
    total = sum(total for total, _ in first["sources"].values())
    assert total / first["target_tokens"] == pytest.approx(first["loss"], rel=1e-6)


def test_summary_counts_the_whole_stage(unbroken):
    rows = [TinyRows().row(number) for number in range(8 * 6)]
    summary = unbroken[2]
    assert summary.steps == 8
    assert summary.tokens == sum(row.num_tokens for row in rows)
    assert summary.target_tokens == sum(row.num_targets for row in rows)
    assert summary.rows_tokens == 8 * 6 * ROW_LENGTH
    assert summary.final_loss == runs.JsonLines(unbroken[0] / "metrics.jsonl").read()[-1]["loss"]
    pairs = sum(attention_pairs(row.segment_ids, row.prefix_mask) for row in rows)
    assert summary.flops == training_flops(
        unbroken[1].size(), tokens=summary.tokens, target_tokens=summary.target_tokens, attention_pairs=pairs
    )
    assert summary.skipped == 0


def test_summary_tells_targets_and_losses_of_every_source(unbroken):
    records = runs.JsonLines(unbroken[0] / "metrics.jsonl").read()
    sources = unbroken[2].sources
    assert list(sources) == ["C", "R"]
    for name, found in sources.items():
        counts = [record["sources"][name][1] for record in records]
        assert found["target_tokens"] == sum(counts)
        assert found["target_share"] == sum(counts) / unbroken[2].target_tokens
        total, count = records[-1]["sources"][name]
        assert found["last_loss"] == total / count < found["first_loss"]


def test_times_are_kept_apart_from_metrics(unbroken):
    timing = read_timing(unbroken[0])
    assert timing.steps == 8
    assert timing.tokens == unbroken[2].tokens
    assert timing.tokens_per_second > 0
    assert timing.save_seconds > 0
    assert timing.data_wait_seconds > 0
    assert timing.peak_memory_bytes > 2**20
    assert b"seconds" not in _metrics(unbroken[0])


@pytest.mark.parametrize("micro_batch_rows", [1, 2, 4, 100])
def test_accumulated_micro_batches_equal_one_big_batch(tmp_path, micro_batch_rows):
    losses = []
    for name, size in (("big", 6), ("small", micro_batch_rows)):
        settings = make_settings(micro_batch_rows=size, steps=3)
        train(make_model(), TinyRows(), settings, tmp_path / name)
        records = runs.JsonLines(tmp_path / name / "metrics.jsonl").read()
        losses.append([(record["loss"], record["grad_norm"]) for record in records])
    targets = [TinyRows().row(number).num_targets for number in range(6)]
    assert len(set(targets)) > 1, "equal target counts would hide a wrong normalisation"
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-6)


def test_what_is_reported_of_a_step_is_reported_before_its_checkpoint_exists(tmp_path):
    def progress(report: StepReport) -> None:
        assert not (tmp_path / "checkpoints" / f"step-{report.step}").exists()

    train(make_model(), TinyRows(), make_settings(), tmp_path, progress=progress)
    assert (tmp_path / "checkpoints" / "step-8").exists()


def test_same_command_twice_gives_the_same_bytes(tmp_path, unbroken):
    model = make_model()
    summary = train(model, TinyRows(), make_settings(), tmp_path)
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)


@pytest.mark.parametrize("killed_after", [1, 2, 3, 4, 6, 7, 8])
def test_killed_and_resumed_run_is_bit_equal(tmp_path, unbroken, killed_after):
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=_kill_after(killed_after))
    model, steps = make_model(), []
    summary = train(
        model, TinyRows(), make_settings(), tmp_path, progress=lambda report: steps.append(report.step)
    )
    assert steps == list(range((killed_after - 1) // 3 * 3 + 1, 9))
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)


@pytest.mark.parametrize("call", [*range(1, 13), 36, 37])
def test_run_killed_at_any_point_of_a_save_is_bit_equal_after_resume(tmp_path, unbroken, monkeypatch, call):
    # A save makes 12 of these calls; the third (25 .. 37) is the first that removes an old checkpoint.
    calls = 0

    def deadly(original, *, counted=1):
        def wrapper(*args, **settings):
            nonlocal calls
            calls += counted
            if calls >= call:  # a dead process tidies nothing up
                raise Killed
            return original(*args, **settings)

        return wrapper

    with monkeypatch.context() as patch:
        for name in ("save_file", "_manifest", "rotate"):
            patch.setattr(checkpoint, name, deadly(getattr(checkpoint, name)))
        for module in (stage, runs):
            patch.setattr(module, "sync_file", deadly(module.sync_file))
        patch.setattr(Path, "rename", deadly(Path.rename))
        patch.setattr(shutil, "rmtree", deadly(shutil.rmtree, counted=0))
        with pytest.raises(Killed):
            train(make_model(), TinyRows(), make_settings(), tmp_path)
    model = make_model()
    summary = train(model, TinyRows(), make_settings(), tmp_path)
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)
    assert not list((tmp_path / "checkpoints").glob(".*"))


@pytest.mark.parametrize("changes", [{"optimizer": "adafactor"}, {"precision": "bf16"}, {"schedule": "wsd"}])
def test_resume_is_bit_equal_with_other_settings_too(tmp_path, changes):
    models = [make_model(dropout=0.5), make_model(dropout=0.5), make_model(dropout=0.5)]
    settings = make_settings(**changes)
    train(models[0], TinyRows(), settings, tmp_path / "unbroken")
    with pytest.raises(Killed):
        train(models[1], TinyRows(), settings, tmp_path / "killed", progress=_kill_after(5))
    train(models[2], TinyRows(), settings, tmp_path / "killed")
    assert _metrics(tmp_path / "killed") == _metrics(tmp_path / "unbroken")
    assert torch.equal(_parameters(models[2]), _parameters(models[0]))
    assert models[0].network.model.embed_tokens.weight.dtype == torch.float32


def test_an_adapter_resumes_bit_equal_from_checkpoints_without_the_frozen_weights(tmp_path):
    models = [make_model(adapter=LORA) for _ in range(3)]
    before = models[0].network.state_dict()
    frozen = {name for name, p in models[0].network.named_parameters() if not p.requires_grad}
    whole = {name: before[name].clone() for name in frozen}
    train(models[0], TinyRows(), make_settings(), tmp_path / "unbroken")
    with pytest.raises(Killed):
        train(models[1], TinyRows(), make_settings(), tmp_path / "killed", progress=_kill_after(5))
    train(models[2], TinyRows(), make_settings(), tmp_path / "killed")
    assert _metrics(tmp_path / "killed") == _metrics(tmp_path / "unbroken")
    assert torch.equal(_parameters(models[2]), _parameters(models[0]))
    after = models[0].network.state_dict()
    assert all(torch.equal(after[name], whole[name]) for name in frozen)
    stored = set(load_file(tmp_path / "killed" / "checkpoints" / "step-8" / checkpoint.PARAMETERS))
    assert stored == {name for name, p in models[0].network.named_parameters() if p.requires_grad}


def test_an_adapter_is_not_put_on_other_weights_or_resumed_as_another(tmp_path):
    with pytest.raises(Killed):
        train(make_model(adapter=LORA), TinyRows(), make_settings(), tmp_path, progress=_kill_after(4))
    with pytest.raises(RunError, match="frozen was .*, is "):
        train(make_model(seed=1, adapter=LORA), TinyRows(), make_settings(), tmp_path)
    with pytest.raises(RunError, match=r"adapter.alpha was 4.0, is 8.0"):
        train(make_model(adapter=replace(LORA, alpha=8.0)), TinyRows(), make_settings(), tmp_path)


def test_what_does_not_train_costs_a_third_less(tmp_path):
    adapted = make_model(adapter=LORA)
    summary = train(adapted, TinyRows(), make_settings(steps=2), tmp_path)
    rows = [TinyRows().row(number) for number in range(2 * 6)]
    pairs = sum(attention_pairs(row.segment_ids, row.prefix_mask) for row in rows)
    whole = training_flops(
        adapted.size(), tokens=summary.tokens, target_tokens=summary.target_tokens, attention_pairs=pairs
    )
    body, head = 4 * 16 * 16 + 3 * 16 * 24, 32 * 16  # four projections and the MLP; tied to the embedding
    assert summary.flops == whole - 2 * (body * summary.tokens + head * summary.target_tokens)


class SameRows(TinyRows):
    """The same row for ever."""

    def row(self, number: int) -> Row:
        """Build the first row."""
        return super().row(0)


@pytest.mark.parametrize(("dropout", "num_losses"), [(0.5, 4), (0.0, 1)])
def test_dropout_differs_from_step_to_step_and_between_micro_batches(tmp_path, dropout, num_losses):
    settings = make_settings(steps=2, batch_rows=2, micro_batch_rows=1, learning_rate=1e-30, weight_decay=0.0)
    losses: list[float] = []

    def target_loss(model: LanguageModel, batch: Batch, **named: float) -> TargetLoss:
        losses.append((loss := original(model, batch, **named)).total.item())
        return loss

    original = steps.target_loss
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "target_loss", target_loss)
        train(make_model(dropout=dropout), SameRows(), settings, tmp_path)
    assert len(losses) == 4
    assert len(set(losses)) == num_losses


def test_process_killed_by_sigkill_resumes_bit_equal(tmp_path, unbroken):
    program = f"""
import os, signal, sys
from pathlib import Path
from tests.training.conftest import TinyRows, make_model, make_settings
import torch
from secondwind.training.loop import train
torch.set_num_threads(1)
def progress(report):
    if report.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
train(make_model(), TinyRows(), make_settings(), Path({str(tmp_path)!r}), progress=progress)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    model = make_model()
    summary = train(model, TinyRows(), make_settings(), tmp_path)
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)


def test_finished_stage_is_not_trained_again(tmp_path, unbroken):
    train(make_model(), TinyRows(), make_settings(), tmp_path)
    model = make_model(seed=5)
    summary = train(model, TinyRows(), make_settings(), tmp_path, progress=pytest.fail)
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)


def test_signal_pauses_at_a_step_boundary_and_the_same_command_goes_on(tmp_path, unbroken):
    def progress(report: StepReport) -> None:
        if report.step == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    lines: list[str] = []
    with pytest.raises(Paused, match="SIGTERM: stopped after step 5 of 8"):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=progress, log=lines.append)
    assert "SIGTERM" in lines[0]
    assert checkpoint.newest_verified(tmp_path / "checkpoints", log=pytest.fail).name == "step-5"
    model = make_model()
    summary = train(model, TinyRows(), make_settings(), tmp_path)
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)


def test_signal_in_the_last_step_pauses_with_the_stage_finished(tmp_path, unbroken):
    def progress(report: StepReport) -> None:
        if report.step == 8:
            os.kill(os.getpid(), signal.SIGTERM)

    # What stands behind this stage must not start, so the signal may not be swallowed.
    with pytest.raises(Paused, match="stopped after step 8 of 8"):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=progress, log=lambda _: None)
    model = make_model()
    summary = train(model, TinyRows(), make_settings(), tmp_path)
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)


def test_damaged_checkpoint_falls_back_and_is_bit_equal(tmp_path, unbroken):
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=_kill_after(7))
    damaged = tmp_path / "checkpoints" / "step-6" / checkpoint.OPTIMIZER
    damaged.write_bytes(damaged.read_bytes()[:-100])
    model, lines = make_model(), []
    summary = train(model, TinyRows(), make_settings(), tmp_path, log=lines.append)
    assert ["step-6" in line and "Going back to step-3" in line for line in lines] == [True]
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)


@pytest.mark.parametrize(
    ("changes", "seed", "named"),
    [
        ({"learning_rate": 0.02}, 0, "settings.learning_rate was 0.01, is 0.02"),
        ({"micro_batch_rows": 2}, 0, "settings.micro_batch_rows was 4, is 2"),
        ({"steps": 9}, 0, "settings.steps was 8, is 9"),
        ({}, 1, "rows.tiny was 0, is 1"),
    ],
)
def test_other_settings_or_rows_are_refused(tmp_path, changes, seed, named):
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=_kill_after(4))
    with pytest.raises(RunError, match=named):
        train(make_model(), TinyRows(seed), make_settings(**changes), tmp_path)


def test_settings_that_change_no_number_may_change(tmp_path, unbroken):
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=_kill_after(4))
    model = make_model()
    changed = make_settings(checkpoint_every=1, keep=1, on_non_finite="skip", max_skips=1)
    summary = train(model, TinyRows(), changed, tmp_path)
    _assert_equal_to_unbroken(unbroken, tmp_path, model, summary)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-8"]


def test_lost_metrics_are_refused(tmp_path):
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=_kill_after(4))
    (tmp_path / "metrics.jsonl").unlink()
    with pytest.raises(RunError, match="holds 0 whole records, but step-3 wants 3"):
        train(make_model(), TinyRows(), make_settings(), tmp_path)


def test_changed_metrics_are_refused(tmp_path):
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=_kill_after(4))
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text().replace('"step": 2', '"step": 5'))
    with pytest.raises(RunError, match="metrics.jsonl was changed: its first 3 records"):
        train(make_model(), TinyRows(), make_settings(), tmp_path)


def test_lost_checkpoints_are_said(tmp_path):
    with pytest.raises(Killed):
        train(make_model(), TinyRows(), make_settings(), tmp_path, progress=_kill_after(4))
    shutil.rmtree(tmp_path / "checkpoints")
    lines: list[str] = []
    train(make_model(), TinyRows(), make_settings(), tmp_path, log=lines.append)
    assert ["metrics of 4 steps and no checkpoint" in line for line in lines] == [True]


def _poison(monkeypatch, *poisoned: int) -> None:
    """Make the loss of the second micro-batch NaN in these steps."""
    original, calls = steps.target_loss, 0

    def target_loss(model, batch, **named):
        nonlocal calls
        calls += 1
        loss = original(model, batch, **named)
        is_poisoned = calls in [2 * step for step in poisoned]
        return replace(loss, total=loss.total * float("nan")) if is_poisoned else loss

    monkeypatch.setattr(steps, "target_loss", target_loss)


def test_nan_stops_before_it_reaches_the_parameters(tmp_path, monkeypatch):
    _poison(monkeypatch, 2)
    model, reference = make_model(), make_model()
    with pytest.raises(NonFiniteLoss, match=r"step 2 gave loss nan.*rows 10-11; the update was not made"):
        train(model, TinyRows(), make_settings(), tmp_path / "poisoned")
    monkeypatch.undo()
    with pytest.raises(Killed):
        train(reference, TinyRows(), make_settings(), tmp_path / "reference", progress=_kill_after(1))
    assert torch.equal(_parameters(model), _parameters(reference))


def test_nan_is_skipped_counted_and_leaves_a_gap_in_the_metrics(tmp_path, monkeypatch):
    _poison(monkeypatch, 2, 5)
    lines: list[str] = []
    settings = make_settings(on_non_finite="skip", max_skips=2)
    model = make_model()
    summary = train(model, TinyRows(), settings, tmp_path, log=lines.append)
    records = runs.JsonLines(tmp_path / "metrics.jsonl").read()
    assert [record["step"] for record in records if record["loss"] is None] == [2, 5]
    assert summary.skipped == len(lines) == 2
    assert torch.isfinite(_parameters(model)).all()


def test_nan_once_too_often_stops(tmp_path, monkeypatch):
    _poison(monkeypatch, 2, 3)
    with pytest.raises(NonFiniteLoss, match="step 3 .*raise training.max_skips above 1"):
        train(
            make_model(),
            TinyRows(),
            make_settings(on_non_finite="skip", max_skips=1),
            tmp_path,
            log=lambda _: None,
        )


def test_global_random_state_is_left_as_it_was(tmp_path):
    torch.manual_seed(123)
    wanted = torch.rand(4)
    torch.manual_seed(123)
    model = make_model()
    torch.manual_seed(123)
    train(model, TinyRows(), make_settings(steps=1), tmp_path)
    assert torch.equal(torch.rand(4), wanted)
