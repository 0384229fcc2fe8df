"""Tests of the contract of writers, to inherit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from kitbox.contracts import Writer
from kitbox.errors import SubmissionError
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests, is_clear, refuses
from kitbox.writers import submission


class WriterTests(PluginTests):
    """What every writer keeps to.

    Fixtures: `plugin`; `predictions`, a table of `id` and a column per output; `sample`, a
    sample submission of the same pictures (all cells str), or None where it cannot have one;
    `folder`, the source's. `alone` says whether it writes without a sample.
    """

    kind: ClassVar[str] = "writer"
    alone: ClassVar[bool] = True

    @pytest.fixture
    def predictions(self) -> pd.DataFrame:
        raise NotImplementedError(f"Give {type(self).__name__} a fixture `predictions`")

    @pytest.fixture
    def sample(self) -> pd.DataFrame | None:
        raise NotImplementedError(f"Give {type(self).__name__} a fixture `sample`")

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    def test_it_obeys_the_sample(
        self,
        plugin: Writer,
        predictions: pd.DataFrame,
        sample: pd.DataFrame | None,
        folder: Path,
    ) -> None:
        """Its columns, its rows and their order, whatever the predictions' order is."""
        if sample is None:
            pytest.skip("no sample")
        given, before = predictions.copy(), sample.copy()
        made = self._made(plugin, predictions, sample, folder)
        assert list(made.columns) == list(sample.columns)
        key = sample.columns[0]
        assert list(made[key].astype(str)) == list(sample[key])
        mixed = predictions.sample(frac=1, random_state=1)
        pd.testing.assert_frame_equal(self._made(plugin, mixed, sample, folder), made)
        turned = sample.iloc[::-1].reset_index(drop=True)
        again = self._made(plugin, predictions, turned, folder)
        pd.testing.assert_frame_equal(again.iloc[::-1].reset_index(drop=True), made)
        assert any(
            not self._made(plugin, other, sample, folder).equals(made)
            for other in _exchanged(predictions)
        ), (
            "whichever picture has which outputs, it makes the same table: are they written, and "
            "not the sample's own values? (do the outputs of the fixture `predictions` differ?)"
        )
        pd.testing.assert_frame_equal(predictions, given)
        pd.testing.assert_frame_equal(sample, before)

    def test_the_pictures_that_the_sample_asks_for(
        self,
        plugin: Writer,
        predictions: pd.DataFrame,
        sample: pd.DataFrame | None,
        folder: Path,
    ) -> None:
        if sample is None:
            pytest.skip("no sample")
        with offline():
            ids = plugin.ids(sample, folder)
        assert all(isinstance(one, str) for one in ids)
        assert len(set(ids)) == len(ids), "a picture is asked for twice"
        strangers = sorted(set(ids) - set(predictions["id"]))
        assert not strangers, f"there are no predictions of {strangers[:5]}"

    def test_a_missing_picture_is_told(
        self,
        plugin: Writer,
        predictions: pd.DataFrame,
        sample: pd.DataFrame | None,
        folder: Path,
    ) -> None:
        if sample is None:
            pytest.skip("no sample")
        few = predictions.iloc[:-1]
        refuses(lambda: plugin.table(few, sample, folder), SubmissionError, "a prediction too few")

    def test_without_a_sample(
        self, plugin: Writer, predictions: pd.DataFrame, folder: Path
    ) -> None:
        """All pictures, and one."""
        if not self.alone:
            refuses(lambda: plugin.table(predictions, None, folder), SubmissionError, "no sample")
            return
        made = self._made(plugin, predictions, None, folder)
        assert len(made) >= 1
        assert len(made.columns) >= 2
        again = self._made(plugin, predictions, None, folder)
        pd.testing.assert_frame_equal(made, again)
        try:
            one = self._made(plugin, predictions.iloc[:1], None, folder)
        except SubmissionError as error:  # a table of the competition's may ask for all
            is_clear(error)
        else:
            assert 1 <= len(one) <= len(made)

    def _made(
        self, plugin: Any, predictions: pd.DataFrame, sample: Any, folder: Path
    ) -> pd.DataFrame:
        with offline():
            return submission.make(plugin, predictions, sample, folder)


def _exchanged(predictions: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The same ids with each other's outputs, in every rotation."""
    for first in range(1, len(predictions)):
        turned = pd.concat([predictions.iloc[first:], predictions.iloc[:first]])
        yield turned.assign(id=list(predictions["id"]))
