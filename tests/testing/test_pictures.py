"""Tests of made-up pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from kitbox.testing import labelled, picture, write_picture


def test_pictures_are_the_same_for_the_same_seed() -> None:
    one = picture(30, 50, seed=1)
    assert one.shape == (30, 50, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, picture(30, 50, seed=1))
    assert not np.array_equal(one, picture(30, 50, seed=2))
    assert picture(30, 50, channels=1).shape == (30, 50, 1)
    assert one.std() > 20


def test_files(tmp_path: Path) -> None:
    write_picture(tmp_path / "a" / "b.png", 30, 50, 1)
    with Image.open(tmp_path / "a" / "b.png") as file:
        assert np.array_equal(np.asarray(file), picture(30, 50, 1))


def test_rows(tmp_path: Path) -> None:
    rows = labelled(tmp_path, {"x": [1, 2, 3, 4], "y": list("abcd")}, valid=2)
    assert list(rows.columns) == ["id", "image", "part", "x", "y"]
    assert rows["part"].tolist() == ["train", "valid", "train", "valid"]
    assert all((tmp_path / image).is_file() for image in rows["image"])
    assert rows["id"].is_unique
