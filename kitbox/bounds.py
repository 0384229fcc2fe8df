"""Bounds: the least and the greatest of numbers, as an option has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

if TYPE_CHECKING:
    import numpy as np


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    if math.isnan(low) or math.isnan(high) or low > high:
        raise ValueError(
            f"found [{low:g}, {high:g}], expected the lower bound, then the upper bound"
        )
    return bounds


Bounds = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""The least and the greatest value, both kept; `.inf` leaves a side open."""


def clipped(values: np.ndarray, bounds: tuple[float, float] | None) -> np.ndarray:
    """The values, those beyond the bounds brought to them."""
    return values if bounds is None else values.clip(*bounds)
