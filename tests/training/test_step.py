"""Too little memory: the same batch in smaller pieces, said and recorded, or advice."""

from pathlib import Path

import pytest
import torch

from secondwind.errors import RunError
from secondwind.runs import JsonLines
from secondwind.training import step as steps
from secondwind.training.loop import train
from secondwind.training.step import is_out_of_memory
from tests.training.conftest import TinyRows, make_model, make_settings
from tests.training.test_loop import Killed, _kill_after, _metrics, _parameters


def small_memory(monkeypatch: pytest.MonkeyPatch, *, largest: int, from_call: int = 0) -> None:
    """Let no more than `largest` rows fit at once, from a number of forward passes on."""
    original, calls = steps.target_loss, 0

    def target_loss(model, batch, **named):
        nonlocal calls
        calls += 1
        if calls > from_call and len(batch.tokens) > largest:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nMore advice.")
        return original(model, batch, **named)

    monkeypatch.setattr(steps, "target_loss", target_loss)


def rows_at_once(folder: Path) -> list[int]:
    return [record["micro_batch_rows"] for record in JsonLines(folder / "metrics.jsonl").read()]


def test_a_batch_too_large_for_memory_is_cut_smaller_and_goes_on_as_if_begun_so(tmp_path, monkeypatch):
    models, lines = [make_model(), make_model()], []
    wanted = train(models[0], TinyRows(), make_settings(micro_batch_rows=2), tmp_path / "small")
    small_memory(monkeypatch, largest=2)
    settings = make_settings(micro_batch_rows=4)
    summary = train(models[1], TinyRows(), settings, tmp_path / "halved", log=lines.append)
    assert _metrics(tmp_path / "halved") == _metrics(tmp_path / "small")
    assert torch.equal(_parameters(models[0]), _parameters(models[1]))
    assert ["OUT OF MEMORY in step 1: from here on 2 rows" in line for line in lines] == [True]
    assert (wanted.micro_batch_rows, summary.micro_batch_rows) == (0, 2)


def test_what_memory_allowed_is_kept_when_the_run_goes_on(tmp_path, monkeypatch):
    # Seven forward passes of four and two rows: the second of step 4 meets a memory that has become small.
    small_memory(monkeypatch, largest=1, from_call=6)
    unbroken = make_model()
    train(unbroken, TinyRows(), make_settings(), tmp_path / "unbroken", log=lambda _: None)
    assert rows_at_once(tmp_path / "unbroken") == [4, 4, 4, 1, 1, 1, 1, 1]
    monkeypatch.undo()
    small_memory(monkeypatch, largest=1, from_call=6)
    with pytest.raises(Killed):
        train(
            make_model(),
            TinyRows(),
            make_settings(),
            tmp_path / "killed",
            progress=_kill_after(7),
            log=lambda _: None,
        )
    model = make_model()
    train(model, TinyRows(), make_settings(), tmp_path / "killed", log=pytest.fail)
    assert _metrics(tmp_path / "killed") == _metrics(tmp_path / "unbroken")
    assert torch.equal(_parameters(model), _parameters(unbroken))


def test_a_row_too_large_for_memory_ends_with_advice(tmp_path, monkeypatch):
    small_memory(monkeypatch, largest=0)
    with pytest.raises(RunError, match=r"one row of 20 tokens .*Tried to allocate 20.00 MiB\.\).*activation"):
        train(make_model(), TinyRows(), make_settings(), tmp_path, log=lambda _: None)


def test_memory_that_ran_out_on_the_cpu_is_known_by_what_torch_says():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**61, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))


def test_too_little_memory_for_the_update_itself_is_no_reason_to_begin_the_step_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some parameters may be updated by then: the same update twice would be another one."""

    def step(self: object, closure: object = None) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    with pytest.raises(RunError, match="step 1 updated the parameters .* the update is half made"):
        train(make_model(), TinyRows(), make_settings(), tmp_path)
