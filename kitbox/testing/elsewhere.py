"""Calls in another process, which remembers nothing of this one."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kitbox.data.frames import Frames

_CHILD = """
import pickle, sys
paths, data = pickle.load(sys.stdin.buffer)
sys.path[:] = paths
call, given = pickle.loads(data)
result = pickle.dumps(call(*given))
sys.stdout.flush()
sys.stdout.buffer.write(b"\\0kitbox\\0" + result)
"""
SECONDS = 120
"""How long a call may take, imports included."""


def run_elsewhere(call: Callable[..., Any], *given: Any) -> Any:
    """What a function of a module gives in a new process, with other hashes of str.

    Raises:
        AssertionError: when it fails there.
    """
    own = os.environ.get("PYTHONHASHSEED")
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=pickle.dumps((list(sys.path), pickle.dumps((call, given)))),
        capture_output=True,
        check=False,
        timeout=SECONDS,
        env={**os.environ, "PYTHONHASHSEED": "2" if own == "1" else "1"},
    )
    said = done.stderr.decode(errors="replace").strip()
    assert done.returncode == 0, f"it fails in another process: {said}"
    return pickle.loads(done.stdout.rpartition(b"\0kitbox\0")[2])


def split_again(
    plugin: Any, rows: pd.DataFrame, targets: tuple[str, ...], folder: Path
) -> list[str]:
    """The parts of the rows, in their order."""
    return list(plugin.split(rows, targets, folder))


def predict_again(
    cls: Any, options: str, outputs: np.ndarray, frames: Frames
) -> tuple[pd.DataFrame, list[str]]:
    """What a task with these options (JSON) predicts, and what it says of it."""
    from kitbox.contracts import Decides

    task = cls.model_validate(json.loads(options))
    table = task.predictions(outputs, frames)
    return table, task.decide(table) if isinstance(task, Decides) else []
