"""Durations as people write them: 90s, 10min, 8.5h."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h)")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}


def seconds(text: str) -> float:
    """A duration in seconds.

    >>> seconds("90s"), seconds("10min"), seconds("8.5h")
    (90.0, 600.0, 30600.0)

    Raises:
        ValueError: when it is none, or nothing.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise ValueError(f"found {text!r}, expected a duration such as 90s, 10min or 8.5h")
    return float(found[1]) * _SECONDS[found[2]]


def _checked(text: str) -> str:
    seconds(text)
    return text


Duration = Annotated[
    str, AfterValidator(_checked), Field(description="a duration such as 90s, 10min or 8.5h")
]
"""An option that holds a duration, kept as it was written."""
