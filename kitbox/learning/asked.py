"""What a person asks for in a cell, as a recipe has it."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from typing import Any, Literal

from kitbox import registry
from kitbox.errors import RecipeError
from kitbox.learning.suggestion import Suggestion

Rate = float | tuple[float, float] | slice | Suggestion | Literal["find"] | None


def backbone(given: Any) -> Any:
    """A backbone: a name that is no plugin's is timm's."""
    if not isinstance(given, str):
        return given
    if any(plugin.answers_to(given) for plugin in registry.backbones.plugins()):
        return given
    return {"use": "kitbox:timm", "name": given}


def layer(given: Any) -> int | str:
    """What is frozen: a number of layers, also one of numpy, or a layer's name.

    Raises:
        RecipeError: when it is neither.
    """
    if isinstance(given, str):
        return given
    try:
        if not isinstance(given, bool):
            return operator.index(given)
    except TypeError:
        pass
    raise RecipeError(f"{given!r} is no layer", do="Give a number, or a layer's name")


def rate(lr: Any) -> Any:
    """A rate.

    Raises:
        RecipeError: when a slice is no range.
    """
    if isinstance(lr, Suggestion):
        lr = lr.lr
    if isinstance(lr, slice):
        if lr.step is not None or lr.stop is None:
            raise RecipeError(f"{lr} is no range of rates", do="Write slice(1e-5, 1e-3)")
        lr = (lr.stop / 10 if lr.start is None else lr.start, lr.stop)
    if isinstance(lr, numbers.Real):
        return float(lr)
    if isinstance(lr, Sequence) and not isinstance(lr, str):
        return tuple(float(one) if isinstance(one, numbers.Real) else one for one in lr)
    return lr
