"""Masks read from files of every mode and from run lengths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from kitbox.data import masks
from kitbox.errors import LabelError
from kitbox.runs import Runs

VALUES = np.array([[0, 1, 7], [255, 1, 0]], np.uint8)


def save(path: Path, values: np.ndarray, mode: str | None = None) -> Path:
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(path)
    return path


def test_grey_values_and_palette_indices_are_what_the_file_holds(tmp_path: Path) -> None:
    grey = masks.read(save(tmp_path / "grey.png", VALUES), "grey.png")
    assert grey.dtype == np.uint8
    assert np.array_equal(grey, VALUES)
    image = Image.new("P", (3, 2))
    image.putpalette([(i * 37) % 256 for i in range(768)])
    image.putdata(VALUES.ravel().tolist())
    for name in ("palette.png", "palette.gif"):
        image.save(tmp_path / name)
        with Image.open(tmp_path / name) as again:
            assert again.mode == "P"  # indices, whatever their colours
        assert len(np.unique(masks.read(tmp_path / name, name))) == 4
    assert np.array_equal(masks.read(tmp_path / "palette.png", "p"), VALUES)


def test_other_modes(tmp_path: Path) -> None:
    bits = masks.read(save(tmp_path / "bits.png", VALUES > 0), "bits.png")
    assert bits.tolist() == [[0, 1, 1], [1, 1, 0]]
    deep = save(tmp_path / "deep.png", VALUES.astype(np.uint16) * 200)
    assert np.array_equal(masks.read(deep, "deep.png"), VALUES.astype(int) * 200)
    same = save(tmp_path / "same.png", np.stack([VALUES] * 3, axis=-1))
    assert np.array_equal(masks.read(same, "same.png"), VALUES)
    with_alpha = save(tmp_path / "la.png", VALUES, "LA")
    assert np.array_equal(masks.read(with_alpha, "la.png"), VALUES)


def test_colours_are_numbers_where_they_are_asked_for(tmp_path: Path) -> None:
    planes = np.zeros((2, 3, 3), np.uint8)
    planes[0, 0] = 255, 128, 0
    path = save(tmp_path / "c.png", planes)
    values = masks.read(path, "c.png", colors=True)
    assert values[0, 0] == 0xFF8000
    assert values.sum() == 0xFF8000
    with pytest.raises(LabelError, match=r"c\.png is coloured.*\[255, 128, 0\].*colors"):
        masks.read(path, "c.png")


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_a_damaged_or_missing_mask_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "m.png").write_bytes(content)
    with pytest.raises(LabelError, match=r"m\.png"):
        masks.read(tmp_path / "m.png", "m.png")


def test_a_truncated_mask_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", np.random.default_rng(0).integers(0, 9, (90, 90), np.uint8))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(LabelError, match=r"m\.png cannot be read"):
        masks.read(path, "m.png")


@given(
    mask=arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    order=st.sampled_from(["columns", "rows"]),
    base=st.sampled_from([0, 1]),
    relative=st.booleans(),
)
def test_run_lengths_come_back_in_every_way_of_writing(
    mask: np.ndarray, order: str, base: int, relative: bool
) -> None:
    text = Runs.of(mask).encode(order, base, relative)  # type: ignore[arg-type]
    cell = masks.runs_cell([text], order, base, relative)  # type: ignore[arg-type]
    assert masks.is_runs(cell)
    painted = masks.paint({3: cell}, mask.shape, "a.jpg")  # type: ignore[arg-type]
    assert np.array_equal(painted, mask * 3)


def test_instances_of_one_class_may_touch_and_overlap_and_the_last_class_wins() -> None:
    cell = masks.runs_cell(["1 3 9 2", "3 4"])
    assert cell == "columns 1 3 3 4 9 2"
    painted = masks.paint({1: cell, 2: "rows 1 2"}, (4, 3), "a")
    # Down the columns of 4: pixels 1 to 6, 9 and 10.
    assert painted.T.ravel().tolist() == [2, 1, 1, 1, 2, 1, 0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize("cell", ["columns 5 9", "rows 13 1", "columns 0 2", "1 2"])
def test_run_lengths_that_do_not_fit_are_refused(cell: str) -> None:
    with pytest.raises(LabelError, match=r"a\.jpg"):
        masks.paint({1: cell}, (4, 3), "a.jpg")


def test_another_size_is_refused_with_both_sizes() -> None:
    masks.check_size(np.zeros((2, 3)), (2, 3), "m")
    with pytest.raises(LabelError, match="3x2 pixels, the picture 2x3") as caught:
        masks.check_size(np.zeros((2, 3)), (3, 2), "m")
    assert "EXIF orientation" in str(caught.value)
    with pytest.raises(LabelError, match="3x2 pixels, the picture 3x4") as caught:
        masks.check_size(np.zeros((2, 3)), (4, 3), "m")
    assert "EXIF" not in str(caught.value)
