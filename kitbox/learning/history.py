"""What was done by hand, fit after fit, and the recipe that repeats it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from kitbox import recipe as recipes
from kitbox.errors import some
from kitbox.recipe import Recipe, Stage

NOT_OF_A_FIT = {
    *("name", "stages", "size", "largest", "keep", "tta", "submission"),
    *("checkpoint_every", "copy_to", "time_budget", "processes"),
}
"""Keys of a recipe that the weights of a fit do not depend on, or that the fit says itself."""


@dataclass(frozen=True)
class Fit:
    """A fit: a stage of the recipe that repeats it.

    Attributes:
        stage: its values, plain; `size` is always there, as [height, width].
        settings: what else of a recipe its weights depend on, plain values.
        data: a digest of the rows and files that it saw.
        decoded: the [height, width] that its pictures were decoded for.
        before: the key of the fit before, "" where there is none.
        foreign: what changed the weights before it, beside fits; "" where nothing did.
        cut: where it was cut short; "" where it was not.
        origin: the run that it was a stage of; "" where it was made by hand.
    """

    stage: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: str
    decoded: Sequence[int]
    before: str = ""
    foreign: str = ""
    cut: str = ""
    origin: str = ""

    @cached_property
    def key(self) -> str:
        """A hash of all that its weights depend on, and of all fits before it."""
        told = {name: value for name, value in asdict(self).items() if name != "cut"}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def made(self) -> Stage:
        """The stage."""
        return recipes.make_stage(self.stage)


def settings(recipe: Recipe) -> dict[str, Any]:
    """What of a recipe the weights of a fit depend on, plain values."""
    values = recipe.model_dump(mode="json")
    return {name: value for name, value in values.items() if name not in NOT_OF_A_FIT}


def stage_values(stage: Stage, size: tuple[int, int]) -> dict[str, Any]:
    """A stage as plain values, at a size of (H, W)."""
    return {**stage.model_dump(mode="json"), "size": list(size)}


def compose(recipe: Recipe, fits: Sequence[Fit], name: str) -> Recipe:
    """The recipe whose stages are the fits; its size is that of the first one.

    Args:
        recipe: has everything else.
    """
    first, stages = fits[0].stage["size"], []
    for fit in fits:
        size = fit.stage["size"]
        values = {**fit.stage, "size": None if size == first else _short(size)}
        stages.append(recipes.make_stage(values))
    values = {"name": name, "stages": tuple(stages), "size": _short(first), "keep": "last"}
    values["largest"] = None
    whole = recipe.model_copy(update=values)
    decoded = fits[-1].decoded
    if max(decoded) > max(whole.decode_hw):
        whole = whole.model_copy(update={"largest": (decoded[0], decoded[1])})
    return recipes.make({key: getattr(whole, key) for key in Recipe.model_fields})


def _short(size: Sequence[int]) -> int | tuple[int, int]:
    """A size (height, width) as a person writes it: a square's is one side."""
    height, width = size
    return height if height == width else (height, width)


def untold(fits: Sequence[Fit]) -> list[str]:
    """What was done that no recipe can repeat, a sentence each."""
    found = []
    if taken := [fit.origin for fit in fits if fit.origin]:
        found.append(f"the weights of {taken[0]} were taken up, without its random state")
    for number, fit in enumerate(fits, 1):
        if fit.foreign:
            found.append(f"before fit {number} {fit.foreign}")
        if fit.cut:
            found.append(f"fit {number} was cut short at {fit.cut}")
        if number == 1:
            continue
        first = fits[0]
        other = [key for key in first.settings if fit.settings.get(key) != first.settings[key]]
        if other:
            changed = some(f"`{key}`" for key in other)
            found.append(f"fit {number} was made with another {changed} than fit 1")
        elif fit.data != first.data:
            found.append(f"fit {number} saw other pictures, labels or parts than fit 1")
        if max(fit.decoded) != max(first.decoded):
            found.append(
                f"fit {number} saw pictures decoded for {max(fit.decoded)} pixels, fit 1 for "
                f"{max(first.decoded)}: a run decodes them once (name `largest` in kitbox.load)"
            )
    return found
