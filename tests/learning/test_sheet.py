"""Batches to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from kitbox.errors import LabelError, RecipeError
from learning import cached, load


@pytest.fixture(autouse=True)
def _cached(monkeypatch: pytest.MonkeyPatch) -> None:
    cached(monkeypatch)


def test_a_batch_to_look_at() -> None:
    data = load()
    sheet = data.show_batch()
    assert isinstance(sheet, Image.Image)
    assert np.array_equal(np.asarray(sheet), np.asarray(data.show_batch()))
    assert data.show_batch(4).height < sheet.height
    plain = np.asarray(data.show_batch(part="valid"))
    assert np.asarray(data.show_batch(part="valid")).tobytes() == plain.tobytes()


def test_one_picture_many_times() -> None:
    """Each time another variation; all alike where nothing varies."""
    data = load()
    cells = np.asarray(data.show_batch(4, one=True)).astype(int)
    width = cells.shape[1] // 4
    first, second = cells[:150, :width], cells[:150, width : 2 * width]
    assert np.abs(first - second).mean() > 1
    same = np.asarray(data.at(augmentation="none").show_batch(4, one=True)).astype(int)
    step = 160 + 6
    assert np.array_equal(same[:160, 6:160], same[:160, 6 + step : 160 + step])
    chosen = data.rows[data.rows["part"] == "train"].iloc[7]
    data.show_batch(2, one=chosen["id"])
    with pytest.raises(LabelError, match="No picture of the part 'train' has the id 'away'"):
        data.show_batch(one="away")


@pytest.mark.parametrize(("count", "part"), [(0, "train"), (4, "test")])
def test_no_such_batch(count: int, part: str) -> None:
    with pytest.raises(RecipeError, match="There is no batch of"):
        load().show_batch(count, part=part)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [2.5, "8", None])
def test_no_number_of_pictures(count: Any) -> None:
    with pytest.raises(RecipeError, match=f"{count!r} is no number of pictures"):
        load().show_batch(count)


def test_a_number_of_numpy() -> None:
    data = load()
    assert data.show_batch(np.int64(4)).size == data.show_batch(4).size  # type: ignore[arg-type]
