import numpy as np
import pytest

from kitbox.errors import LabelError
from kitbox.labelers.values import checked, told


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([" cat ", "dog"], ["cat", "dog"]),
        ([1, np.int64(2)], [1, 2]),
        ([1, 0.5], [1.0, 0.5]),
        ([np.float32(0.5)], [0.5]),
        ([True, False], ["True", "False"]),
        ([["b", " a", "b"], []], [("b", "a"), ()]),
        ([{"b", "a"}, ("c",)], [("a", "b"), ("c",)]),
    ],
)
def test_plain_values(labels, expected):
    found = checked(labels, [str(n) for n in range(len(labels))])
    assert found == expected
    assert [type(label) for label in found] == [type(label) for label in expected]


@pytest.mark.parametrize("label", ["", "  ", None, float("nan"), b"cat", {"a": 1}, ["a", ""], [1]])
def test_what_is_no_label(label):
    with pytest.raises(LabelError, match=r"label of second\.jpg is of no use.*Found: "):
        checked(["cat", label], ["first.jpg", "second.jpg"])


def test_several_kinds():
    with pytest.raises(LabelError, match=r"several kinds.*'cat' for a, 1 for b"):
        checked(["cat", 1, 2], ["a", "b", "c"])


def test_counts_are_the_same_in_any_order():
    labels = ["b", "a", "c", "c"]
    assert told(labels) == told(labels[::-1])
    assert told(labels) == "4 pictures of 3 classes, from 1 (a) to 2 (c) each."


def test_counts_without_any_label():
    assert told([(), ()]) == "2 pictures without any label."
