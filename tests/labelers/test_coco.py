"""Labels from COCO's json."""

import json
from pathlib import Path
from typing import Any

import pytest

from kitbox.errors import LabelError
from kitbox.labelers.coco import CocoLabels

HELD: dict[str, Any] = {
    "images": [{"id": n, "file_name": f"train/{n}.jpg"} for n in (3, 1, 2, 9)],
    "annotations": [{"image_id": n, "category_id": n % 2, "bbox": [0, 0, 1, 1]} for n in (1, 2, 3)],
    "categories": [{"id": 0, "name": "even"}, {"id": 1, "name": "odd"}],
}


def lay(folder: Path, **changes: Any) -> None:
    (folder / "train.json").write_text(json.dumps({**HELD, **changes}))
    (folder / "pictures/train").mkdir(parents=True, exist_ok=True)
    for n in (1, 2, 3, 9):
        (folder / f"pictures/train/{n}.jpg").touch()


def test_categories_by_number_and_by_name(tmp_path: Path) -> None:
    lay(tmp_path)
    labels = CocoLabels(file="train.json").label(tmp_path)
    found = labels.rows.set_index("id")
    assert found["label"].to_dict() == {"3": 1, "1": 1, "2": 0}
    assert found.at["3", "image"] == "pictures/train/3.jpg"
    assert any("1 picture without annotations" in note for note in labels.notes)
    named = CocoLabels(file="train.json", classes="names", folder="pictures").label(tmp_path)
    assert named.rows["label"].tolist() == ["odd", "odd", "even"]


def test_several_categories_make_lists(tmp_path: Path) -> None:
    more = [*HELD["annotations"], {"image_id": 2, "category_id": 1}]
    lay(tmp_path, annotations=[*more, {"image_id": 2, "category_id": 0}])
    labels = CocoLabels(file="train.json", classes="names").label(tmp_path).rows
    assert labels.set_index("id")["label"].to_dict() == {
        "3": ("odd",),
        "1": ("odd",),
        "2": ("even", "odd"),
    }


@pytest.mark.parametrize(
    ("changes", "options", "why"),
    [
        ({"annotations": []}, {}, "no `annotations`"),
        ({"annotations": [{"image_id": 77, "category_id": 1}]}, {}, "of no picture"),
        ({"annotations": [{"image_id": 1}]}, {}, "has no 'category_id'"),
        ({"categories": [{"id": 0, "name": "even"}]}, {"classes": "names"}, "no category 1"),
        ({"categories": []}, {"classes": "names"}, "no `categories` with names"),
        ({}, {"folder": "train"}, "None of the 3 pictures"),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, changes: dict[str, Any], options: dict[str, Any], why: str
) -> None:
    lay(tmp_path, **changes)
    with pytest.raises(LabelError, match=why):
        CocoLabels(file="train.json", **options).label(tmp_path)
