"""Where the time goes: made by threads, waited for by the one who trains."""

from __future__ import annotations

import time

import pytest

from kitbox.data.meter import Meter, Spent, timed


def test_a_lap_has_what_was_spent_since_the_last() -> None:
    meter = Meter()
    with meter.waiting():
        time.sleep(0.02)
    made, seconds = timed(lambda: (time.sleep(0.01), 5)[1])()
    meter.made(seconds)
    spent = meter.lap()
    assert made == 5
    assert spent.waited >= 0.02
    assert spent.made >= 0.01
    assert meter.lap() == Spent(0.0, 0.0)


def test_what_fails_while_it_is_waited_for_still_fails() -> None:
    meter = Meter()
    with pytest.raises(ValueError, match="broken"), meter.waiting():
        raise ValueError("broken")


def test_an_epoch_trains_and_then_validates() -> None:
    meter = Meter()
    meter.made(5.0)  # before it
    epoch = meter.epoch()
    time.sleep(0.02)
    epoch.trained()
    meter.made(0.25)
    time.sleep(0.01)
    seconds, validating, waited, made = epoch.times()
    assert seconds >= 0.03
    assert 0.01 <= validating <= seconds - 0.02
    assert (waited, made) == (0.0, 0.25)
