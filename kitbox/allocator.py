"""Memory that was freed is kept for the next step, where a CPU trains."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # of malloc.h
_LARGE = (1 << 31) - 1


def keep_freed() -> bool:
    """Tell the C library to keep what is freed; whether it was glibc, and agreed.

    Activations are large, so by default each is mapped anew in every step and given back
    after it: the kernel hands out and clears all their pages each time, which took a sixth to
    a third of a step (docs/decisions.md). Kept, they are used again; the process holds on to
    the most that it ever needed.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    # Older versions refuse a threshold so high: none is mapped then.
    kept = mallopt(_MMAP_THRESHOLD, _LARGE) or mallopt(_MMAP_MAX, 0)
    return bool(kept and mallopt(_TRIM_THRESHOLD, _LARGE))
