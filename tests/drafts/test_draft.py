"""A draft put together, and its text."""

from pathlib import Path

import yaml
from competitions import picture, table

from kitbox.drafts import draft
from kitbox.drafts.survey import look


def lay(folder: Path) -> None:
    for n in range(8):
        picture(folder / f"train/{n}.png", n % 2)
        picture(folder / f"test/{90 + n}.png", n % 2)
    table(folder / "train.csv", ["id", "label"], [[n, "ab"[n % 2]] for n in range(8)])
    table(folder / "sample_submission.csv", ["id", "label"], [["90", "a"]])


def test_the_text_is_the_recipe_with_its_reasons(tmp_path: Path) -> None:
    lay(tmp_path)
    made = draft.make(look(tmp_path), {"use": "folder", "path": "here"})
    made.unknown.append("the colour of the sky " * 8)
    text = made.text("a title")
    assert yaml.safe_load(text) == made.values
    assert made.values["test"] == {"folder": "test"}
    assert made.values["size"] == 64
    assert all(len(line) <= 100 for line in text.splitlines())
    assert text.startswith("# a title\n")
    assert "# - the colour of the sky" in text
    assert "#   the sky" in text or "#   colour" in text or "#   of the sky" in text


def test_a_sample_without_rows_and_none_at_all(tmp_path: Path) -> None:
    lay(tmp_path)
    table(tmp_path / "sample_submission.csv", ["id", "label"], [])
    made = draft.make(look(tmp_path), {"use": "folder", "path": "here"})
    assert made.values["test"] == {"folder": "test"}
    (tmp_path / "sample_submission.csv").unlink()
    made = draft.make(look(tmp_path), {"use": "folder", "path": "here"})
    assert made.values["submission"] == {}
    assert "there is no sample" in made.unknown[-1]


def test_labels_that_are_nowhere(tmp_path: Path) -> None:
    for n in range(3):
        picture(tmp_path / f"all/{n}.png")
    made = draft.make(look(tmp_path), {"use": "folder", "path": "here"})
    assert any("where the labels are" in one for one in made.unknown)
    assert any("where the pictures to predict are" in one for one in made.unknown)
