"""Advice: what was seen, in numbers, and the change of the recipe that may answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kitbox.contracts import Task
    from kitbox.interpretation.interpretation import Interpretation
    from kitbox.interpretation.scene import Scene
    from kitbox.recipe import Recipe

HARD, SUSPECTS, EXCLUDE = "hard.csv", "suspects.csv", "exclude.csv"
"""Files that changes name."""
MOSTLY = 0.8
"""With a class that has more than this share, being no better than to name it may still be
learning."""


@dataclass(frozen=True)
class Advice:
    """Something that may make the model better.

    Attributes:
        about: a few words: overfitting, imbalance, ...
        seen: what was seen, a sentence with numbers.
        why: why the change may help.
        change: values of the recipe by place, as `--set` takes them: `stages.1.epochs`.
        first: what to do before, to make the files which the change names: commands, or
            where there is no run, Python.
        code: the change as lines of Python for a notebook whose learner is called `learn`; None
            where there is a run, whose recipe takes the change.
        recipe: the file of that recipe.
    """

    about: str
    seen: str
    why: str
    change: Mapping[str, Any] = field(default_factory=dict)
    first: Sequence[str] = ()
    code: Sequence[str] | None = None
    recipe: str = "RECIPE"

    def settings(self) -> list[str]:
        """The change as words for `--set`.

        >>> Advice("", "", "", {"sampler": "balanced", "mix": {"mixup": 0.2}}).settings()
        ['sampler=balanced', 'mix={mixup: 0.2}']
        """
        return [f"{place}={_yaml(value)}" for place, value in self.change.items()]

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe with the change.

        Raises:
            RecipeError: when it does not take it.
        """
        from kitbox.recipe import parse

        return parse(recipe.text(), Path(f"{recipe.name}.yaml"), self.settings())

    def lines(self) -> list[str]:
        """The advice as a person reads it, a line each; Python is indented by four."""
        found = [f"{self.about}: {self.seen}", f"  {self.why}"]
        if self.code is not None:
            code = [*self.first, *self.code] if self.code else []
            return [*found, *(["  in Python:"] if code else []), *(f"    {one}" for one in code)]
        found += [f"  first: {command}" for command in self.first]
        if self.change:
            found.append(f"  then: {self.command()}")
        return found

    def command(self) -> str:
        """The run with the change, as a shell takes it.

        >>> Advice("", "", "", {"exclude": "it's.csv"}).command()
        'kitbox run RECIPE --out OTHER --set \'exclude=it\'"\'"\'s.csv\''
        """
        settings = [f"--set {_quoted(one)}" for one in self.settings()]
        return " ".join([f"kitbox run {_quoted(self.recipe)} --out OTHER", *settings])


def collect(seen: Interpretation, *, copies: bool | None = None) -> list[Advice]:
    """All that there is to advise: from the log, the task's own rules, and copies.

    Args:
        copies: look for near-duplicates across the split, among all labelled pictures; None:
            where they were read anyway, and are not so many that it takes minutes.
    """
    from kitbox.interpretation import across, log_rules

    found = log_rules.of(seen.scene)
    found += seen.own_advice() if seen.count else []
    if across.cheap(seen.scene) if copies is None else copies:
        found += across.of(seen.scene)
    return [addressed(one, seen.scene) for one in found]


def addressed(advice: Advice, scene: Scene) -> Advice:
    """Advice that says where its change goes: the run's recipe, or the next cell's Python."""
    from kitbox.interpretation import by_hand

    if scene.run is not None:
        return replace(advice, recipe=str(scene.run / "recipe.yaml"))
    return replace(advice, code=by_hand.code(advice.change, scene.recipe))


def has_option(task: Task, name: str) -> bool:
    """Whether a task has an option of that name."""
    return name in getattr(type(task), "model_fields", {})


def oversampled(scene: Scene) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The change that draws problem cases more often, and what to do before it."""
    if scene.run is None:
        return {"sampler": {"csv": HARD}}, (f"learn.interpret().write_hard({HARD!r})",)
    where = scene.run / "interpretation" / HARD
    command = f"kitbox interpret {_quoted(str(scene.run))} --hard {_quoted(str(where))}"
    return {"sampler": {"csv": str(where)}}, (command,)


def suspected(scene: Scene, *, trained: bool) -> tuple[str, ...]:
    """What makes the file of pictures whose label looks wrong.

    Args:
        trained: of training pictures.
    """
    if scene.run is None:
        part = "'train'" if trained else ""
        return (f"learn.interpret({part}).write_suspects({SUSPECTS!r})",)
    return (f"kitbox interpret {_quoted(str(scene.run))}{' --part train' if trained else ''}",)


def copied(scene: Scene) -> tuple[str, ...]:
    """What makes the file of copies."""
    if scene.run is None:
        return (f"learn.data.clean({EXCLUDE!r})",)
    return (f"kitbox clean {_quoted(str(scene.run / 'recipe.yaml'))} --out {EXCLUDE}",)


def balanced(scene: Scene, weights: str) -> dict[str, Any]:
    """The change that answers rare classes: a balanced sampler, or weights in the loss; {}: none.

    Args:
        weights: the task's option that weighs classes in the loss.
    """
    recipe = scene.recipe
    if recipe is None or recipe.sampler is None:
        return {"sampler": "balanced"}
    if has_option(scene.task, weights) and not getattr(recipe.task, weights, None):
        return {f"task.{weights}": "balanced"}
    return {}


def unlearned(recipe: Recipe, seen: str, why: str = "") -> Advice:
    """Advice where nothing was learned: the last stage longer, at a rate that the finder chooses.

    Args:
        seen: a sentence with numbers.
        why: what else it may be; goes on right behind the sentence, so with its punctuation.
    """
    last = len(recipe.stages) - 1
    return Advice(
        "nothing learned",
        seen,
        f"more epochs, at a rate that the finder chooses{why}",
        {f"stages.{last}.epochs": 3 * recipe.stages[last].epochs, f"stages.{last}.lr": "find"},
    )


def guessing(recipe: Recipe, right: float, common: float, things: str, look: str) -> Advice | None:
    """Advice where no more is right than if all were called as the most frequent class.

    Args:
        right: the share of things that are right, from 0 to 1.
        common: the share of the most frequent class.
        things: pictures, or pixels.
        look: what to look at in batch.png.
    """
    if right > common + 0.02 or common > MOSTLY:
        return None
    return unlearned(
        recipe,
        f"{right:.1%} of the {things} are right, {common:.1%} would be if all were called as the "
        "most frequent class",
        f"; look at batch.png whether {look}",
    )


def beside(scene: Scene) -> str:
    """What to do with the file of pictures to leave out that a recipe has already, in words."""
    if scene.recipe is None or scene.recipe.exclude is None:
        return ""
    return f"; add what {scene.recipe.exclude} leaves out"


def _yaml(value: Any) -> str:
    """A value as `--set` reads it."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)
