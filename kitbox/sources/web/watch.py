"""Connections that have had their time are ended, however slowly they drip."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_EVERY = 0.05  # seconds between two looks


class Held:
    """A connection that is watched.

    Attributes:
        until: when it has had its time, as `time.monotonic` counts.
        ended: whether the watch has ended it.
    """

    def __init__(self, plug: socket.socket, until: float) -> None:
        self.plug, self.until, self.ended = plug, until, False

    def end(self) -> None:
        """Wake whoever waits for the connection, with an error or the end of its data."""
        self.ended = True
        with contextlib.suppress(OSError, ValueError):
            # Not the method of a TLS socket, which would go on unencrypted.
            socket.socket.shutdown(self.plug, socket.SHUT_RDWR)


class Watch:
    """Ends connections at their time, or all of them at once.

    A time-out of a socket counts from the last byte; a server that sends one
    byte every few seconds would hold a thread for ever. Use as a context.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[Held] = set()
        self._over = threading.Event()

    def __enter__(self) -> Watch:
        threading.Thread(target=self._look, name="kitbox-watch", daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def stopped(self) -> bool:
        """Whether everything is to end."""
        return self._over.is_set()

    def stop(self) -> None:
        """End all connections, and those that come later at once."""
        self._over.set()
        with self._lock:
            held = list(self._held)
        for one in held:
            one.end()

    @contextmanager
    def over(self, plug: socket.socket, until: float) -> Iterator[Held]:
        """Watch a connection while the block runs."""
        held = Held(plug, until)
        with self._lock:
            self._held.add(held)
        if self._over.is_set():
            held.end()
        try:
            yield held
        finally:
            with self._lock:
                self._held.discard(held)

    def _look(self) -> None:
        while not self._over.wait(_EVERY):
            now = time.monotonic()
            with self._lock:
                late = [held for held in self._held if held.until < now and not held.ended]
            for held in late:
                held.end()
