"""Columns of masks: files or run lengths, and the names of their classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kitbox.errors import LabelError
from kitbox.tasks import mask_columns
from kitbox.tasks.codes import Codes

FILES = pd.DataFrame({"mask": ["m.png"]})


def runs(*columns: str) -> pd.DataFrame:
    return pd.DataFrame({column: ["columns 1 2"] for column in columns})


def test_codes_and_values_go_together(tmp_path: Path) -> None:
    names, values = mask_columns.name(FILES, ("a", "b"), {255: "void"}, (), tmp_path)
    assert names == ("a", "b", "void")
    assert values == {0: "a", 1: "b", 255: "void"}
    assert mask_columns.name(FILES, (), {7: "a", 9: "a", 3: "b"}, (), tmp_path)[0] == ("a", "b")
    assert mask_columns.name(FILES, (), {}, ("x", "y"), tmp_path) == (("x", "y"), {})


@pytest.mark.parametrize(
    ("columns", "codes", "names", "values"),
    [
        (("mask",), (), ("background", "mask"), ("background", "mask")),
        (("mask",), ("none", "salt"), ("none", "salt"), ("none", "salt")),
        (("mask",), ("mask", "none"), ("mask", "none"), ("none", "mask")),
        (("1", "2"), (), ("background", "1", "2"), ("background", "1", "2")),
        (("1", "2"), ("2", "bg", "1"), ("2", "bg", "1"), ("bg", "1", "2")),
    ],
)
def test_run_lengths_are_of_their_columns(
    columns: tuple[str, ...],
    codes: tuple[str, ...],
    names: tuple[str, ...],
    values: tuple[str, ...],
) -> None:
    found = mask_columns.name(runs(*columns), codes, {}, (), Path())
    assert found == (names, dict(enumerate(values)))


def test_codes_that_do_not_fit_the_run_lengths() -> None:
    with pytest.raises(LabelError, match="do not fit"):
        mask_columns.name(runs("1", "2"), ("a", "b", "c"), {}, (), Path())


def test_several_columns_of_files_are_refused() -> None:
    with pytest.raises(LabelError, match="2 columns, one, two"):
        mask_columns.name(pd.DataFrame({"one": ["a.png"], "two": ["b"]}), ("a",), {}, (), Path())


def test_without_names_what_the_masks_hold_is_told(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 3]], np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(LabelError, match=r"values 0, 3.*from 0 to 3 in `codes`"):
        mask_columns.name(FILES, (), {}, (), tmp_path)


def test_run_lengths_are_painted_at_the_size_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # on its side
    Image.new("RGB", (5, 3)).save(tmp_path / "a.jpg", exif=exif)
    codes = Codes(("bg", "a", "b"), {0: "bg", 1: "a", 2: "b"})
    read = mask_columns.read(("columns 1 2", "rows 3 1"), tmp_path, "a.jpg", codes)
    assert read.shape == (5, 3)
    assert read.tolist() == [[1, 0, 2], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_spread() -> None:
    assert mask_columns.spread(3, 5) == [0, 1, 2]
    assert mask_columns.spread(10, 5) == [0, 2, 4, 6, 8]
    assert len(mask_columns.spread(100_001, 200)) <= 200
