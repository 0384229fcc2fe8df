import pytest
from pydantic import ValidationError

from kitbox.data import table
from kitbox.errors import LabelError
from kitbox.labelers.lists import ListLabels
from kitbox.options import explain


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["cat", "dog"], ["cat", "dog"]),
        ([1, 2], [1, 2]),
        ([1, 0.5], [1.0, 0.5]),
        ([["a", "b"], []], [("a", "b"), ()]),
    ],
)
def test_lists(tmp_path, touch, labels, expected):
    touch("a/1.jpg", "2.jpg")
    given = ListLabels(paths=["a/1.jpg", str(tmp_path / "2.jpg")], labels=labels)
    made = table.make(given.label(tmp_path), tmp_path)
    assert made["image"].tolist() == ["2.jpg", "a/1.jpg"]
    assert made["label"].tolist() == expected[::-1]


def test_parts(tmp_path):
    given = ListLabels(
        paths=["1.jpg", "2.jpg", "3.jpg"], labels=[1] * 3, parts=["train", "valid", None]
    )
    rows = given.label(tmp_path).rows
    assert rows["part"][:2].tolist() == ["train", "valid"]
    assert rows["part"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("options", "where", "words"),
    [
        ({"paths": ["a", "b"], "labels": ["x"]}, "labels", "found 1 values, expected 2"),
        ({"paths": ["a"], "labels": ["x"], "parts": []}, "parts", "found 0 values, expected 1"),
        ({"paths": ["a", "a"], "labels": ["x", "y"]}, "paths", "found a more than once"),
        ({"paths": [], "labels": []}, "paths", "empty list"),
        ({"paths": ["a"], "labels": ["x"], "parts": ["test"]}, "parts[0]", "'train'"),
    ],
)
def test_options_are_checked_before_use(options, where, words):
    with pytest.raises(ValidationError) as caught:
        ListLabels(**options)
    (mistake,) = explain(caught.value, ListLabels)
    assert mistake.place == where
    assert words in mistake.text


def test_mistakes(tmp_path):
    with pytest.raises(LabelError, match="not below the source's folder"):
        ListLabels(paths=["/elsewhere/1.jpg"], labels=["x"]).label(tmp_path)
    with pytest.raises(LabelError, match="not below the source's folder"):
        ListLabels(paths=["../1.jpg"], labels=["x"]).label(tmp_path)
    with pytest.raises(LabelError, match=r"more than once.*Found: 1.jpg"):
        ListLabels(paths=["1.jpg", "./1.jpg"], labels=["x", "y"]).label(tmp_path)
    with pytest.raises(LabelError, match="several kinds"):
        ListLabels(paths=["1.jpg", "2.jpg"], labels=["x", ["y"]]).label(tmp_path)
