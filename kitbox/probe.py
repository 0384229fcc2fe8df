"""Strangers' plugins tried in another process, so that one that hangs or crashes hurts nobody."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from kitbox import imports, registry
from kitbox.errors import PluginError
from kitbox.installed import Plugin

NO_END = "the import did not end within"
START = 30.0
"""Seconds that an interpreter may take to start, besides those of an import."""
_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); import kitbox.probe as p; p.main()"
)


def troubles(plugins: Sequence[Plugin]) -> list[str]:
    """What keeps each plugin from being loaded, '' where nothing does.

    Another process imports them one after another; where it hangs or ends, the plugin that it
    had come to is to blame, and a new process goes on with the rest.
    """
    found: list[str] = []
    while len(found) < len(plugins):
        found += _ask(plugins[len(found) :])
        if found[-1].startswith(NO_END):  # nor will the others of its module
            while len(found) < len(plugins) and _module(plugins[len(found)]) == _module(
                plugins[len(found) - 1]
            ):
                found.append(found[-1])
    return found


def _module(plugin: Plugin) -> str:
    return plugin.value.partition(":")[0]


def _ask(plugins: Sequence[Plugin]) -> Iterator[str]:
    """Answers for the first plugins, as far as one process comes; at least one."""
    command = [sys.executable, "-c", _CHILD, json.dumps(sys.path)]
    asked = json.dumps([(plugin.kind, plugin.full_name) for plugin in plugins])
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdin is not None
    assert child.stdout is not None
    limit = imports.seconds()
    try:
        with contextlib.suppress(BrokenPipeError), child.stdin:
            child.stdin.write(asked.encode())
        for place in range(len(plugins)):
            line = _line(child.stdout.fileno(), limit + (START if place == 0 else 2))
            if line is None:
                yield f"{NO_END} {limit:g} seconds"
                return
            if not line:
                yield f"the import ended the process, with status {child.wait()}"
                return
            answer = json.loads(line)
            yield answer
            if answer.startswith(NO_END):
                return
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def _line(file: int, seconds: float) -> bytes | None:
    """A line; b'' at the end, None where none comes in time."""
    line, end = b"", time.monotonic() + seconds
    while not line.endswith(b"\n"):
        if not select.select([file], [], [], max(0.0, end - time.monotonic()))[0]:
            return None
        one = os.read(file, 1)
        if not one:
            return b""
        line += one
    return line


def main() -> None:
    """Answer on standard output, a line a plugin; what plugins print there goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for kind, name in json.load(sys.stdin):
        try:
            registry.KINDS[kind].load(name)
            answer = ""
        except PluginError as error:
            late = isinstance(error.__cause__, imports.TookTooLongError)
            answer = str(error.__cause__) if late else error.found or error.wrong
        except BaseException as error:  # noqa: BLE001  a stranger may raise what it likes
            answer = f"{type(error).__name__}: {error}"
        answers.write(json.dumps(" ".join(answer.split())) + "\n")
        answers.flush()
    answers.close()
    os._exit(0)  # threads that an import left do not keep us
