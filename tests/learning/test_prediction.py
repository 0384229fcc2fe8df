"""Pictures at hand as files, and predictions in words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from kitbox.errors import PictureError
from kitbox.learning.prediction import as_files, predictions
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing.pictures import picture, write_picture


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "1", "P", "CMYK", "HSV"])
def test_images_as_files_keep_their_pixels(mode: str) -> None:
    given = Image.fromarray(picture(20, 30)).convert(mode)
    with as_files([given]) as (path,):
        found = Image.open(path).convert("RGB")
        assert np.array_equal(np.asarray(found), np.asarray(given.convert("RGB")))
    assert not path.exists()


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 3), (8, 9, 4)])
def test_arrays_as_files_keep_their_values(shape: tuple[int, ...]) -> None:
    given = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    with as_files([given]) as (path,):
        assert np.array_equal(np.asarray(Image.open(path)), given)


def test_files_stay_where_they_are(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    with as_files([tmp_path / "a.png", str(tmp_path / "a.png")]) as found:
        assert found == [tmp_path / "a.png"] * 2
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("away.png", "no picture at away.png"),
        (7, "A int is no picture"),
        (torch.zeros(3, 8, 8), "A torch.Tensor is no picture"),
        (np.zeros((8, 8, 3)), r"\(8, 8, 3\) of float64"),
        (np.zeros((3, 8, 8), np.uint8), r"\(3, 8, 8\) of uint8"),
        (np.zeros((0, 8, 3), np.uint8), r"\(0, 8, 3\)"),
    ],
)
def test_what_is_no_picture(given: Any, says: str) -> None:
    with pytest.raises(PictureError, match=says), as_files([given]):
        pass


def test_words() -> None:
    table = pd.DataFrame({"a": [0.25], "b": [0.75]})
    task = SingleLabel(classes=("a", "b"))
    (found,) = predictions(task, table)
    assert repr(found) == found.words == task.decide(table)[0]
    assert found.outputs == {"a": 0.25, "b": 0.75}
    plain: Any = SimpleNamespace()
    assert predictions(plain, table)[0].words == "a 0.25, b 0.75"
