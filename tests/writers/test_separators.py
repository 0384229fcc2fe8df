"""What stands between the labels of a sample."""

from __future__ import annotations

import pytest

from kitbox.writers.separators import find, words

NAMES = ("a", "b", "Sugar beet")


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["a b", "a"], " "),
        (["a,b", "a"], ","),
        (["a, b", "b, a"], ", "),
        (["a,b", "a, b"], ","),
        (["a;b"], ";"),
        (["a|b", "", "b"], "|"),
        (["a\tb"], "\t"),
        (["a,zzz"], ","),
        (["Sugar beet,a"], ","),
        (["Sugar beet", "Sugar beet|a"], "|"),
        (["0 1"], " "),
        (["0,1", "17"], ","),
        (["0|1"], "|"),
        (["foo|bar"], "|"),
        (["a"], None),
        (["Sugar beet"], None),
        (["foo bar,too"], None),
        (["", " "], None),
        ([], None),
    ],
)
def test_it_is_read_from_the_sample(cells: list[str], separator: str | None) -> None:
    assert find(cells, NAMES) == separator


def test_labels_that_nobody_learned_make_nothing_sure() -> None:
    assert find(["foo|bar"], NAMES, sure=True) is None
    assert find(["No finding"], NAMES, sure=True) is None
    assert find(["a|zzz"], NAMES, sure=True) == "|"
    assert find(["3|4"], NAMES, sure=True) == "|"


def test_words() -> None:
    assert words(["a, b", "", "b"], ",") == {"a", "b"}
