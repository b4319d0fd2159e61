"""What is not finite is skipped or refused by name."""

import pytest

from secondwind.errors import NonFiniteLoss
from secondwind.training.guard import refuse_non_finite
from secondwind.training.records import StepResult
from tests.training.conftest import make_settings

NAN = float("nan")


def step_result(step: int, loss: float, grad_norm: float, blamed: list[int]) -> StepResult:
    return StepResult(
        step, loss, grad_norm, grad_norms={}, learning_rate=0.1, micro_batch_rows=4, sources={}, blamed=blamed
    )


def _ignore(_line: str) -> None:
    return None


def test_finite_steps_pass_without_a_word():
    refuse_non_finite(step_result(3, 1.0, 2.0, [1]), make_settings(), skipped=0, log=pytest.fail)


@pytest.mark.parametrize(("loss", "grad_norm"), [(NAN, 1.0), (float("inf"), 1.0), (1.0, NAN)])
def test_non_finite_step_stops_and_names_step_and_rows(loss, grad_norm):
    result = step_result(3, loss, grad_norm, [12, 13, 14, 17])
    with pytest.raises(NonFiniteLoss, match=r"step 3 .*rows 12-14, 17; the update was not made"):
        refuse_non_finite(result, make_settings(on_non_finite="stop"), skipped=1, log=_ignore)


def test_non_finite_steps_are_skipped_so_many_times_and_then_stop():
    settings = make_settings(on_non_finite="skip", max_skips=2)
    lines: list[str] = []
    for skipped in (1, 2):
        refuse_non_finite(step_result(skipped, NAN, NAN, [5]), settings, skipped=skipped, log=lines.append)
    assert len(lines) == 2
    assert "rows 5; the update was not made. Skipped: 2 of at most 2." in lines[1]
    with pytest.raises(NonFiniteLoss, match="raise training.max_skips above 2"):
        refuse_non_finite(step_result(3, NAN, NAN, [5]), settings, skipped=3, log=lines.append)
