"""The base of every plugin."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field, ValidationError

from kitbox import mistakes, options
from kitbox.options import Options


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
