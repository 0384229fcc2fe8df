"""Labels without a csv file. The shapes of whole competitions are in tests/kaggle."""

from pathlib import Path

import numpy as np
from competitions import a_box, mask, picture
from PIL import Image

from kitbox.drafts import tableless
from kitbox.drafts.survey import look


def test_masks_in_a_folder_of_their_own(tmp_path: Path) -> None:
    for n in range(4):
        picture(tmp_path / f"images/{n}.jpg")
        shown = mask([a_box(n)]).astype(np.uint8)
        (tmp_path / "labels").mkdir(exist_ok=True)
        Image.fromarray(shown).save(tmp_path / f"labels/{n}_P.png")
    picture(tmp_path / "images/extra.jpg")
    found = tableless.in_masks(look(tmp_path))
    assert found is not None
    assert found.labeler == {
        "use": "masks",
        "images": "images",
        "path": "labels/{stem}_P.png",
        "unmatched": "skip",
    }


def test_one_folder_is_no_class(tmp_path: Path) -> None:
    for n in range(6):
        picture(tmp_path / f"train/images/{n}.png")
        picture(tmp_path / f"train/other/x{n}.png")
    assert tableless.in_folders(look(tmp_path)) is None


def test_names_that_are_all_different_are_no_classes(tmp_path: Path) -> None:
    for name in ("ant_1", "bee_2", "cow_3", "dog_4"):
        picture(tmp_path / f"train/{name}.png")
    assert tableless.in_names(look(tmp_path)) is None
    for name in ("ant_5", "bee_6", "cow_7", "dog_8"):
        picture(tmp_path / f"train/{name}.png")
    found = tableless.in_names(look(tmp_path))
    assert found is not None
    assert sorted(found.cells["label"]) == ["ant", "ant", "bee", "bee", "cow", "cow", "dog", "dog"]
