"""What was done by hand, fit after fit, and the recipe that repeats it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from kitbox import recipe as recipes
from kitbox.errors import counted, some
from kitbox.recipe import Recipe, Stage
from kitbox.training.stages import CALMER

NOT_OF_A_FIT = {
    *("name", "stages", "size", "largest", "keep", "tta", "submission"),
    *("checkpoint_every", "copy_to", "time_budget", "processes"),
}
"""Keys of a recipe that the weights of a fit do not depend on, or that the fit says itself."""
NOT_IN_THE_KEY = ("cut", "calmed", "origin")
"""Of a fit: how far it came and what happened on the way, and the name of a folder."""


@dataclass(frozen=True)
class Fit:
    """A fit: a stage of the recipe that repeats it.

    Attributes:
        stage: its values, plain; `size` is always there, as [height, width].
        settings: what else of a recipe its weights depend on, plain values.
        data: a digest of the rows and files that it saw.
        decoded: the [height, width] that its pictures were decoded for.
        before: what the fit before has left (see `left`), "" where there is none.
        foreign: what changed the weights before it, beside fits; "" where nothing did.
        cut: where it was cut short; "" where it was not.
        calmed: its rate was lowered on the way, after a loss that was not finite.
        origin: the run that it was a stage of; "" where it was made by hand.
        weights: a hash of the weights that were taken up from that run.
    """

    stage: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: str
    decoded: Sequence[int]
    before: str = ""
    foreign: str = ""
    cut: str = ""
    calmed: bool = False
    origin: str = ""
    weights: str = ""

    @cached_property
    def key(self) -> str:
        """A hash of all that its weights depend on, and of all fits before it."""
        told = {name: value for name, value in asdict(self).items() if name not in NOT_IN_THE_KEY}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def left(self) -> str:
        """What the next fit begins with: this fit's key, and where it was cut short."""
        return f"{self.key}, {self.cut}" if self.cut else self.key

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
        if fit.calmed:
            found.append(
                f"fit {number} went on with {CALMER:g} of its learning rate after a loss that was "
                "not finite: a run goes back to its own checkpoint then, and lowers the rates of "
                "later stages too"
            )
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


def in_words(fit: Fit) -> str:
    """A fit on a line."""
    stage = fit.stage
    height, width = stage["size"]
    frozen = {True: "head alone", False: "all layers"}.get(
        stage["freeze"], f"freeze {stage['freeze']}"
    )
    rate = "default rate" if stage["lr"] is None else f"lr {stage['lr']}"
    if fit.calmed:
        rate += f", lowered to {CALMER:g} of it after a loss that was not finite"
    cut = f", cut short at {fit.cut}" if fit.cut else ""
    epochs = counted(stage["epochs"], "epoch")
    return f"{epochs}, {frozen}, {rate}, {height}x{width} pixels{cut}"
