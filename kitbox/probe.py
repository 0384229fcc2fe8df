"""Strangers' plugins tried in another process, so that one that hangs or crashes hurts nobody."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import IO

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
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    limit = imports.seconds()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(child.stdout, lines), daemon=True)
    reader.start()
    try:
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError), child.stdin:
            child.stdin.write(asked)
        for place in range(len(plugins)):
            try:
                line = lines.get(timeout=limit + (START if place == 0 else 2))
            except queue.Empty:
                yield f"{NO_END} {limit:g} seconds"
                return
            if not line.endswith("\n"):  # it ended, perhaps within a line
                yield f"the import ended the process, with status {child.wait()}"
                return
            answer = json.loads(line)
            yield answer
            if answer.startswith(NO_END):
                return
    finally:
        child.kill()
        child.wait()
        reader.join(1)  # what a stranger forked may hold the other end


def _read(file: IO[str], lines: queue.SimpleQueue[str]) -> None:
    """Pass lines on, and '' at the end."""
    with file:
        for line in file:
            lines.put(line)
    lines.put("")


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
