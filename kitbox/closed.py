"""No network: an audit hook refuses every connection and every look-up of a name.

Needs nothing but Python, so that an environment without kitbox can hold a copy of this file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

EVENTS = frozenset(
    {
        *("socket.connect", "socket.sendto", "socket.sendmsg"),
        *("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"),
    }
)
"""Audit events of reaching for another machine."""
_tried: list[list[str]] = []
"""Where attempts are noted while the network is closed; the network is open while it is empty."""
_but: set[str] = set()
"""Hosts that may be reached all the same."""


def close(*but: str) -> None:
    """Close the network of this process for good, in all threads.

    Args:
        but: hosts that may be reached all the same, `127.0.0.1` say.
    """
    _hook()
    _but.update(but)
    _tried.append([])


@contextmanager
def closed() -> Iterator[list[str]]:
    """Close the network for a while; yields the attempts so far, those that were caught too."""
    _hook()
    attempts: list[str] = []
    _tried.append(attempts)
    try:
        yield attempts
    finally:
        _tried[:] = [one for one in _tried if one is not attempts]


@cache
def _hook() -> None:
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if not _tried or event not in EVENTS:
        return
    named = event in ("socket.connect", "socket.sendto", "socket.sendmsg")
    asked = args[1:] if named else args[:1]
    if named and (asked[0] is None or isinstance(asked[0], str | bytes)):
        return  # a socket of this machine's own, or one that is connected
    host = asked[0][0] if isinstance(asked[0], tuple) else asked[0]
    if host in _but:
        return
    what = f"{event} {asked!r}"
    for attempts in _tried:
        attempts.append(what)
    raise ConnectionError(f"no network: {what}")
