"""Ids in paths."""

import pytest

from kitbox.data import matching


@pytest.mark.parametrize(
    ("pattern", "why"), [("train/(", "regular"), ("train/.+", "no group|group")]
)
def test_what_is_no_pattern(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        matching.check(pattern)


def test_groups_are_joined_and_those_that_did_not_match_left_out() -> None:
    assert matching.key(r"(case\d+)/(day\d+)?.*(slice_\d+)", "case1/scans/slice_07.png") == (
        "case1_slice_07"
    )
    assert matching.key(r"^test/0*(\d+)\.png$", "test/0000.png") == "0"
    assert matching.key(r"^test/(.+)\.png$", "train/a.png") is None


def test_an_id_may_have_several_paths() -> None:
    paths = ["train/a_red.png", "train/a_blue.png", "train/b_red.png", "other.png"]
    assert matching.keys("^train/([^_]+)_", paths) == {"a": paths[:2], "b": paths[2:3]}
