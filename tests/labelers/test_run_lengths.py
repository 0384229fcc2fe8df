"""Masks from csv files of run lengths, in the shapes of competitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kitbox.contracts import Labels
from kitbox.data import table
from kitbox.data.masks import paint
from kitbox.errors import LabelError
from kitbox.labelers.masks import MaskLabels
from kitbox.runs import Runs

SIZE = (5, 7)


def masks(count: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.random(SIZE) < 0.3 for _ in range(count)]


def label(folder: Path, text: str, names: list[str], **options: Any) -> Labels:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "train.csv").write_text(text)
    labels = MaskLabels(csv="train.csv", **options).label(folder)
    table.make(labels, folder)
    return labels


def painted(labels: Labels, column: str = "mask") -> dict[str, np.ndarray]:
    rows = labels.rows
    return {
        one: paint({1: cell}, SIZE, one) > 0
        for one, cell in zip(rows["id"], rows[column], strict=True)
    }


@pytest.mark.parametrize("order", ["columns", "rows"])
@pytest.mark.parametrize(("base", "relative"), [(1, False), (0, False), (0, True)])
def test_salt_a_mask_a_picture(tmp_path: Path, order: Any, base: Any, relative: bool) -> None:
    one, two = masks(2)
    lines = [f"{n},{Runs.of(m).encode(order, base, relative)}" for n, m in (("a", one), ("b", two))]
    text = "\n".join(["id,rle_mask", *lines, "c,"])
    names = ["train/a.png", "train/b.png", "train/c.png"]
    labels = label(tmp_path, text, names, order=order, base=base, relative=relative)
    assert labels.targets == ("mask",)
    assert labels.rows["image"].tolist() == names
    found = painted(labels)
    assert np.array_equal(found["a"], one)
    assert np.array_equal(found["b"], two)
    assert not found["c"].any()
    assert "1 are empty" in labels.notes[0]


def test_severstal_picture_and_class_in_one_key(tmp_path: Path) -> None:
    one, two = masks(2)
    rows = [f"a.jpg_1,{Runs.of(one).encode()}", "a.jpg_2,", "b_x.jpg_1,-1"]
    rows.append(f"b_x.jpg_2,{Runs.of(two).encode()}")
    text = "\n".join(["ImageId_ClassId,EncodedPixels", *rows])
    labels = label(tmp_path, text, ["train_images/a.jpg", "train_images/b_x.jpg"])
    assert labels.targets == ("1", "2")
    assert np.array_equal(painted(labels, "1")["a.jpg"], one)
    assert not painted(labels, "1")["b_x.jpg"].any()
    assert np.array_equal(painted(labels, "2")["b_x.jpg"], two)


def test_a_separator_takes_keys_apart_that_are_not_complete(tmp_path: Path) -> None:
    text = "ImageId_ClassId,EncodedPixels\na.jpg_10,1 2\nb.jpg_9,3 1\n"
    with pytest.raises(LabelError, match="Set `separator`"):
        label(tmp_path, text, ["a.jpg", "b.jpg"])
    labels = label(tmp_path, text, ["a.jpg", "b.jpg"], separator="_")
    assert labels.targets == ("9", "10")
    with pytest.raises(LabelError, match="no '#' before a class"):
        label(tmp_path, text, ["a.jpg", "b.jpg"], separator="#")


def test_madison_the_class_in_a_column(tmp_path: Path) -> None:
    text = "id,class,segmentation\na,stomach,1 2\na,bowel,\nb,stomach,\nb,bowel,4 4\n"
    labels = label(tmp_path, text, ["a.png", "b.png"])
    assert labels.targets == ("bowel", "stomach")
    assert painted(labels, "stomach")["a"].sum() == 2
    assert "'class' names the class" in " ".join(labels.notes)


def test_numbers_of_classes_are_in_their_order(tmp_path: Path) -> None:
    """A picture without a class has empty masks of all."""
    text = "id,class,rle\na,10,1 2\na,9,3 1\nb,,\n"
    labels = label(tmp_path, text, ["a.png", "b.png"])
    assert labels.targets == ("9", "10")
    assert labels.rows.set_index("id").loc["b", ["9", "10"]].tolist() == ["columns", "columns"]


def test_airbus_rows_of_one_picture_are_one_mask(tmp_path: Path) -> None:
    text = "ImageId,EncodedPixels\na.jpg,1 2\na.jpg,3 3\na.jpg,20 1\nb.jpg,\n"
    labels = label(tmp_path, text, ["a.jpg", "b.jpg"])
    assert labels.rows["id"].tolist() == ["a.jpg", "b.jpg"]
    assert painted(labels)["a.jpg"].sum() == 6


def test_pictures_without_a_row_may_have_empty_masks(tmp_path: Path) -> None:
    text = "ImageId,EncodedPixels\na.jpg,1 2\n"
    names = ["train/a.jpg", "train/b.jpg", "test/t.jpg"]
    assert label(tmp_path, text, names).rows["image"].tolist() == ["train/a.jpg"]
    labels = label(tmp_path, text, names, absent="empty")
    assert sorted(labels.rows["image"]) == ["train/a.jpg", "train/b.jpg"]
    assert labels.rows["mask"].tolist() == ["columns 1 2", "columns"]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("id,rle_mask\na,1 2 3\n", {}, "run lengths of a .* damaged"),
        ("id,rle_mask\na,0 3\n", {}, "before the first pixel"),
        ("id,rle_mask\na,x\n", {}, "'x' is no whole number"),
        ("id,rle_mask\nz,1 1\n", {}, "None of the 1 pictures"),
        ("id,rle_mask\n,1 1\n", {}, "nothing in the column 'id'"),
        ("id,value\na,1 1\n", {}, "column of run lengths in train.csv cannot be guessed"),
        ("id,value\na,1 1\n", {"runs": "vlaue"}, "Did you mean 'value'"),
        ("id,rle_mask\n", {}, "no rows"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, text: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(LabelError, match=says):
        label(tmp_path, text, ["a.png"], **options)


def test_a_csv_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "masks.csv").touch()
    with pytest.raises(LabelError, match=r"Did you mean 'masks.csv'"):
        MaskLabels(csv="mask.csv").label(tmp_path)


def test_a_misspelt_class_is_named_with_its_line(tmp_path: Path) -> None:
    keys = [f"{one}.png_{name}" for one in "abc" for name in ("sky", "road")]
    keys[2] = "b.png_sly"
    text = "ImageId_ClassId,rle\n" + "".join(f"{key},1 1\n" for key in keys)
    with pytest.raises(LabelError, match=r"'b.png_sly' in line 4 .* no class 'sly'\. .*'sky'"):
        label(tmp_path, text, ["a.png", "b.png", "c.png"])
