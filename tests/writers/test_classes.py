import pytest

from kitbox.errors import SubmissionError
from kitbox.writers.classes import Choice, asked, chosen


@pytest.mark.parametrize(
    ("wanted", "choice", "names", "found"),
    [
        (["a", "b"], None, ["b", "void", "a"], {"a": "a", "b": "b"}),
        (["Sign Symbol"], None, ["sign_symbol"], {"Sign Symbol": "sign_symbol"}),
        (["2", "1"], None, ["1", "2"], {"2": "2", "1": "1"}),
        (["1", "2"], None, ["x", "y"], {"1": "x", "2": "y"}),
        (["0", "1"], None, ["x", "y", "void"], {"0": "x", "1": "y"}),
        (["2", "1"], None, ["x", "y"], {"1": "x", "2": "y"}),
        (["1", "2"], ["y", "z"], ["x", "y", "z"], {"1": "y", "2": "z"}),
        (["1", "2"], {"1": "z", "2": "x"}, ["x", "y", "z"], {"1": "z", "2": "x"}),
        ([], None, ["x"], {}),
    ],
)
def test_which_class_is_meant(
    wanted: list[str], choice: Choice, names: list[str], found: dict[str, str]
) -> None:
    assert asked(wanted, choice, names) == found


@pytest.mark.parametrize(
    ("wanted", "choice", "names", "said"),
    [
        (["a", "c"], None, ["a", "b"], r"not predicted: c\..*`classes: {c: a}`"),
        (["sky"], None, ["SKY", "Sky"], "not predicted: sky"),
        (["1", "2"], None, ["x", "y", "z"], "cannot be told which classes"),
        (["-1"], None, ["x"], "cannot be told"),
        (["1", "2"], {"1": "x"}, ["x", "y"], "not predicted: 2"),
        (["a"], ["b"], ["a", "b"], "not predicted: a"),
        (["a"], ["aa"], ["a", "b"], r"do not exist: aa.*Did you mean 'a'|do not exist: aa"),
    ],
)
def test_what_cannot_be_told(
    wanted: list[str], choice: Choice, names: list[str], said: str
) -> None:
    with pytest.raises(SubmissionError, match=said):
        asked(wanted, choice, names)


def test_chosen() -> None:
    assert chosen(None, ["x", "y"]) == {"x": "x", "y": "y"}
    assert chosen(["y"], ["x", "y"]) == {"y": "y"}
    assert chosen({"1": "y"}, ["x", "y"]) == {"1": "y"}
