"""Which pictures may have labels."""

from pathlib import Path

from competitions import picture

from kitbox.drafts.labels import labelled, stem
from kitbox.drafts.survey import look


def test_not_those_of_the_test_and_no_masks(tmp_path: Path) -> None:
    for name in ("train/a.png", "train_masks/a.png", "test_images/b.png", "more/c.png"):
        picture(tmp_path / name)
    assert labelled(look(tmp_path)) == ["more/c.png", "train/a.png"]


def test_where_all_sound_like_masks(tmp_path: Path) -> None:
    picture(tmp_path / "masked_faces/a.png")
    picture(tmp_path / "test/b.png")
    assert labelled(look(tmp_path)) == ["masked_faces/a.png"]
    assert stem("masked_faces/a.b.png") == "a.b"
