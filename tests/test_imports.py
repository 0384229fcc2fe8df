"""Imports that hang."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from kitbox import imports
from kitbox.errors import PluginError
from kitbox.imports import LIMIT, SECONDS, TookTooLongError, late, over, seconds


def imported(get: Callable[[], Any]) -> Any:
    """One that another process found harmless."""
    return imports.imported(get, lambda: "")


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


def test_what_catches_exceptions_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module tries something and goes on without it: the alarm is none of its exceptions."""
    monkeypatch.setenv(LIMIT, "0.2")

    def tries() -> None:
        try:
            time.sleep(20)
        except Exception:  # noqa: BLE001
            time.sleep(20)

    began = time.monotonic()
    with pytest.raises(TookTooLongError):
        imported(tries)
    assert time.monotonic() - began < 5


def test_what_catches_everything_is_ended_at_the_next_alarm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(LIMIT, "0.2")
    monkeypatch.setattr(imports, "AGAIN", 0.2)
    caught = []

    def tries() -> None:
        for _ in range(3):
            try:
                time.sleep(20)
            except BaseException as error:  # noqa: BLE001
                caught.append(error)
        time.sleep(20)

    with pytest.raises(TookTooLongError):
        imported(tries)
    assert [type(error) for error in caught] == [TookTooLongError] * 3
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_busy_machine_is_not_its_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that others have of the processor does not count, but waiting does."""
    monkeypatch.setenv(LIMIT, "1")
    monkeypatch.setattr(imports, "AGAIN", 0.05)
    clock = time.monotonic

    def gets(share: float) -> None:
        monkeypatch.setattr(imports.time, "process_time", lambda: clock() * share)

    gets(0.1)
    assert imported(lambda: time.sleep(1.5) or 3) == 3
    for share in (0.0, 1.0):  # it waits; it had its second
        gets(share)
        with pytest.raises(TookTooLongError):
            imported(lambda: time.sleep(20))


@pytest.mark.parametrize(
    ("wall", "processor", "expected"),
    [(9, 9, False), (10, 0, True), (10, 3, False), (30, 9.9, False), (30, 10, True)],
)
def test_whether_it_is_over(wall: float, processor: float, expected: bool) -> None:
    assert over(wall, processor, 10) == expected
    assert over(100, 9, 10)


@pytest.mark.parametrize("where", ["here", "thread", "alarm"])
def test_it_is_tried_elsewhere(where: str) -> None:
    def outcome(why: str) -> Any:
        try:
            return imports.imported(lambda: 3, lambda: why)
        except BaseException as error:  # noqa: BLE001
            return type(error)

    def look() -> None:
        for why in ("", late(SECONDS), "the import ended the process, with status 3"):
            found.append(outcome(why))

    found: list[Any] = []
    if where == "thread":
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    elif where == "here":
        look()
    else:  # of somebody else, which stays
        signal.setitimer(signal.ITIMER_REAL, 100)
        try:
            look()
            assert signal.getitimer(signal.ITIMER_REAL)[0] > 90
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    assert found == [3, TookTooLongError, ImportError]


def test_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LIMIT, raising=False)
    assert seconds() == SECONDS
    for wrong in ("soon", "0", "-1", "inf", ""):
        monkeypatch.setenv(LIMIT, wrong)
        with pytest.raises(PluginError, match="no number of seconds"):
            seconds()
