"""Signals become requests; what is not finite is skipped or refused by name."""

import os
import signal
import threading

import pytest

from secondwind.errors import NonFiniteLoss
from secondwind.training.guard import refuse_non_finite, stop_on_signals
from secondwind.training.records import StepResult
from tests.training.conftest import make_settings

NAN = float("nan")


def _ignore(_line: str) -> None:
    return None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_is_a_request_and_is_logged(number):
    lines: list[str] = []
    with stop_on_signals(log=lines.append) as stop:
        assert not stop
        os.kill(os.getpid(), number)
        assert stop
        assert stop.signal_name == number.name
    assert len(lines) == 1
    assert number.name in lines[0]


def test_second_signal_interrupts_at_once():
    with stop_on_signals(log=_ignore) as stop, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop
        os.kill(os.getpid(), signal.SIGINT)


def test_handlers_of_before_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError), stop_on_signals(log=_ignore):
        assert signal.getsignal(signal.SIGTERM) is not before[1]
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_signals_are_left_alone_outside_the_main_thread():
    seen: list[bool] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with stop_on_signals(log=_ignore) as stop:
            seen.append(not stop and signal.getsignal(signal.SIGTERM) is before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]


def test_finite_steps_pass_without_a_word():
    refuse_non_finite(StepResult(3, 1.0, 2.0, 0.1, {}, [1]), make_settings(), skipped=0, log=pytest.fail)


@pytest.mark.parametrize(("loss", "grad_norm"), [(NAN, 1.0), (float("inf"), 1.0), (1.0, NAN)])
def test_non_finite_step_stops_and_names_step_and_rows(loss, grad_norm):
    result = StepResult(3, loss, grad_norm, 0.1, {}, [12, 13, 14, 17])
    with pytest.raises(NonFiniteLoss, match=r"step 3 .*rows 12-14, 17; the update was not made"):
        refuse_non_finite(result, make_settings(on_non_finite="stop"), skipped=1, log=_ignore)


def test_non_finite_steps_are_skipped_so_many_times_and_then_stop():
    settings = make_settings(on_non_finite="skip", max_skips=2)
    lines: list[str] = []
    for skipped in (1, 2):
        refuse_non_finite(
            StepResult(skipped, NAN, NAN, 0.1, {}, [5]), settings, skipped=skipped, log=lines.append
        )
    assert len(lines) == 2
    assert "rows 5; the update was not made. Skipped: 2 of at most 2." in lines[1]
    with pytest.raises(NonFiniteLoss, match="raise max_skips above 2"):
        refuse_non_finite(StepResult(3, NAN, NAN, 0.1, {}, [5]), settings, skipped=3, log=lines.append)
