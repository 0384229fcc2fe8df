"""The labeler of masks, from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kitbox.contracts import Labels
from kitbox.data import table
from kitbox.errors import LabelError
from kitbox.labelers.masks import MaskLabels
from kitbox.mistakes import Mistakes
from kitbox.registry import labelers


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def label(folder: Path, **options: Any) -> Labels:
    labels = MaskLabels(**options).label(folder)
    table.make(labels, folder)  # keeps the contract
    return labels


def pairs(labels: Labels) -> dict[str, str]:
    return dict(zip(labels.rows["image"], labels.rows["mask"], strict=True))


def test_camvid_s_way(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.jpg", "images/b.c.JPG", "labels/a_P.png", "labels/b.c_P.png")
    touch(tmp_path, "test/t.jpg", "codes.txt")
    labels = label(tmp_path, images="images", path="labels/{stem}_P.png")
    assert pairs(labels) == {
        "images/a.jpg": "labels/a_P.png",
        "images/b.c.JPG": "labels/b.c_P.png",
    }
    assert labels.targets == ("mask",)
    assert labels.rows["id"].tolist() == labels.rows["image"].tolist()
    assert "2 of 2 pictures have a mask" in labels.notes[0]
    assert "images/a.jpg has labels/a_P.png" in labels.notes[0]


def test_masks_between_the_pictures_are_no_pictures(tmp_path: Path) -> None:
    touch(tmp_path, "benign/x (1).png", "benign/x (1)_mask.png", "bad/y.png", "bad/y_mask.png")
    labels = label(tmp_path, path="{folder}/{stem}_mask.png")
    assert pairs(labels) == {
        "bad/y.png": "bad/y_mask.png",
        "benign/x (1).png": "benign/x (1)_mask.png",
    }


def test_folders_beside_folders_and_names_whole(tmp_path: Path) -> None:
    touch(tmp_path, "train/s1/1.png", "train/s2/1.png", "train/0.png")
    touch(tmp_path, "masks/s1/1.png", "masks/s2/1.png", "masks/0.png")
    labels = label(tmp_path, images="train", path="masks/{folder}/{name}")
    assert pairs(labels) == {
        "train/0.png": "masks/0.png",
        "train/s1/1.png": "masks/s1/1.png",
        "train/s2/1.png": "masks/s2/1.png",
    }


def test_without_options_masks_are_in_masks(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.jpg", "masks/a.png")
    assert pairs(label(tmp_path)) == {"images/a.jpg": "masks/a.png"}


def test_a_missing_mask_is_an_error_that_says_where_it_looked(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.jpg", "images/b.jpg", "labels/a_P.png", "labels/b.png")
    options = {"images": "images", "path": "labels/{stem}_P.png"}
    with pytest.raises(LabelError) as caught:
        label(tmp_path, **options)
    said = str(caught.value)
    assert "1 of 2 pictures have no mask" in said
    assert "no labels/b_P.png for images/b.jpg" in said
    assert "a_P.png, b.png in" in said
    skipped = label(tmp_path, unmatched="skip", **options)
    assert list(pairs(skipped)) == ["images/a.jpg"]
    assert "images/b.jpg" in " ".join(skipped.notes)
    assert "1 masks belong to no picture: labels/b.png" in " ".join(skipped.notes)


def test_no_mask_at_all_is_an_error_even_where_missing_ones_are_skipped(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.jpg", "labels/a.png")
    with pytest.raises(LabelError, match=r"no masks/a\.png.*images/ and labels/|images/, labels/"):
        label(tmp_path, images="images", path="masks/{stem}.png", unmatched="skip")


def test_no_pictures(tmp_path: Path) -> None:
    touch(tmp_path, "labels/a.txt")
    with pytest.raises(LabelError, match="no pictures"):
        label(tmp_path, path="x/{stem}.png")
    with pytest.raises(LabelError, match="no folder 'images'"):
        label(tmp_path, images="images", path="x/{stem}.png")


FUNCTIONS = """
from pathlib import Path
def beside(path): return "labels/" + Path(path).name.replace(".jpg", "_P.png")
def some(path): return None if path.stem == "b" else path.parents[1] / f"labels/{path.stem}_P.png"
def none(path): return None
def outside(path): return "/etc/passwd"
def broken(path): return 1 / 0
def number(path): return 3
"""


def test_a_function_finds_the_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "images/a.jpg", "images/b.jpg", "labels/a_P.png", "labels/b_P.png")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "own_masks.py").write_text(FUNCTIONS)
    monkeypatch.chdir(tmp_path / "code")
    data = {"images": "images"}
    assert pairs(label(tmp_path, function="own_masks:beside", **data)) == {
        "images/a.jpg": "labels/a_P.png",
        "images/b.jpg": "labels/b_P.png",
    }
    part = label(tmp_path, function="own_masks:some", **data)
    assert list(pairs(part)) == ["images/a.jpg"]
    assert "skipped 1 picture" in " ".join(part.notes)
    for name, says in (
        ("outside", "outside the source's folder"),
        ("broken", "ZeroDivisionError"),
        ("number", r"gives no path of a mask for images/a\.jpg. Found: 3 \(int\)"),
        ("none", "returned None for all 2 pictures"),
    ):
        with pytest.raises(LabelError, match=says):
            label(tmp_path, function=f"own_masks:{name}", **data)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "a/{stem}.png", "csv": "a.csv"}, "path, csv"),
        ({"path": "labels/mask.png"}, "stem"),
        ({"path": "labels/{steam}.png"}, "steam"),
        ({"path": "labels/{stem.png"}, "stem"),
        ({"path": "labels/{parent}/{stem}.png"}, "found {parent}"),
        ({"path": "../{stem}.png"}, "below the source"),
        ({"path": "{stem}.png", "order": "rows"}, "belong to `csv`"),
        ({"function": "nothing"}, "package.module:name"),
        ({"csv": "a.csv", "classes": "c", "separator": "_"}, "expected one of them"),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, Any], says: str) -> None:
    with pytest.raises(Mistakes, match=says):
        labelers.build({"use": "masks", **options})


def test_a_hundred_thousand_pictures_are_listed_in_seconds(tmp_path: Path) -> None:
    import time

    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for number in range(2000):
        (tmp_path / "images" / f"{number}.jpg").touch()
        (tmp_path / "labels" / f"{number}.png").touch()
    began = time.process_time()
    labels = label(tmp_path, images="images", path="labels/{stem}.png")
    assert len(labels.rows) == 2000
    assert time.process_time() - began < 20  # 50 s for 100,000, were it not linear


def test_a_folder_for_each_picture(tmp_path: Path) -> None:
    touch(tmp_path, *(f"train/{n}/{part}" for n in "ab" for part in ("x.png", "ink.png", "y.png")))
    match = r"^train/(\w)/x\.png$"
    labels = label(tmp_path, images="train", match=match, path="train/{id}/ink.png")
    assert pairs(labels) == {f"train/{n}/x.png": f"train/{n}/ink.png" for n in "ab"}
    assert labels.rows["id"].tolist() == ["a", "b"]
    with pytest.raises(LabelError, match="fits none of the pictures"):
        label(tmp_path, images="train", match="(z)", path="train/{id}/ink.png")
    with pytest.raises(ValueError, match="which is what `match` finds"):
        MaskLabels(path="train/{id}.png")
