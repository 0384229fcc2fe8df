"""Imports that hang."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from kitbox.errors import PluginError
from kitbox.imports import LIMIT, SECONDS, TookTooLongError, imported, seconds


def test_what_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "0.2")
    before = signal.getsignal(signal.SIGALRM)
    began = time.monotonic()
    with pytest.raises(TookTooLongError, match=r"did not end within 0\.2 seconds"):
        imported(lambda: time.sleep(20))
    assert time.monotonic() - began < 5
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_does_not_hang_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "0.2")
    assert imported(lambda: 3) == 3
    time.sleep(0.3)  # no alarm rings later
    with pytest.raises(ZeroDivisionError):
        imported(lambda: 1 // 0)
    time.sleep(0.3)


def test_another_s_alarm_stays() -> None:
    signal.setitimer(signal.ITIMER_REAL, 100)
    try:
        assert imported(lambda: 3) == 3
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 90
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_in_a_thread() -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(imported(lambda: 3)))
    thread.start()
    thread.join()
    assert found == [3]


def test_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LIMIT, raising=False)
    assert seconds() == SECONDS
    for wrong in ("soon", "0", "-1", "inf", ""):
        monkeypatch.setenv(LIMIT, wrong)
        with pytest.raises(PluginError, match="no number of seconds"):
            seconds()
