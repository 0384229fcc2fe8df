"""Ctrl-C once, and twice, by real signals."""

import os
import signal
import threading

import pytest

from kitbox.stopping import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_asks_and_the_second_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    said: list[str] = []
    with Stop(said.append) as stop:
        assert not stop.asked
        os.kill(os.getpid(), number)
        assert stop.asked
        assert said == ["stopping after this step; Ctrl-C again leaves at once"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_handlers_come_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), Stop():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_nothing_changes() -> None:
    seen = []

    def enter() -> None:
        with Stop() as stop:
            seen.append(stop.asked)

    thread = threading.Thread(target=enter)
    before = signal.getsignal(signal.SIGINT)
    thread.start()
    thread.join()
    assert seen == [False]
    assert signal.getsignal(signal.SIGINT) is before
