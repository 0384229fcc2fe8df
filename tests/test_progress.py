"""Bars in a terminal, lines in a file, silence when asked for."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from rich.console import Console

from kitbox import progress as module
from kitbox.progress import LOG_EVERY, Progress, clock


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Progress, io.StringIO]]:
    """A progress in a terminal of 80 columns, and what it wrote."""
    monkeypatch.setenv("TERM", "xterm")

    def make() -> tuple[Progress, io.StringIO]:
        file = io.StringIO()
        console = Console(file=file, force_terminal=True, width=80, color_system=None)
        monkeypatch.setattr(module, "_console", lambda _: console)
        return Progress(file), file

    return make


def test_a_quick_bar_leaves_nothing_in_a_log() -> None:
    file = io.StringIO()
    progress = Progress(file)
    with progress.bar("decoding", 3) as step:
        for _ in range(3):
            step()
    assert file.getvalue() == ""


def test_a_slow_bar_writes_a_line_now_and_then(time: Clock) -> None:
    file = io.StringIO()
    with Progress(file).bar("decoding", 100) as step:
        for i in range(100):
            time.now += LOG_EVERY / 10
            step(note=f"{i}%")
    lines = file.getvalue().splitlines()
    assert len(lines) == 9  # not a tenth: the bar was done then
    assert lines[0] == "  decoding: 10 of 100, 4:30 left  9%"
    assert lines[-1] == "  decoding: 90 of 100, 0:30 left  89%"


def test_steps_of_several_and_of_none(time: Clock) -> None:
    file = io.StringIO()
    with Progress(file).bar("download", 100) as step:
        time.now += LOG_EVERY
        step(0)  # nothing done: no time left can be told
        assert file.getvalue() == ""
        step(25)
    assert file.getvalue() == "  download: 25 of 100, 1:30 left\n"


def test_a_log_has_no_escape_codes(time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    # CI sets this; a log file is still no terminal.
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    file = io.StringIO()
    progress = Progress(file)
    progress.say("[bold]as it is[/bold] :dog: [1, 2]")
    progress.warn("read me")
    with progress.bar("b", 2) as step:
        time.now += 2 * LOG_EVERY
        step()
    assert file.getvalue() == (
        "[bold]as it is[/bold] :dog: [1, 2]\nNote: read me\n  b: 1 of 2, 1:00 left\n"
    )


def test_a_log_file_of_a_notebook_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    file = io.StringIO()
    Progress(file).say("text")
    assert file.getvalue() == "text\n"


def test_redirected_output_is_a_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    progress = Progress()
    progress.say("text")
    with progress.bar("b", 1) as step:
        step()
    assert capsys.readouterr().out == "text\n"


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert Progress(Terminal())._console is None
    monkeypatch.setenv("TERM", "xterm")
    assert Progress(Terminal())._console is not None


def test_in_a_terminal_bars_move_and_vanish(
    terminal: Callable[[], tuple[Progress, io.StringIO]],
) -> None:
    progress, file = terminal()
    with progress.bar("decoding [1]", 4) as step:
        step(3, note="loss [0.5]")
        progress.say("a line that stays [x] :dog:")
        assert progress._bars is not None
        progress._bars.refresh()
    written = file.getvalue()
    assert "decoding [1]" in written
    assert "loss [0.5]" in written
    assert "3/4" in written
    assert "a line that stays [x] :dog:" in written
    screen = Screen()
    screen.write(written)
    assert screen.text() == "a line that stays [x] :dog:"


def test_a_bar_within_a_bar(terminal: Callable[[], tuple[Progress, io.StringIO]]) -> None:
    progress, file = terminal()
    with progress.bar("outer", 2) as outer:
        with progress.bar("inner", 2) as inner:
            inner()
            progress._bars.refresh()
        outer()
        assert [task.description for task in progress._bars.tasks] == ["outer"]
    assert progress._bars is None
    assert "inner" in file.getvalue()
    screen = Screen()
    screen.write(file.getvalue())
    assert screen.text() == ""


def test_a_bar_vanishes_when_its_block_fails(
    terminal: Callable[[], tuple[Progress, io.StringIO]],
) -> None:
    progress, file = terminal()
    with pytest.raises(KeyError), progress.bar("b", 2):
        raise KeyError
    assert progress._bars is None
    assert file.getvalue().endswith("\x1b[?25h") or "\x1b[?25h" in file.getvalue()  # cursor shown
    with progress.bar("again", 1) as step:
        step()


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str], time: Clock) -> None:
    file = io.StringIO()
    progress = Progress(file, quiet=True)
    progress.say("a")
    progress.warn("b")
    progress.head({"epoch": "1"})
    progress.row({"epoch": "1"})
    with progress.bar("c", 2) as step:
        time.now += 10 * LOG_EVERY
        step()
    assert file.getvalue() == ""
    assert capsys.readouterr() == ("", "")


def test_the_table_lines_up() -> None:
    file = io.StringIO()
    progress = Progress(file)
    rows = [
        {"epoch": "1", "lr": "1.0e-03", "time": "0:09"},
        {"epoch": "10", "lr": "2.5e-05", "time": "0:59"},
        {"epoch": "11", "lr": "2.5e-05", "time": "1:02:05"},
        {"epoch": "12", "lr": "2.5e-05"},
    ]
    progress.head(rows[0])
    for row in rows:
        progress.row(row)
    assert file.getvalue().splitlines() == [
        "epoch       lr  time",
        "    1  1.0e-03  0:09",
        "   10  2.5e-05  0:59",
        "   11  2.5e-05  1:02:05",
        "   12  2.5e-05         ",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (75, "1:15"),
        (3599.7, "1:00:00"),
        (3725, "1:02:05"),
    ],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
def test_in_a_real_terminal() -> None:
    import os
    import pty

    code = (
        "from kitbox.progress import Progress\np = Progress()\np.say('first')\n"
        "with p.bar('moving', 3) as step:\n  step()\n  p.say('between')\n  step(2)\np.say('last')\n"
    )
    ours, theirs = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k not in ("TTY_COMPATIBLE", "NO_COLOR")}
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=theirs, env={**environ, "TERM": "xterm"}
    )
    os.close(theirs)
    chunks = []
    try:
        while chunk := os.read(ours, 65536):
            chunks.append(chunk)
    except OSError:  # how Linux says that the other side is closed
        pass
    finally:
        os.close(ours)
    assert child.wait(60) == 0
    written = b"".join(chunks).decode()
    assert "moving" in written
    screen = Screen()
    screen.write(written)
    assert screen.text() == "first\nbetween\nlast"


class Screen:
    """As much of a terminal as shows what is left on it."""

    def __init__(self) -> None:
        self.lines = [""]
        self.row = self.column = 0

    def write(self, text: str) -> None:
        for code, final, char in re.findall(r"\x1b\[([0-9;?]*)([A-Za-z])|([\s\S])", text):
            if final == "A":
                self.row = max(0, self.row - int(code or 1))
            elif final == "K":
                self.lines[self.row] = ""
            elif final:
                continue  # colours, the cursor's looks
            elif char == "\n":
                self.row, self.column = self.row + 1, 0
                if self.row == len(self.lines):
                    self.lines.append("")
            elif char == "\r":
                self.column = 0
            else:
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
                self.column += 1

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")
