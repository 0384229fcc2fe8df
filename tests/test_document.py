"""YAML text before it is a recipe."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kitbox.document import change, doubled, dump, flat, line, not_yaml
from kitbox.errors import RecipeError

TEXT = """\
# a comment
source: {use: digits}
stages:
  - epochs: 1

  - {epochs: 2,
     lr: 3}
name: x
"""


@pytest.mark.parametrize(
    ("where", "number"),
    [
        ((), None),
        (("source",), 2),
        (("source", "use"), 2),
        (("source", "url"), 2),  # not there: where it would be
        (("stages",), 3),
        (("stages", 0), 4),
        (("stages", 0, "epochs"), 4),
        (("stages", 1, "epochs"), 6),
        (("stages", 1, "lr"), 7),
        (("stages", 2, "lr"), 3),
        (("name", "deeper"), 8),
        (("seed",), None),
    ],
)
def test_lines(where: tuple[str | int, ...], number: int | None) -> None:
    assert line(yaml.compose(TEXT, Loader=yaml.SafeLoader), where) == number


def test_lines_of_nothing() -> None:
    assert line(None, ("a",)) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\nb: 2", []),
        ("a: 1\nb: 2\na: 3", ["line 3, a: already given on line 1"]),
        ("s:\n  - {x: 1}\n  - x: 1\n    x: 2", ["line 4, s[1].x: already given on line 3"]),
        ("'a': 1\na: 1", ["line 2, a: already given on line 1"]),
        ("a: &x {b: 1, b: 2}\nc: *x", ["line 1, a.b: already given on line 1"]),
        ("", []),
        ("? [1, 2]\n: 3", []),
    ],
)  # fmt: skip
def test_doubled_keys(text: str, found: list[str]) -> None:
    assert doubled(yaml.compose(text, Loader=yaml.SafeLoader)) == found


def test_many_aliases_cost_no_time() -> None:
    # "Billion laughs": two times two times two, 60 levels.
    text = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60)
    )
    assert doubled(yaml.compose(text, Loader=yaml.SafeLoader)) == []


def test_a_value_that_holds_itself() -> None:
    with pytest.raises(RecursionError):
        doubled(yaml.compose("a: &x {b: *x}", Loader=yaml.SafeLoader))
    assert not_yaml(RecursionError()) == "it is nested too deeply"


def changed(values: dict[str, Any], text: str) -> dict[str, Any]:
    change(values, text, {"stages": [{"epochs": 4}, {"epochs": 2}], "backbone": "timm"}.get)
    return values


@pytest.mark.parametrize(
    ("values", "text", "result"),
    [
        ({}, "seed=1", {"seed": 1}),
        ({"seed": 2}, "seed=1", {"seed": 1}),
        ({}, " seed = 1", {"seed": 1}),
        ({}, "name=a=b", {"name": "a=b"}),
        ({"seed": 2}, "seed=", {"seed": None}),
        ({}, "size=[1, 2]", {"size": [1, 2]}),
        ({}, "task={use: x}", {"task": {"use": "x"}}),
        ({"s": [{"e": 1}, {"e": 2}]}, "s.1.e=3", {"s": [{"e": 1}, {"e": 3}]}),
        ({"s": [1, 2]}, "s.0=3", {"s": [3, 2]}),
        ({"backbone": "other"}, "backbone.name=x", {"backbone": {"use": "other", "name": "x"}}),
        ({"backbone": {"use": "o"}}, "backbone.name=x", {"backbone": {"use": "o", "name": "x"}}),
        ({}, "backbone.name=x", {"backbone": {"use": "timm", "name": "x"}}),
        ({}, "stages.1.epochs=9", {"stages": [{"epochs": 4}, {"epochs": 9}]}),
        ({"submission": None}, "submission.sample=a.csv", {"submission": {"sample": "a.csv"}}),
        ({"a": {}}, "a.b.c=1", {"a": {"b": {"c": 1}}}),
    ],
)
def test_changes(values: dict[str, Any], text: str, result: dict[str, Any]) -> None:
    assert changed(values, text) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed", "'seed' is no change of a recipe. Write it as key=value"),
        ("=1", "is no change"),
        ("a..b=1", "is no change"),
        ("", "is no change"),
        ("s.2.e=1", "s is a list, numbered 0 to 1; there is no '2'"),
        ("s.x=1", "there is no 'x'"),
        ("s.-1=1", "there is no '-1'"),
        ("s.²=1", "there is no '²'"),
        ("empty.0=1", "empty is a list, and empty"),
        ("n.x=1", "n is 3 and has nothing below it"),
        ("s.0.e.x=1", "s.0.e is 1 and has nothing below it"),
        ("s.0.t.x=1", "s.0.t is 'text' and has nothing below it"),
        ("n=[1", "The value of 'n=\\[1' is not YAML"),
        (
            "n=2020-13-45",
            r"is not YAML. Quote it: --set 'n=\"2020-13-45\"'.\n  - month must be in 1..12",
        ),
    ],
)
def test_changes_that_cannot_be(text: str, message: str) -> None:
    values = {"s": [{"e": 1, "t": "text"}, {"e": 2}], "n": 3, "empty": []}
    with pytest.raises(RecipeError, match=message):
        changed(values, text)


@pytest.mark.parametrize(
    "text",
    ["", " a ", "a\nb\n", "yes", "1e-4", "null", "0x1",
     "é ✓", "\x85", "a\u2028b", "\ufeff", "\t", "'\"",
     "a: b # c", "\x07", "=", "2020-01-01", "1:30", "\r\n", "🐶", "x" * 300, "a " * 100],
)  # fmt: skip
def test_what_is_dumped_is_read_back(text: str) -> None:
    for values in ({"a": text}, {"a": {"b": [text, 1]}}, {"a": {text: None}}):
        assert yaml.safe_load(dump(values)) == values


def test_dumped_text_is_for_people() -> None:
    values = {"b": 1, "a": {"use": "é", "rate": 1e-6}, "c": [{"x": True}, {"x": None}]}
    assert dump(values) == "b: 1\na: {use: é, rate: 1.0e-06}\nc:\n- {x: true}\n- {x: null}\n"


def test_flat() -> None:
    text = "a: 1\nb: {c: x, d: [1, {e: null}], f: []}\n"
    assert flat(text) == {
        "a": "1",
        "b.c": "x",
        "b.d.0": "1",
        "b.d.1.e": "nothing",
        "b.f": "[]",
    }
    with pytest.raises(ValueError, match="flow node"):
        flat("a: [")
