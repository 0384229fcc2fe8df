"""The process of `kitbox` and of `python -m kitbox`: how it begins and how it ends."""

import atexit
import gc
import os
import sys
from contextlib import suppress


def start() -> None:
    """Run the command line, without sweeping the memory of torch on the way in and out.

    torch and its neighbours are some millions of objects. The garbage collector would walk them
    many times as they are imported, and again as the process ends: together about a third of
    what predicting twenty pictures takes. So it comes more rarely, and the memory is left to
    the system. What others registered with `atexit` runs as ever; this comes after it.
    """
    gc.set_threshold(50_000, 20, 20)
    code = 1

    def end() -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)

    atexit.register(end)
    from kitbox.cli import main

    try:
        main()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
        raise
    except KeyboardInterrupt:
        code = 130
        raise


if __name__ == "__main__":
    start()
