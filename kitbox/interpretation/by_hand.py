"""A change of the recipe as lines of Python, for a network that was trained by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kitbox import recipe as recipes
from kitbox import registry

if TYPE_CHECKING:
    from kitbox.recipe import Recipe, Stage

AT = ("size", "batch_size", "augmentation", "sampler", "mix")
"""What `Data.at` takes; all else of the data is for `kitbox.load`."""
PLUGINS: Mapping[str, registry.Registry[Any]] = {
    "task": registry.tasks,
    "augmentation": registry.augmentations,
}
"""Whose options a change may name: `task.smoothing`."""


def code(change: Mapping[str, Any], recipe: Recipe | None) -> list[str]:
    """Lines that train a new `learn` as the old one was, with the change.

    They want `kitbox`, and the learner that was trained, as `learn`.

    Args:
        change: values of the recipe by place, as of an advice.
        recipe: what was done by hand, a stage a fit; None where nothing was.

    Returns:
        No line where nothing was trained, or nothing is to be changed.
    """
    if recipe is None or not change:
        return []
    of_data, of_learner, stages = _sorted(change, recipe)
    sizes = [recipes.as_hw(stage.size or of_data.get("size") or recipe.size) for stage in stages]
    of_data["size"] = _side(sizes[0])
    largest = max(sizes, key=max)
    if max(largest) > max(recipe.decode_hw):  # decoded once, as a run does it
        of_data["largest"] = _side(largest)
    call = "learn.data.at(" if set(of_data) <= set(AT) else "kitbox.load(learn.data.recipe, "
    arguments = [f"{name}={value!r}" for name, value in of_data.items()]
    learner = ["data", repr(_backbone(recipe))]
    learner += [f"{name}={value!r}" for name, value in of_learner.items()]
    return [
        f"data = {call}{', '.join(arguments)})",
        f"learn = kitbox.Learner({', '.join(learner)})",
        *_fits(stages, sizes),
    ]


def _sorted(
    change: Mapping[str, Any], recipe: Recipe
) -> tuple[dict[str, Any], dict[str, Any], list[Stage]]:
    """A change as what data takes, what a learner takes, and the stages."""
    of_data: dict[str, Any] = {}
    of_learner: dict[str, Any] = {}
    stages = [stage.model_dump(mode="json") for stage in recipe.stages]
    if recipe.weight_decay != type(recipe).model_fields["weight_decay"].default:
        of_learner["weight_decay"] = recipe.weight_decay
    for place, value in change.items():
        top, _, inner = place.partition(".")
        if top == "stages":
            number, _, name = inner.partition(".")
            stages[int(number)][name] = value
        elif inner and top in PLUGINS:
            plugin = getattr(recipe, top)
            of_data.setdefault(top, _described(PLUGINS[top], plugin))[inner] = value
        elif place == "weight_decay":
            of_learner[place] = value
        else:
            of_data[place] = value
    return of_data, of_learner, [recipes.make_stage(stage) for stage in stages]


def _described(kinds: registry.Registry[Any], plugin: Any) -> dict[str, Any]:
    """A plugin as a mapping, without options that are as they are by default."""
    return {
        "use": kinds.name_of(type(plugin)),
        **plugin.model_dump(mode="json", exclude_defaults=True),
    }


def _backbone(recipe: Recipe) -> str | dict[str, Any]:
    """The backbone as `kitbox.Learner` takes it: of timm's without options the name."""
    told = _described(registry.backbones, recipe.backbone)
    name = told.get("name", getattr(recipe.backbone, "name", None))
    plain = told["use"] == "timm" and not set(told) - {"use", "name"}
    return str(name) if plain and name else told


def _fits(stages: Sequence[Stage], sizes: Sequence[tuple[int, int]]) -> list[str]:
    """The calls of a new learner that do what the stages do."""
    lines: list[str] = []
    frozen: Any = True
    for number, stage in enumerate(stages):
        if number and sizes[number] != sizes[number - 1]:
            lines.append(f"learn.data = data.at(size={_side(sizes[number])!r})")
        if repr(stage.freeze) != repr(frozen):  # 1 is a layer, and True is all
            frozen = stage.freeze
            call = {"True": "freeze()", "False": "unfreeze()"}.get(repr(frozen))
            lines.append(f"learn.{call or f'freeze_to({frozen!r})'}")
        given = [str(stage.epochs)]
        given += [f"lr={_rate(stage.lr)}"] if stage.lr is not None else []
        given += [f"features={stage.features}"] if stage.features is not None else []
        given += [f"hold_norm={stage.hold_norm}"] if stage.hold_norm is not None else []
        call = "fit" if stage.schedule == "constant" else "fit_one_cycle"
        lines.append(f"learn.{call}({', '.join(given)})")
    return lines


def _rate(lr: Any) -> str:
    """A rate as a person writes it."""
    if isinstance(lr, str):
        return repr(lr)
    if isinstance(lr, Sequence):
        return f"({', '.join(f'{float(one):.3g}' for one in lr)})"
    return f"{float(lr):.3g}"


def _side(size: tuple[int, int]) -> int | tuple[int, int]:
    height, width = size
    return height if height == width else (height, width)
