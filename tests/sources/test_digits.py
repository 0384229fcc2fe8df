from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError
from sklearn.datasets import load_digits

from kitbox.errors import StorageError
from kitbox.sources.digits import Digits


def read(path):
    with Image.open(path) as picture:
        assert picture.mode == "L"
        return np.asarray(picture)


def test_the_pictures_are_scikit_learns(tmp_path):
    folder = Digits().fetch(tmp_path)
    assert folder == tmp_path / "digits"
    digits = load_digits()
    train = {int(p.stem): p for p in folder.glob("train/*/*.png")}
    test = {int(p.stem): p for p in folder.glob("test/*.png")}
    assert sorted(train) == list(range(1500))
    assert sorted(test) == list(range(1500, 1797))
    for number, path in {**train, **test}.items():
        values = digits.images[number]
        pixels = read(path)
        assert pixels.shape == (8, 8)
        np.testing.assert_array_equal(np.rint(pixels * (16 / 255)), values)
        assert path.name == f"{number:04d}.png"
    assert [int(train[n].parent.name) for n in range(1500)] == digits.target[:1500].tolist()
    assert max(read(train[n]).max() for n in range(50)) == 255


def test_the_sample_submission_names_the_test_pictures(tmp_path):
    folder = Digits().fetch(tmp_path)
    sample = pd.read_csv(folder / "sample_submission.csv", dtype=str)
    assert list(sample.columns) == ["id", "label"]
    assert sample["id"].tolist() == sorted(p.stem for p in folder.glob("test/*.png"))
    assert set(sample["label"]) == {"0"}


def test_fewer_pictures(tmp_path):
    source = Digits(pictures=100)
    assert source.find(tmp_path) is None
    folder = source.fetch(tmp_path)
    assert source.find(tmp_path) == folder != Digits().fetch(tmp_path)
    assert len(list(folder.glob("train/*/*.png"))) == 83
    assert len(list(folder.glob("test/*.png"))) == 17
    assert len({p.parent.name for p in folder.glob("train/*/*.png")}) == 10


def test_the_second_fetch_writes_nothing(tmp_path):
    folder = Digits(pictures=100).fetch(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert Digits(pictures=100).fetch(tmp_path) == folder
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(StorageError, match="full"):
        Digits(pictures=100).fetch(tmp_path)
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == []


@pytest.mark.parametrize("pictures", [99, 1798, "many"])
def test_bounds(pictures):
    with pytest.raises(ValidationError):
        Digits(pictures=pictures)
