"""Types in a few words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter

from kitbox.options import Options
from kitbox.wording import expected


class Part(Options):
    epochs: int


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, "whole number"),
        (Annotated[float, Field(gt=0, le=1)], "number (> 0, ≤ 1)"),
        (Annotated[float, Field(ge=0, le=1)], "number (0 to 1)"),
        (str | None, "text"),
        (bool, "true | false"),
        (Path, "path"),
        (Literal[1, "a"], '1 | "a"'),
        (Literal["a"], '"a"'),
        (list[str], "[text, ...]"),
        (tuple[int, str], "[whole number, text]"),
        (dict[str, int], "{name: whole number, ...}"),
        (dict[str, Any], "mapping"),
        (Part, "mapping"),
        (Part | int, "mapping | whole number"),
        (Any, "anything"),
        (list[Any], "[anything, ...]"),
    ],
)
def test_expected(kind: Any, text: str) -> None:
    assert expected(TypeAdapter(kind).json_schema()) == text


def test_expected_can_mention_nothing() -> None:
    assert expected(TypeAdapter(int | None).json_schema(), null=True) == "whole number | null"
