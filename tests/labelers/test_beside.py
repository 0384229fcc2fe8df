"""Pictures and their label files."""

from __future__ import annotations

import re

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
        ("{folder}/{n}.txt", "x/rgb_07.png", r"rgb_(?P<n>\d+)", "x/07.txt"),
        ("{folder}/{n}.txt", "x/depth_07.png", r"rgb_(?P<n>\d+)", None),
    ],
)
def test_templates(template: str, image: str, pattern: str | None, path: str | None) -> None:
    beside.check(template, pattern)
    assert beside.fill(template, image, pattern) == path


def test_what_matches_is_counted() -> None:
    images = ["i/a.jpg", "i/b.jpg", "i/c.jpg"]
    found = beside.match(
        images, [*images, "l/a.txt", "l/b.txt", "l/z.txt", "r.txt"], "l/{stem}.txt"
    )
    assert found.files == {"i/a.jpg": "l/a.txt", "i/b.jpg": "l/b.txt"}
    assert found.without == {"i/c.jpg": "l/c.txt"}
    assert found.unused == ("l/z.txt",)
    assert found.told() == (
        "2 of 3 pictures have a label file; left out, as there is no l/c.txt; "
        "1 label files without a picture: l/z.txt."
    )


def test_none_at_all_says_where_it_looked() -> None:
    with pytest.raises(LabelError, match=re.escape("no l/a.txt; there are k/a.txt")):
        beside.match(["a.jpg"], ["a.jpg", "k/a.txt"], "l/{stem}.txt")
    with pytest.raises(LabelError, match="no name that fits"):
        beside.match(["a.jpg"], ["a.jpg"], "l/{n}.txt", r"(?P<n>\d+)")


@pytest.mark.parametrize(
    ("template", "pattern", "said"),
    [
        ("labels/{stme}.txt", None, "Did you mean 'stem'"),
        ("labels/all.txt", None, "a file per picture"),
        ("labels/{stem.txt", None, "expected a path"),
        ("{n}.txt", "(?P<m>x)", "found {n}"),
        ("{stem}.txt", "(", "no regular expression"),
    ],
)
def test_wrong_templates(template: str, pattern: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        beside.check(template, pattern)
