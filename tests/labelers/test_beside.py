"""Pictures and their label files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kitbox.errors import LabelError
from kitbox.labelers import beside


@pytest.mark.parametrize(
    ("template", "image", "pattern", "path"),
    [
        ("labels/{stem}_P.txt", "images/a.b.jpg", None, "labels/a.b_P.txt"),
        ("{folder}/{stem}.pts", "train/01/a.jpg", None, "train/01/a.pts"),
        ("{folder}/{stem}.pts", "a.jpg", None, "a.pts"),
        ("{path}.txt", "x/a.jpg", None, "x/a.jpg.txt"),
        ("masks/{folder}/{name}", "x/a.jpg", None, "masks/x/a.jpg"),
        ("{folder}/{n}.txt", "x/rgb_07.png", r"rgb_(?P<n>\d+)", "x/07.txt"),
        ("{folder}/{n}.txt", "x/depth_07.png", r"rgb_(?P<n>\d+)", None),
    ],
)
def test_templates(template: str, image: str, pattern: str | None, path: str | None) -> None:
    beside.check(template, pattern)
    assert beside.fill(template, image, pattern) == path


def test_what_matches_is_told(tmp_path: Path) -> None:
    wanted = {"i/a.jpg": "l/a.txt", "i/b.jpg": "l/b.txt", "i/c.jpg": "l/c.txt", "i/d.jpg": None}
    listed = [*wanted, "l/a.txt", "l/b.txt", "l/z.txt", "l/r.csv", "r.txt"]
    found = beside.match(wanted, listed, tmp_path, unmatched="skip")
    assert found.files == {"i/a.jpg": "l/a.txt", "i/b.jpg": "l/b.txt"}
    assert found.without == {"i/c.jpg": "l/c.txt", "i/d.jpg": "name that fits the pattern"}
    assert found.unused == ("l/z.txt",)
    assert found.told() == [
        "2 of 4 pictures have a label file: i/a.jpg has l/a.txt.",
        "Skipped, because they have no label file: i/c.jpg, i/d.jpg.",
        "1 label files belong to no picture: l/z.txt.",
    ]
    with pytest.raises(LabelError, match=r"2 of 4 .* no label file.*no l/c\.txt for i/c\.jpg") as e:
        beside.match(wanted, listed, tmp_path, unmatched="error")
    assert "unmatched: skip" in str(e.value)


def test_a_mask_between_pictures_is_no_picture(tmp_path: Path) -> None:
    wanted = {"a.png": "a_m.png", "a_m.png": "a_m_m.png"}
    found = beside.match(wanted, list(wanted), tmp_path, unmatched="error", what="mask")
    assert found.files == {"a.png": "a_m.png"}
    assert found.unused == ()


def test_none_at_all_says_where_it_looked(tmp_path: Path, touch: Any) -> None:
    touch("a.jpg", "k/a.txt")
    listed = ["a.jpg", "k/a.txt"]
    with pytest.raises(LabelError, match=r"no l/a\.txt for a\.jpg; there are k/ and a\.jpg") as e:
        beside.match({"a.jpg": "l/a.txt"}, listed, tmp_path, unmatched="skip")
    assert "unmatched" not in str(e.value)
    with pytest.raises(LabelError, match="no name that fits"):
        beside.match({"a.jpg": None}, listed, tmp_path, unmatched="skip")


@pytest.mark.parametrize(
    ("template", "pattern", "said"),
    [
        ("labels/{stme}.txt", None, "Did you mean 'stem'"),
        ("labels/all.txt", None, "a file per picture"),
        ("labels/{stem.txt", None, "expected a path"),
        ("labels/{stem:03d}.txt", None, "expected a path"),
        ("labels/{stem.x}.txt", None, "expected a path"),
        ("labels/{}.txt", None, "expected a path"),
        ("{n}.txt", "(?P<m>x)", "found {n}"),
        ("{stem}.txt", "(", "no regular expression"),
    ],
)
def test_wrong_templates(template: str, pattern: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        beside.check(template, pattern)
