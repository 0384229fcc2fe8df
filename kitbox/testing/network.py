"""Without a network: whoever tries to connect is told, and told on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kitbox.closed import closed


@contextmanager
def offline() -> Iterator[None]:
    """Every attempt to reach another machine fails, in all threads.

    Raises:
        AssertionError: at the end, when there was an attempt, also where it was caught.
    """
    with closed() as tried:
        yield
    assert not tried, f"expected no use of the network here, found {', '.join(tried)}"
