from __future__ import annotations

import socket
import threading
import time

import pytest

from kitbox.sources.web.watch import Watch


@pytest.fixture
def pair():
    mine, other = socket.socketpair()
    with mine, other:
        yield mine, other


def test_a_connection_is_ended_at_its_time_though_bytes_come(pair):
    mine, other = pair
    over = threading.Event()

    def drip():
        while not over.wait(0.02):
            try:
                other.send(b"x")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    mine.settimeout(5)
    began = time.monotonic()
    with Watch() as watch, watch.over(mine, began + 0.3) as held:
        while mine.recv(1):
            assert time.monotonic() - began < 30
        assert held.ended
    over.set()
    thread.join()
    assert 0.25 < time.monotonic() - began < 30


def test_what_ends_in_time_is_left_alone(pair):
    mine, other = pair
    with Watch() as watch:
        with watch.over(mine, time.monotonic() + 0.1) as held:
            other.send(b"x")
            assert mine.recv(1) == b"x"
        time.sleep(0.3)
        assert not held.ended
        other.send(b"y")
        assert mine.recv(1) == b"y"


def test_all_end_at_once_and_later_ones_at_the_start(pair):
    mine, other = pair
    with Watch() as watch:
        threading.Timer(0.1, watch.stop).start()
        with watch.over(mine, time.monotonic() + 60) as held:
            mine.settimeout(5)
            assert mine.recv(1) == b""
            assert held.ended
        assert watch.stopped
        with watch.over(other, time.monotonic() + 60) as late:
            assert late.ended
