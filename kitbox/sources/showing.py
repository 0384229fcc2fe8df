"""Showing how far a download or an unpacking is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from kitbox.progress import Progress, Step

_MB = 10**6


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar in megabytes while the block runs.

    It begins with the first report that knows the whole, and stands still while
    a download that had to start over catches up.

    Args:
        what: the words before it.

    Returns:
        report(done, total): bytes so far and in all (None where not known).
    """
    step: Step | None = None
    shown = 0
    with ExitStack() as stack:

        def report(done: int, total: int | None) -> None:
            nonlocal step, shown
            if total is None:
                return
            if step is None:
                step = stack.enter_context(Progress().bar(f"{what}, MB", -(-total // _MB)))
            now = -(-done // _MB) if done >= total else done // _MB
            if now > shown:
                step(now - shown)
                shown = now

        yield report
