"""Mistakes in words, one for each thing that a person did wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

from kitbox.mistakes import Mistake, Mistakes, explain
from kitbox.options import Options

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=8, le=8192)]


class Part(Options):
    epochs: Annotated[int, Field(ge=1)]
    lr: Literal["find"] | Rate | tuple[Rate, Rate] | None = None


class Whole(Options):
    size: Side | tuple[Side, Side] = 224
    parts: Annotated[tuple[Part, ...], Field(min_length=1)] = (Part(epochs=1),)
    keep: Literal["best", "last"] = "best"
    weights: Literal["balanced"] | dict[str, Annotated[float, Field(ge=0)]] | None = None
    columns: dict[str, str] = {}  # noqa: RUF012  pydantic copies it
    metrics: tuple[str | dict[str, Any], ...] = ()
    label: str | Annotated[list[str], Field(min_length=1)] | None = None
    name: Annotated[str, Field(pattern="^[a-z]+$", max_length=9)] = "run"
    path: Path | None = None
    share: Annotated[float, Field(ge=0, lt=1)] = 0
    on: bool = True
    pair: tuple[int, int] = (0, 1)
    odd: Annotated[Part | None, Field(description="a part")] = None

    @model_validator(mode="after")
    def _check(self) -> Whole:
        if self.size == 13:
            raise ValueError("found size 13, expected a lucky one")
        if self.size == 14:
            raise Mistakes([Mistake(("odd", "lr"), "not with 14"), Mistake((), "no 14")])
        return self


def said(**given: Any) -> list[str]:
    """The mistakes of a `Whole`, as `place: text`."""
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(given)
    return [f"{m.place}: {m.text}" for m in explain(caught.value, Whole, given)]


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        # Of a union one mistake, in the words of the member that was meant.
        ({"size": "big"}, "size: found 'big', expected whole number (8 to 8192) | [whole number (8 to 8192), whole number (8 to 8192)]"),  # noqa: E501
        ({"size": 4}, "size: found 4, expected at least 8"),
        ({"size": [224, "x"]}, "size[1]: found 'x', expected a whole number"),
        ({"size": [224, 9000]}, "size[1]: found 9000, expected at most 8192"),
        ({"size": [1, 2, 3]}, "size: found [1, 2, 3], expected at most 2 items"),
        ({"size": [224]}, "size: found [224], expected 2 items"),
        ({"size": []}, "size: found [], expected 2 items"),
        ({"pair": []}, "pair: found [], expected 2 items"),
        ({"parts": [{"epochs": 1, "lr": -1}]}, "parts[0].lr: found -1, expected more than 0"),
        ({"parts": [{"epochs": 1, "lr": [1, "a"]}]}, "parts[0].lr[1]: found 'a', expected a number"),  # noqa: E501
        ({"parts": [{"epochs": 1, "lr": "fnd"}]}, "parts[0].lr: found 'fnd', expected \"find\" | number (> 0) | [number (> 0), number (> 0)]. Did you mean 'find'?"),  # noqa: E501
        ({"weights": "balancd"}, "weights: found 'balancd', expected \"balanced\" | {name: number (≥ 0), ...}. Did you mean 'balanced'?"),  # noqa: E501
        ({"weights": {"cat": 1, "dog": "x"}}, "weights.dog: found 'x', expected a number"),
        ({"weights": {"cat": -1}}, "weights.cat: found -1, expected at least 0"),
        ({"metrics": ["a", 3]}, "metrics[1]: found 3, expected text | mapping"),
        ({"label": []}, "label: found [], expected at least 1 item"),
        ({"label": [1]}, "label[0]: found 1, expected text (write it in quotes)"),
        # Kinds.
        ({"keep": "bst"}, "keep: found 'bst', expected 'best' or 'last'. Did you mean 'best'?"),
        ({"keep": 3}, "keep: found 3, expected 'best' or 'last'"),
        ({"name": 7}, "name: found 7, expected text (write it in quotes)"),
        ({"name": False}, "name: found false, expected text (write it in quotes)"),
        ({"name": ["a"]}, "name: found ['a'], expected text"),
        ({"name": None}, "name: found nothing, expected text"),
        ({"name": "A"}, "name: found 'A', expected text that matches ^[a-z]+$"),
        ({"name": "aaaaaaaaaa"}, "name: found 'aaaaaaaaaa', expected at most 9 characters"),
        ({"path": 3}, "path: found 3, expected a path"),
        ({"share": "x"}, "share: found 'x', expected a number"),
        ({"share": 1}, "share: found 1, expected less than 1"),
        ({"on": "maybe"}, "on: found 'maybe', expected true or false"),
        ({"parts": 3}, "parts: found 3, expected a list"),
        ({"parts": []}, "parts: found [], expected at least 1 item"),
        ({"parts": [3]}, "parts[0]: found 3, expected a mapping"),
        ({"parts": [{"epochs": 1.5}]}, "parts[0].epochs: found 1.5, expected a whole number"),
        ({"columns": {"a": 1}}, "columns.a: found 1, expected text (write it in quotes)"),
        ({"odd": {"epochs": 0}}, "odd.epochs: found 0, expected at least 1"),
        ({"name": "x" * 99}, f"name: found '{'x' * 56}..., expected at most 9 characters"),
        # Keys.
        ({"siz": 1}, "siz: unknown option. Did you mean 'size'?"),
        ({"parts": [{"epochs": 1, "epoch": 1}]}, "parts[0].epoch: unknown option. Did you mean 'epochs'?"),  # noqa: E501
        ({"parts": [{}]}, "parts[0].epochs: missing: this one must be given"),
        # What a validator says.
        ({"size": 13}, "the recipe: found size 13, expected a lucky one"),
    ],
)  # fmt: skip
def test_one_mistake_one_line(given: dict[str, Any], mistake: str) -> None:
    assert said(**given) == [mistake]


def test_several_at_once_keep_their_order() -> None:
    assert said(size="a", parts=[{"epochs": 0}, {"lr": "x"}], keep=1, zzz=1) == [
        "size: found 'a', expected whole number (8 to 8192) | "
        "[whole number (8 to 8192), whole number (8 to 8192)]",
        "parts[0].epochs: found 0, expected at least 1",
        "parts[1].epochs: missing: this one must be given",
        "parts[1].lr: found 'x', expected \"find\" | number (> 0) | [number (> 0), number (> 0)]",
        "keep: found 1, expected 'best' or 'last'",
        "zzz: unknown option. Known: columns, keep, label, metrics, name, odd, on, pair, parts, "
        "path, share, size, weights.",
    ]


def test_mistakes_of_a_validator_keep_their_places() -> None:
    assert said(size=14) == ["odd.lr: not with 14", "the recipe: no 14"]


def test_keys_that_are_no_text() -> None:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate({1: 2, "odd": {True: 1, "epochs": 1}})
    texts = [f"{m.place}: {m.text}" for m in explain(caught.value, Whole)]
    assert texts == [
        "odd: found 1 as a key, expected text",
        "the recipe: found 1 as a key, expected text",
    ]


def test_pydantic_s_names_of_members_never_show() -> None:
    for given in ({"size": "big"}, {"size": ["a", "b"]}, {"weights": 3}, {"label": {}}):
        (line, *more) = said(**given)
        for word in ("constrained", "tuple", "literal", "function", "int]", "str]", "valid "):
            assert not any(word in text for text in (line, *more)), (given, line)


def test_a_type_without_a_schema_still_gets_words() -> None:
    class Odd(BaseModel):
        value: int | list[int]
        other: range = range(3)

        model_config = {"arbitrary_types_allowed": True}

    with pytest.raises(ValidationError) as caught:
        Odd.model_validate({"value": "x"})
    (mistake,) = explain(caught.value, Odd, {"value": "x"})
    assert mistake.text == "found 'x', expected a whole number | a list"


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ((), "the recipe"),
        (("a",), "a"),
        (("a", 1, "b"), "a[1].b"),
        (("a", 1, 2), "a[1][2]"),
        ((0,), "[0]"),
    ],
)
def test_places(where: tuple[str | int, ...], place: str) -> None:
    assert Mistake(where, "").place == place
    assert Mistake(where, "t").below("x", 0) == Mistake(("x", 0, *where), "t")


def test_mistakes_as_one_text() -> None:
    error = Mistakes(iter([Mistake(("a",), "b"), Mistake((), "c")]))
    assert str(error) == "a: b; c"
    assert len(error.mistakes) == 2
