"""Tests of the test that nobody uses the network."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.request
from collections.abc import Callable

import pytest

from kitbox.testing import offline


def connect() -> None:
    with offline(), pytest.raises(ConnectionError, match="no network"):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def look_up() -> None:
    with offline(), contextlib.suppress(OSError):
        urllib.request.urlopen("http://example.org/")


def in_a_thread() -> None:
    def ask() -> None:
        with contextlib.suppress(OSError), socket.socket() as plug:
            plug.connect(("127.0.0.1", 9))

    with offline():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()


@pytest.mark.parametrize("ask", [connect, look_up, in_a_thread])
def test_who_asks_is_told_and_told_on(ask: Callable[[], None]) -> None:
    with pytest.raises(AssertionError, match="no use of the network"):
        ask()


def test_it_is_open_afterwards() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with offline():
            one, other = socket.socketpair()  # of this machine, no network
            one.close(), other.close()
        socket.create_connection(server.getsockname(), timeout=5).close()
