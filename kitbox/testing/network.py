"""Without a network: whoever tries to connect is told, and told on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


@contextmanager
def offline() -> Iterator[None]:
    """Every attempt to reach another machine fails, in all threads.

    Raises:
        AssertionError: at the end, when there was an attempt, also where it was caught.
    """
    tried: list[str] = []

    def refuse(what: str) -> Any:
        def refused(*arguments: Any, **options: Any) -> Any:
            near = arguments[0] if arguments and isinstance(arguments[0], socket.socket) else None
            if near is not None and near.family not in (socket.AF_INET, socket.AF_INET6):
                return getattr(real, what)(*arguments, **options)
            there = arguments[1:2] if near is not None else arguments[:1]
            tried.append(f"{what}{there}")
            raise OSError(f"this test is offline: {tried[-1]}")

        return refused

    real = socket.socket
    names = ("connect", "connect_ex", "sendto")
    blocked = type("socket", (real,), {name: refuse(name) for name in names})
    with (
        mock.patch("socket.socket", blocked),
        mock.patch("socket.getaddrinfo", refuse("getaddrinfo")),
        mock.patch("socket.gethostbyname", refuse("gethostbyname")),
    ):
        yield
    assert not tried, f"expected no use of the network here, found {', '.join(tried)}"
