"""The network closed: for a while, for good, and in an environment that has a copy of the file."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kitbox import closed

ALONE = """
import socket, sys
import copied
copied.close()
one, other = socket.socketpair()
socket.send_fds(one, [b"x"], [1])
for ask in (
    lambda: socket.create_connection(("localhost", int(sys.argv[1])), 1),
    lambda: socket.socket().connect(("127.0.0.1", int(sys.argv[1]))),
    lambda: socket.gethostbyname("localhost"),
    lambda: socket.gethostbyaddr("127.0.0.1"),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, ("127.0.0.1", 9)),
):
    try:
        ask()
    except ConnectionError as error:
        print(error)
"""


def test_attempts_are_noted_where_they_are_caught() -> None:
    with closed.closed() as outer, closed.closed() as inner:
        for _ in range(2):
            with socket.socket() as plug, pytest.raises(ConnectionError, match="no network"):
                plug.connect(("127.0.0.1", 9))
    assert outer == inner == ["socket.connect (('127.0.0.1', 9),)"] * 2


def test_for_good_and_alone(tmp_path: Path) -> None:
    """A copy of the file, without kitbox: every way to another machine, to one that listens."""
    shutil.copy(closed.__file__, tmp_path / "copied.py")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'){ALONE}", port],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
    told = [line.split()[2] for line in done.stdout.splitlines()]
    assert told == [
        *("socket.getaddrinfo", "socket.connect", "socket.gethostbyname"),
        *("socket.gethostbyaddr", "socket.sendto", "socket.sendmsg"),
    ]
