"""Whether a package index answers: tests that resolve versions skip, saying so, where none does.

What takes an index seconds is asked once for all processes of a test run.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from kitbox.errors import SourceError
from kitbox.kaggle import resolver


@cache
def trouble() -> str:
    try:
        resolver.resolve(["six>=1.16"], (), "3.12")
    except SourceError as error:
        return str(error)
    return ""


def needs_index() -> None:
    if why := trouble():
        pytest.skip(f"no package index: {why}")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that one process fills, and that the others wait for."""
    base = factory.getbasetemp()
    root = base.parent if base.name.startswith("popen-") else base  # of all processes of xdist
    folder = root / name
    with FileLock(root / f"{name}.lock"):
        if not (done := root / f"{name}.done").exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
