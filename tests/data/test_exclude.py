from __future__ import annotations

import pandas as pd
import pytest

from kitbox.data.exclude import without
from kitbox.errors import LabelError

ROWS = pd.DataFrame(
    {"id": ["1", "2", "2b", "3"], "image": ["a/1.jpg", "a/2.jpg", "a/2.jpg", "b/3.jpg"], "y": 0}
)


@pytest.mark.parametrize(
    "text", ["image\na/2.jpg\n", "\ufeffreason;image\nx;a/2.jpg\ny;\nz;test/9.jpg\n"]
)
def test_named_pictures_are_left_out(tmp_path, text):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    before = ROWS.copy()
    rows, note = without(ROWS, tmp_path / "x.csv", tmp_path)
    assert list(rows["id"]) == ["1", "3"]
    assert list(rows.index) == [0, 1]
    assert note.startswith("2 of 4 labelled pictures left out by")
    assert ("1 that it names are not labelled (test/9.jpg)" in note) == ("test/9" in text)
    pd.testing.assert_frame_equal(ROWS, before)


def test_a_file_that_names_nothing_changes_nothing(tmp_path):
    (tmp_path / "x.csv").write_text("image,reason,of,detail\n")
    rows, note = without(ROWS, tmp_path / "x.csv", tmp_path)
    pd.testing.assert_frame_equal(rows, ROWS)
    assert note.startswith("0 of 4")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "does not exist.*kitbox clean"),
        ("images\na/1.jpg\n", "no column 'image'.*Did you mean 'images'"),
        ("", "empty"),
        ("image\na/1.jpg\na/2.jpg\nb/3.jpg\n", "excludes every"),
        ("image\nx/1.jpg\n", "None of the 1 pictures"),
    ],
)
def test_a_file_of_no_use_is_refused(tmp_path, text, words):
    if text is not None:
        (tmp_path / "x.csv").write_text(text)
    with pytest.raises(LabelError, match=words):
        without(ROWS, tmp_path / "x.csv", tmp_path)


def test_test_pictures_alone_are_no_mistake(tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "9.jpg").touch()
    (tmp_path / "x.csv").write_text("image\ntest/9.jpg\n")
    rows, note = without(ROWS, tmp_path / "x.csv", tmp_path)
    assert len(rows) == 4
    assert "1 that it names are not labelled" in note
