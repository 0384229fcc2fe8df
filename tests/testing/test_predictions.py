"""Tests of the tests of predictions; `test_mutants` has tasks that fail them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import labelled
from kitbox.testing.predictions import PredictionTests


class Silly(SingleLabel):
    """Says what has no business in a table."""

    def predictions(self, outputs, frames):  # type: ignore[no-untyped-def]
        return super().predictions(outputs, frames).rename(columns={"cat": "id"})


class TestNumbersAsClasses(PredictionTests):
    """Columns of classes are found where the labels are numbers."""

    @pytest.fixture
    def plugin(self) -> SingleLabel:
        return SingleLabel()

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        return labelled(folder, {"label": [3.0, 10.0, 7.0] * 3}, valid=4)


def test_kitbox_s_own_columns_are_refused(tmp_path: Path) -> None:
    tests = TestNumbersAsClasses()
    rows = labelled(tmp_path, {"label": ["cat", "dog"] * 4})
    seen = TestNumbersAsClasses.seen.__wrapped__(tests, Silly(), rows, ("label",), tmp_path)  # type: ignore[attr-defined]
    seen.again = lambda: seen.task
    with pytest.raises(AssertionError, match="kitbox's own columns"):
        tests.test_predictions_are_a_table(seen)
