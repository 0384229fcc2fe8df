"""Strangers' plugins tried in another process, so that one that hangs or crashes hurts nobody."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from kitbox import imports, launched, registry
from kitbox.errors import PluginError
from kitbox.installed import Plugin

NO_END = "the import did not end within"
CRASH = "the import ended the process"
NOT_TRIED = "it could not be tried in another process"
START = 300.0
"""Seconds that an interpreter may take to start and to import kitbox: a slow disk, a busy machine.
No plugin is to blame for them."""
GRACE = 3.0
"""Seconds after which a process that should have ended an import itself is ended."""
READY = "ready"
inside = False
"""Whether this is such a process, whose end hurts nobody."""
_harmless: set[str] = set()
"""Modules whose import neither hung nor ended another process."""
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
        if found[-1].startswith(NOT_TRIED):  # nor will another process start
            found += found[-1:] * (len(plugins) - len(found))
        if found[-1].startswith(NO_END):  # nor will the others of its module
            while len(found) < len(plugins) and _module(plugins[len(found)]) == _module(
                plugins[len(found) - 1]
            ):
                found.append(found[-1])
    for plugin, trouble in zip(plugins, found, strict=True):
        if not trouble.startswith((NO_END, CRASH, NOT_TRIED)):
            _harmless.add(_module(plugin))
    return found


def danger(plugin: Plugin) -> str:
    """Why a plugin may not be imported here: it hangs or crashes in another process; or ''.

    That costs the start of an interpreter and a second import, once for each module that is in
    use: what is imported already, or was found harmless, is not tried again, nor is anything in
    the processes of a run, which the process that started them has tried.
    """
    if inside or launched.by_run() or _module(plugin) in _harmless:
        return ""
    module = sys.modules.get(_module(plugin))
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        return ""
    (trouble,) = troubles([plugin])
    return trouble if trouble.startswith((NO_END, CRASH)) else ""


def _module(plugin: Plugin) -> str:
    return plugin.value.partition(":")[0]


def _ask(plugins: Sequence[Plugin]) -> Iterator[str]:
    """Answers for the first plugins, as far as one process comes; at least one."""
    command = [sys.executable or "python", "-c", _CHILD, json.dumps(sys.path)]
    asked = json.dumps([(plugin.kind, plugin.full_name) for plugin in plugins])
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
    except OSError as error:
        yield f"{NOT_TRIED} ({error.strerror or type(error).__name__})"
        return
    limit = imports.seconds()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(child.stdout, lines), daemon=True)
    reader.start()
    try:
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError), child.stdin:
            child.stdin.write(asked)
        try:
            if lines.get(timeout=START).strip() != READY:
                yield f"{NOT_TRIED}, which ended with status {child.wait()}"
                return
        except queue.Empty:
            yield f"{NOT_TRIED}, which did not start within {START:g} seconds"
            return
        for _ in plugins:
            line = _answer(lines, child.pid, limit)
            if line is None:
                yield f"{NO_END} {limit:g} seconds"
                return
            if not line.endswith("\n"):  # it ended, perhaps within a line
                yield f"{CRASH}, with status {child.wait()}"
                return
            answer = json.loads(line)
            yield answer
            if answer.startswith(NO_END):
                return
    finally:
        child.kill()
        child.wait()
        reader.join(1)  # what a stranger forked may hold the other end


def _answer(lines: queue.SimpleQueue[str], process: int, limit: float) -> str | None:
    """The next line, or None when its import has had its time."""
    began, worked = time.monotonic(), _processor(process)
    while True:
        try:
            return lines.get(timeout=0.5)
        except queue.Empty:
            wall = time.monotonic() - began - GRACE
            if imports.over(wall, _processor(process) - worked, limit):
                return None


def _processor(process: int) -> float:
    """Seconds of processors that a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def _read(file: IO[str], lines: queue.SimpleQueue[str]) -> None:
    """Pass lines on, and '' at the end."""
    with file:
        for line in file:
            lines.put(line)
    lines.put("")


def main() -> None:
    """Answer on standard output, a line a plugin; what plugins print there goes nowhere."""
    global inside  # noqa: PLW0603  of the whole process
    inside = True
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    print(READY, file=answers, flush=True)
    for kind, name in json.load(sys.stdin):
        try:
            registry.KINDS[kind].load(name)
            answer = ""
        except PluginError as error:
            cause = error.__cause__
            ended = isinstance(cause, imports.TookTooLongError)
            answer = str(cause) if ended else error.found or error.wrong
        except BaseException as error:  # noqa: BLE001  a stranger may raise what it likes
            answer = f"{type(error).__name__}: {error}"
        answers.write(json.dumps(" ".join(answer.split())) + "\n")
        answers.flush()
    answers.close()
    os._exit(0)  # threads that an import left do not keep us
