"""Runs a script as a kernel without network and with a read-only input does.

    python closed.py INPUT SCRIPT ...

An audit hook, which nothing can take away again, refuses every connection and every look-up of
a name, and every writing below INPUT.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NETWORK = {
    *("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"),
    *("socket.gethostbyaddr", "socket.sendmsg", "urllib.Request", "http.client.connect"),
}
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"}


def close(below: str | None) -> None:
    """Refuse the network, and changes below a folder."""
    root = None if below is None else os.path.realpath(below) + os.sep

    def inside(path: Any) -> bool:
        if root is None or not isinstance(path, str | bytes | os.PathLike):
            return False
        return (os.path.realpath(os.fsdecode(path)) + os.sep).startswith(root)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in NETWORK:
            if event == "socket.connect" and isinstance(args[1], str | bytes):
                return  # a socket of this machine's own
            raise ConnectionError(f"there is no network ({event} {args[1:]!r})")
        if event == "open" and (args[2] or 0) & WRITING and inside(args[0]):
            raise PermissionError(f"read-only: {args[0]!r}")
        if event in CHANGES and any(map(inside, args[:2])):
            raise PermissionError(f"read-only: {args!r}")

    sys.addaudithook(hook)


if __name__ == "__main__":
    _, folder, script, *rest = sys.argv
    close(folder)
    sys.argv = [script, *rest]
    runpy.run_path(script, run_name="__main__")
