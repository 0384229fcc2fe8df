"""Filling: each row once, whoever makes it, and every error told."""

from __future__ import annotations

import threading
import time
from collections import Counter

import numpy as np
import pytest

from kitbox.data.filling import Filling


@pytest.mark.parametrize("workers", [1, 3])
def test_every_row_once_whoever_needs_it(workers: int) -> None:
    made: Counter[int] = Counter()
    told: list[int] = []
    finished = []

    def one(row: int) -> None:
        time.sleep(0.0005)
        made[row] += 1

    filling = Filling(300, one, workers, lambda: finished.append(len(made)))
    rng = np.random.default_rng(0)

    def ask(seed: int) -> None:
        rows = np.random.default_rng(seed).permutation(300)[:50]
        filling.need(rows)
        assert all(made[row] == 1 for row in rows)

    askers = [threading.Thread(target=ask, args=(int(rng.integers(1000)),)) for _ in range(4)]
    for asker in askers:
        asker.start()
    filling.wait(told.append)
    assert filling.over
    filling.join()
    for asker in askers:
        asker.join()
    assert made == Counter(dict.fromkeys(range(300), 1))
    assert sum(told) == 300
    assert finished == [300]


def test_a_row_that_is_needed_twice() -> None:
    made: Counter[int] = Counter()
    filling = Filling(20, lambda row: made.update([row]), 0)
    filling.need([3, 3, 5, 3])
    assert made == {3: 1, 5: 1}
    assert not filling.over
    filling.need(list(range(20)) * 2)
    assert filling.over
    assert set(made.values()) == {1}


def test_an_interrupt_gives_the_rows_back() -> None:
    """Whoever asks next makes them, and so do the threads behind."""
    interrupted = []

    def one(row: int) -> None:
        if row == 5 and not interrupted:
            interrupted.append(row)
            raise KeyboardInterrupt

    filling = Filling(20, one, 0)
    with pytest.raises(KeyboardInterrupt):
        filling.need(range(20))
    filling.need(range(20))
    assert filling.over


def test_rows_that_are_given_back_reach_the_threads() -> None:
    asked = threading.Event()
    finished = threading.Event()

    def one(row: int) -> None:
        if row == 19 and threading.current_thread() is threading.main_thread():
            asked.set()
            time.sleep(0.1)
            raise KeyboardInterrupt
        if row == 0:
            asked.wait(10)

    filling = Filling(20, one, 1, finished.set)
    with pytest.raises(KeyboardInterrupt):
        filling.need([19])
    filling.wait()
    assert finished.wait(10)


def test_made_rows_can_be_had_after_an_error() -> None:
    def one(row: int) -> None:
        if row == 2:
            raise ValueError("row 2")

    filling = Filling(4, one, 0)
    filling.need([0, 1])
    with pytest.raises(ValueError, match="row 2"):
        filling.need([2])
    filling.need([1])
    with pytest.raises(ValueError, match="row 2"):
        filling.need([3])


def test_no_rows() -> None:
    finished = []
    filling = Filling(0, lambda row: None, 2, lambda: finished.append(1))
    filling.wait()
    filling.join()
    assert finished == [1]


@pytest.mark.parametrize("who", ["wait", "need"])
def test_an_error_reaches_whoever_waits(who: str) -> None:
    ends: list[str] = []

    def one(row: int) -> None:
        if row == 20:
            raise ValueError("row 20")

    filling = Filling(40, one, 2, lambda: ends.append("finished"), lambda: ends.append("abandoned"))
    with pytest.raises(ValueError, match="row 20"):
        filling.wait() if who == "wait" else filling.need([20, 39])
    filling.stop()
    assert ends == ["abandoned"]
    assert not filling.over


def test_an_error_of_finishing() -> None:
    def finish() -> None:
        raise ValueError("no room")

    with pytest.raises(ValueError, match="no room"):
        Filling(5, lambda row: None, 2, finish).join()


def test_stopped() -> None:
    ends: list[str] = []
    filling = Filling(
        10_000,
        lambda row: time.sleep(0.001),
        2,
        lambda: ends.append("finished"),
        lambda: ends.append("abandoned"),
    )
    filling.stop()
    assert ends == ["abandoned"]
    with pytest.raises(RuntimeError, match="stopped"):
        filling.need([9_999])
    assert not [one for one in threading.enumerate() if one.name.startswith("kitbox-decode")]
