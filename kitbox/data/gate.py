"""A gate before the decoders: threads do not decode huge pictures at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MOST = 64_000_000
"""Pixels that are decoded at once, by all threads; a larger picture is decoded alone."""

_changed = threading.Condition()
_inside = 0


@contextmanager
def held(image: Any) -> Iterator[None]:
    """Wait until there is room for the pixels of an image (with `width` and `height`)."""
    global _inside  # noqa: PLW0603  one gate for all threads
    pixels = image.width * image.height
    with _changed:
        _changed.wait_for(lambda: _inside == 0 or _inside + pixels <= MOST)
        _inside += pixels
    try:
        yield
    finally:
        with _changed:
            _inside -= pixels
            _changed.notify_all()
