"""Tests of the contract of splitters, to inherit."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from kitbox.contracts import Splitter
from kitbox.data import table
from kitbox.errors import SplitError
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests, refuses

_ELSEWHERE = """
import json, pickle, sys
sys.path[:] = json.loads(sys.argv[1])
plugin, rows, targets, folder = pickle.loads(sys.stdin.buffer.read())
print(json.dumps(list(plugin.split(rows, targets, folder))))
"""


class SplitterTests(PluginTests):
    """What every splitter keeps to.

    Fixtures: `plugin`; `rows`, labelled rows that it can split (by default 24 of two classes,
    in folders); `targets`, the names of their targets; `folder`, the source's.
    """

    kind: ClassVar[str] = "splitter"

    @pytest.fixture
    def rows(self) -> pd.DataFrame:
        """Labelled rows in an order and with an index of their own."""
        names = [f"group{number // 4}/picture{number:02d}.png" for number in range(24)]
        labels = ["cat" if number % 2 else "dog" for number in range(24)]
        return pd.DataFrame({"id": names, "image": names, "label": labels})

    @pytest.fixture
    def targets(self) -> Sequence[str]:
        return ("label",)

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    def test_every_row_has_a_part(
        self, plugin: Splitter, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        rows.index = pd.Index([7 * number + 3 for number in range(len(rows))])
        before = rows.copy()
        table.with_parts(rows, self._split(plugin, rows, targets, folder))
        pd.testing.assert_frame_equal(rows, before)

    def test_the_order_of_rows_does_not_matter(
        self, plugin: Splitter, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        parts = self._split(plugin, rows, targets, folder)
        mixed = rows.sample(frac=1, random_state=1)
        others = self._split(plugin, mixed, targets, folder)
        moved = [rows.at[row, "id"] for row in rows.index if parts[row] != others[row]]
        assert not moved, f"in another order of rows these change sides: {moved[:5]}"

    def test_it_is_the_same_on_every_machine(
        self, plugin: Splitter, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        """Another process, with other hashes of str."""
        here = list(self._split(plugin, rows, targets, folder))
        given = pickle.dumps((plugin, rows, tuple(targets), folder))
        for seed in ("1", "2"):
            done = subprocess.run(
                [sys.executable, "-c", _ELSEWHERE, json.dumps(sys.path)],
                input=given,
                capture_output=True,
                check=False,
                timeout=120,
                env={**os.environ, "PYTHONHASHSEED": seed},
            )
            assert done.returncode == 0, done.stderr.decode()
            there = json.loads(done.stdout)
            assert there == here, "another process splits the same rows otherwise"

    def test_too_few_rows_are_refused(
        self, plugin: Splitter, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        """No rows, and one row, cannot be on both sides."""
        for count in (0, 1):
            few = rows.iloc[:count]
            refuses(
                lambda few=few: plugin.split(few, targets, folder),  # type: ignore[misc]
                SplitError,
                f"{count} rows",
            )

    def _split(self, plugin: Any, rows: pd.DataFrame, targets: Any, folder: Path) -> pd.Series:
        with offline():
            return plugin.split(rows, targets, folder)
