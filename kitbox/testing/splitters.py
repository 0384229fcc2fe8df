"""Tests of the contract of splitters, to inherit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from kitbox.contracts import Splitter
from kitbox.data import table
from kitbox.errors import SplitError
from kitbox.testing.elsewhere import run_elsewhere, split_again
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests, refuses


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
        """Nor what their index says: a row is told by its content."""
        expected = self._parts(plugin, rows, targets, folder)
        mixed = rows.sample(frac=1, random_state=1)
        backwards = rows.iloc[::-1].reset_index(drop=True)
        others = {
            "in another order": mixed,
            "in another order and numbered anew": mixed.reset_index(drop=True),
            "backwards and numbered anew": backwards,
            "with another index": rows.set_axis([7 * n + 3 for n in range(len(rows))]),
            "with an index that goes down": rows.set_axis(range(len(rows))[::-1]),
        }
        for how, given in others.items():
            found = self._parts(plugin, given, targets, folder)
            moved = [one for one, part in expected.items() if found[one] != part]
            assert not moved, (
                f"the same rows {how} are split otherwise: expected '{moved[0]}' in "
                f"'{expected[moved[0]]}', found '{found[moved[0]]}' ({len(moved)} change sides)"
            )

    def test_it_is_the_same_on_every_machine(
        self, plugin: Splitter, rows: pd.DataFrame, targets: Sequence[str], folder: Path
    ) -> None:
        """Another process, with other hashes of str."""
        here = self._parts(plugin, rows, targets, folder)
        there = run_elsewhere(split_again, plugin, rows, tuple(targets), folder)
        moved = [one for one, part in zip(here, there, strict=True) if here[one] != part]
        assert not moved, f"another process splits the same rows otherwise: {moved[:5]}"

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

    def _parts(self, plugin: Any, rows: pd.DataFrame, targets: Any, folder: Path) -> dict[str, str]:
        """The part of each row, by id."""
        parts = self._split(plugin, rows, targets, folder)
        return dict(zip(rows["id"], parts.loc[rows.index], strict=True))
