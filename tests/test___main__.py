"""`python -m kitbox` is the command `kitbox`; how its process ends."""

import subprocess
import sys
from pathlib import Path

import pytest

import kitbox

ENDS = """
import atexit, sys
import kitbox.cli, kitbox.__main__
def main():
    atexit.register(print, "a handler ran", flush=True)
    sys.stdout.write("said, ")
    {}
kitbox.cli.main = main
kitbox.__main__.start()
"""


def test_python_dash_m_kitbox_is_the_command() -> None:
    command = [sys.executable, "-m", "kitbox", "--version"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert kitbox.__version__ in done.stdout


@pytest.mark.parametrize(
    ("last", "code"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(2)", 2),
        ("sys.exit('a word')", 1),
        ("raise ValueError('a fault')", 1),
        ("raise KeyboardInterrupt", 130),
    ],
)
def test_the_process_ends_with_its_code_and_everything_said(last: str, code: int) -> None:
    command = [sys.executable, "-c", ENDS.format(last)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stdout == "said, a handler ran\n"
    for word in ("a word", "a fault"):
        assert (word in done.stderr) == (word in last)


def test_a_wrong_recipe_ends_with_two(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kitbox", "run", str(tmp_path / "none.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none.yaml" in done.stderr
