"""Signals become requests, the second stops at once, and a request is never lost between two listeners."""

import os
import signal
import threading

import pytest

from secondwind.errors import Paused
from secondwind.signals import pause_if_asked, stop_on_signals


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


def test_a_request_pauses_the_run_and_says_where_and_how_to_go_on():
    with stop_on_signals(log=_ignore):
        pause_if_asked("corpus")
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Paused, match="SIGTERM: stopped in corpus; .* Run the same command to go on"):
            pause_if_asked("corpus")


def test_nobody_is_paused_without_a_handler():
    pause_if_asked("corpus")


def test_a_listener_inside_the_run_stops_by_itself():
    with stop_on_signals(log=_ignore) as run:
        with stop_on_signals(log=_ignore) as stage:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stage is run
            pause_if_asked("training")
            assert stage
        with pytest.raises(Paused):
            pause_if_asked("evaluation")


def test_a_signal_that_the_stage_no_longer_saw_stops_the_next_one():
    with stop_on_signals(log=_ignore):
        with stop_on_signals(log=_ignore):
            os.kill(os.getpid(), signal.SIGTERM)
        with stop_on_signals(log=_ignore) as following:
            assert following.signal_name == "SIGTERM"


def test_the_second_signal_interrupts_across_listeners():
    with stop_on_signals(log=_ignore):
        with stop_on_signals(log=_ignore):
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
