"""The base of every plugin."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, StrictBool, StrictInt, ValidationError

from kitbox import mistakes, options
from kitbox.options import Options, explain


class Mine(Options):
    number: int = 3
    pair: tuple[float, float] = (0.0, 1.0)


def test_frozen() -> None:
    plugin = Mine()
    with pytest.raises(ValidationError, match="frozen"):
        plugin.number = 4  # type: ignore[misc]
    assert plugin == Mine(number=3)
    assert hash(plugin) == hash(Mine())


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="nmber"):
        Mine.model_validate({"nmber": 3})


def test_defaults_are_checked_too() -> None:
    class Bad(Options):
        number: int = Field("three")  # type: ignore[assignment]

    with pytest.raises(ValidationError, match="number"):
        Bad()


def test_types_without_a_schema_are_refused_at_once() -> None:
    with pytest.raises(Exception, match="arbitrary_types_allowed"):

        class Bad(Options):
            thing: slice


@pytest.mark.parametrize("rate", ["1e-4", 1e-4, "0.0001"])
def test_a_number_in_yaml_s_blind_spot(rate: Any) -> None:
    # YAML 1.1 reads 1e-4 as text, because it has no dot.
    assert Mine.model_validate({"pair": [rate, 1]}).pair == (1e-4, 1.0)


def test_the_words_for_mistakes_are_here_too() -> None:
    assert options.Mistakes is mistakes.Mistakes
    assert options.Mistake is mistakes.Mistake
    assert options.explain is mistakes.explain


class Numbers(Options):
    count: Annotated[int, Field(ge=0)] = 0
    share: float | None = None
    size: int | tuple[int, int] = 1
    either: bool | int = 0
    strict: StrictBool | StrictInt | str = False
    views: Literal[False] | Annotated[StrictInt, Field(ge=1)] | None = None
    free: Any = None


@pytest.mark.parametrize("name", ["count", "share", "size"])
@pytest.mark.parametrize("value", [True, False])
def test_a_switch_is_no_number(name: str, value: bool) -> None:
    with pytest.raises(ValidationError) as refused:
        Numbers(**{name: value})
    (mistake,) = explain(refused.value, Numbers, {name: value})
    assert mistake.place == name
    assert f"found {str(value).lower()}, expected a" in mistake.text
    assert "number" in mistake.text


def test_where_a_switch_may_stand_it_stands() -> None:
    given: dict[str, Any] = {"either": True, "strict": True, "views": False, "free": True}
    assert Numbers(**given).model_dump(include=set(given)) == given
    assert Numbers(count=1, share=1, size=(1, 2)).share == 1
