"""Whether the files of a run are still those that it began with."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from kitbox.data.state import digest


def test_names_and_sizes_count_and_times_do_not(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "a.png"):
        (tmp_path / name).write_bytes(b"1" * 10)
    rows = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "mask": ["a.png", ""], "label": ["x", "y"]})
    before = digest(tmp_path, rows, ["mask", "label"])
    os.utime(tmp_path / "a.jpg", (0, 0))
    assert digest(tmp_path, rows, ["mask", "label"]) == before
    (tmp_path / "a.png").write_bytes(b"1" * 11)
    changed = digest(tmp_path, rows, ["mask", "label"])
    assert changed != before
    (tmp_path / "b.jpg").unlink()
    assert digest(tmp_path, rows, ["mask", "label"]) not in (before, changed)
    assert digest(tmp_path, rows[::-1], []) != digest(tmp_path, rows, [])


def test_targets_that_are_no_files(tmp_path: Path) -> None:
    rows = pd.DataFrame({"image": ["a.jpg"], "runs": ["columns 1 3 " * 500], "n": [1.5]})
    assert digest(tmp_path, rows, ["runs", "n"]) == digest(tmp_path, rows, [])
