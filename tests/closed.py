"""Runs a script as a kernel without network and with a read-only input does.

    python closed.py INPUT SCRIPT ...

The network is closed, but for the address in $CLOSED_BUT, if there is one (127.0.0.1); an audit
hook refuses every writing below INPUT.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"}


def protect(below: str) -> None:
    """Refuse changes below a folder."""
    root = os.path.realpath(below) + os.sep

    def inside(path: Any) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return (os.path.realpath(os.fsdecode(path)) + os.sep).startswith(root)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and (args[2] or 0) & WRITING and inside(args[0]):
            raise PermissionError(f"read-only: {args[0]!r}")
        if event in CHANGES and any(map(inside, args[:2])):
            raise PermissionError(f"read-only: {args!r}")

    sys.addaudithook(hook)


if __name__ == "__main__":
    from kitbox.closed import close

    _, folder, script, *rest = sys.argv
    close(*filter(None, [os.environ.get("CLOSED_BUT")]))
    protect(folder)
    sys.argv = [script, *rest]
    runpy.run_path(script, run_name="__main__")
