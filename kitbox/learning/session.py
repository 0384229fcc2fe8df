"""A session: a network, its trainer, and its fits one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox import environment as environments
from kitbox import recipe as recipes
from kitbox import registry, runner
from kitbox.allocator import keep_freed
from kitbox.contracts import Task
from kitbox.errors import RecipeError, TrainingError, WeightsError, counted
from kitbox.learning import history, shelf
from kitbox.learning.data import Data, given_values
from kitbox.learning.history import Fit
from kitbox.learning.randomness import Randomness
from kitbox.learning.recorder import Recorder
from kitbox.learning.shelf import FitKeeper, MemoryKeeper, Shelf
from kitbox.learning.suggestion import Suggestion
from kitbox.models.model import Model, shape_of_outputs
from kitbox.models.state import fingerprint
from kitbox.progress import Progress
from kitbox.recipe import Recipe, Stage, as_hw
from kitbox.stopping import Interrupted, Stop, Stopped
from kitbox.training import checkpoints, features
from kitbox.training.checkpoints import Checkpoint

if TYPE_CHECKING:
    from kitbox.training.trainer import Trainer


class Session:
    """What a learner does, behind its face.

    Args:
        data: what it trains on first.
        asked: values of a recipe besides the data's: the backbone, and what else was said.
        folder: keeps the fits; None keeps them in memory only.
        progress: where to say what happens.

    Attributes:
        model: the network.
        trainer: trains it on the data.
        frozen: what the next fit does not train; see `Stage.freeze`.
        fits: the history.
        run: the recipe of the run that was taken up, or None.
        recorder: told of every step.
    """

    def __init__(
        self, data: Data, asked: Mapping[str, Any], folder: Path | None, progress: Progress
    ) -> None:
        self.progress, self._asked = progress, dict(asked)
        recipe = self.recipe_for(data)
        self._environment = environments.detect()
        if self._environment.device == "cpu":
            keep_freed()
        progress.say(f"{self._environment.device_name}: {self._environment.reason}")
        self.random, self.built = Randomness(recipe.seed), data.largest
        with self.random.entered():
            body = recipe.backbone.build(self.built, maps=recipe.task.maps())
            self.model = Model(body, data.task.head(body))
        progress.say(f"weights: {body.weights}")
        runner.rehearse(recipe, data.task, self.model, data.rows, data.sample, data.files, progress)
        self.shelf = Shelf(folder, progress.warn)
        self.fits: list[Fit] = []
        self.used: set[str] = set()
        self.run: Recipe | None = None
        self._memory: MemoryKeeper | None = None  # of a fit that was cut short
        self._tuned: tuple[tuple[str, Data], Task, dict[str, float]] | None = None
        self.recorder = Recorder(lambda: self.trainer.log)
        self.data, self.trainer = data, self._make_trainer(data)
        self.freeze(True)
        self.known = self.hashed()

    @property
    def next(self) -> int:
        """The number of the next fit."""
        return len(self.fits) + 1

    def hashed(self) -> str:
        """A hash of the weights."""
        return fingerprint(self.model.state_dict())

    def recipe_for(self, data: Data) -> Recipe:
        """The recipe of the data, with this network; its stages mean nothing."""
        return recipes.make({**given_values(data.recipe), **self._asked, "processes": 1})

    def _make_trainer(self, data: Data) -> Trainer:
        channels = self.model.body.channels
        decoded = data.decoded(channels, self.progress)
        trainer = runner.make_trainer(
            self.recipe_for(data),
            data.task,
            self.model,
            data.files,
            data.rows_of(channels),
            decoded,
            self._environment,
            self.progress,
        )
        trainer.budget, trainer.watch = None, self.recorder.watch
        return trainer

    def use(self, other: Data) -> None:
        """Train on other data from now on.

        Raises:
            RecipeError: when what was learned from its labels differs.
            WeightsError: when the network does not take pictures of its size.
        """
        mine, its = (registry.tasks.describe(one.task) for one in (self.data, other))
        if mine != its:
            differs = [key for key in {**mine, **its} if mine.get(key) != its.get(key)]
            raise RecipeError(
                f"This data's task has another {', '.join(f'`{key}`' for key in differs)} than "
                "the one that the network was made for",
                do="Make a new Learner, or use data.at(size=...), which keeps the rows",
            )
        if max(other.largest) != max(self.data.largest) and self.fits:
            self.progress.warn(
                f"pictures are decoded anew, for {max(other.largest)} pixels: no recipe can repeat "
                "that exactly. kitbox.load(largest=...) decodes once, for all sizes"
            )
        shape_of_outputs(self.model, other.size)
        made = self._make_trainer(other)
        with self.random.entered():
            made.restore(self.trainer.state(self.next))
        self.data, self.trainer = other, made

    def freeze(self, what: bool | int | str) -> None:
        """Freeze as much in the fits to come.

        Raises:
            RecipeError: when the body has no such layer.
        """
        self.model.freeze(what, hold_norm=bool(self.model.body.pretrained))
        self.frozen = what

    def changed(self) -> str:
        """What became of the weights beside fits; '' where they are as the last one left them."""
        if (now := self.hashed()) == self.known:
            return ""
        with self.random.entered():  # forgets features of the body that it was
            self.trainer.restore(self.trainer.state(self.next))
        return f"the weights were changed by hand (now {now[:12]})"

    def described(self, stage: Stage, past: Sequence[Fit], foreign: str = "") -> Fit:
        """A fit of the data after others, as history has it."""
        size = self.data.size if stage.size is None else as_hw(stage.size)
        return Fit(
            history.stage_values(stage, size),
            history.settings(self.recipe_for(self.data)),
            self.data.digest(self.model.body.channels),
            list(self.data.largest),
            past[-1].key if past else "",
            foreign,
        )

    def fit(self, stage: Stage) -> None:
        """Train a stage, or go on with the last fit where that is this one, cut short.

        Raises:
            Interrupted: when somebody asked to stop; it says what became of it.
            TrainingError: when the loss is not finite; weights are as before.
            StorageError: when the folder cannot be written, or another kernel trains there.
        """
        foreign = self.changed()
        past = list(self.fits)
        if past and past[-1].cut and not foreign:
            again = self.described(stage, past[:-1], past[-1].foreign)
            if again.key == past[-1].key:
                past.pop()
                foreign = again.foreign
        fit = self.described(stage, past, foreign)
        with self.random.entered(), self.shelf.held():
            self._train(past, fit, stage)

    def _train(self, past: list[Fit], fit: Fit, stage: Stage) -> None:
        number, trainer = len(past) + 1, self.trainer
        before = trainer.state(number)
        keeper = trainer.keeper = self._keeper(past, fit)
        if (kept := keeper.load()) is not None:
            self.recorder.give(number, kept.facts[shelf.OF_LEARNER]["steps"])
        self._tell(number, fit, kept)
        shown = 0
        try:
            with keeper.stop:
                stages = [*(one.made() for one in past), stage]
                for _ in trainer.stages(stages, _size, number):
                    shown = self._show(number, shown)
        except (Stopped, KeyboardInterrupt):
            self._cut_short(past, fit, keeper, before)
        except BaseException:
            trainer.restore(before)
            raise
        finally:
            trainer.keeper = None
        self._show(number, shown)
        self.fits, self._memory = [*past, fit], None
        self.used.add(fit.key)
        self.known = self.hashed()
        if (path := self.shelf.fit(number, fit.key)) is not None:
            shelf.settle(path)

    def _show(self, number: int, shown: int) -> int:
        """Show the epochs of a fit that were not shown yet, as a table; how many there are."""
        epochs = [one for one in self.trainer.log if one.stage == number]
        for place, epoch in enumerate(epochs[shown:], shown):
            if place == 0:
                self.progress.head(epoch.cells())
            self.progress.row(epoch.cells())
        return len(epochs)

    def _cut_short(self, past: list[Fit], fit: Fit, keeper: FitKeeper, before: Checkpoint) -> None:
        """Keep what a fit that was interrupted has come to.

        Raises:
            Interrupted: unless it was done.
        """
        number, kept = len(past) + 1, keeper.load()
        if kept is not None and kept.facts["stage"] > number:
            self.trainer.restore(kept)
            return
        if kept is None or (kept.facts["epoch"], kept.facts.get("step")) == (1, 0):
            self.trainer.restore(before)
            raise Interrupted(f"fit {number} had not begun; the weights are as before") from None
        self.trainer.restore(kept)
        where = f"epoch {kept.facts['epoch']}, step {kept.facts['step']}"
        self.fits = [*past, replace(fit, cut=where)]
        self.used.add(fit.key)
        self._memory = keeper if isinstance(keeper, MemoryKeeper) else None
        self.known = self.hashed()
        raise Interrupted(
            f"fit {number} was cut short at {where}. The weights stay as they are now; the same "
            "call goes on with it, another one begins a new fit"
        ) from None

    def _keeper(self, past: list[Fit], fit: Fit) -> FitKeeper:
        options: dict[str, Any] = {
            "every": self.recipe_for(self.data).checkpoint_every,
            "stop": Stop(self.progress.warn),
            "warn": self.progress.warn,
            "stamp": lambda: self.stamp([*past, fit]),
        }
        if (path := self.shelf.fit(len(past) + 1, fit.key)) is not None:
            return FitKeeper(path, **options)
        if len(past) < len(self.fits) and self._memory is not None:  # it goes on
            self._memory.stop = options["stop"]
            return self._memory
        return MemoryKeeper(Path(), **options)

    def _tell(self, number: int, fit: Fit, kept: Checkpoint | None) -> None:
        """Say what the folder has of this fit, or of others in its place."""
        if kept is not None and kept.facts["stage"] > number:
            path = self.shelf.fit(number, fit.key)
            self.progress.say(f"fit {number} with these settings is done already: {path}")
        elif kept is None and (others := self.shelf.others(number, fit.key)):
            self.progress.say(
                f"fit {number} is trained anew: {self.shelf.folder} has "
                f"{counted(len(others), 'other')} in its place, with other settings or another "
                "past (learn.tidy() removes what this session does not use)"
            )

    def find(self) -> Suggestion:
        """What the finder suggests for the next fit; leaves no trace.

        Raises:
            Interrupted: when somebody asked to stop.
            TrainingError: when the loss is not finite from the start.
        """
        self.changed()
        stage = Stage(epochs=features.VIEWS, freeze=self.frozen)
        keeper = self.trainer.keeper = MemoryKeeper(Path(), 1, Stop(self.progress.warn))
        try:
            with self.random.entered(), keeper.stop:
                curve = self.trainer.find(self.next, stage, self.data.size)
        except (Stopped, KeyboardInterrupt):
            raise Interrupted("the finder was stopped; everything is as it was") from None
        finally:
            self.trainer.keeper = None
        found = Suggestion(self.trainer.suggested(stage, curve), curve)
        self.recorder.found = found
        return found

    def stamp(self, fits: Sequence[Fit]) -> dict[str, Any]:
        """What a file says besides the state of the training, plain values."""
        return {
            "history": [asdict(one) for one in fits],
            "steps": self.recorder.plain(len(fits)),
            "backbone": registry.backbones.describe(self.recipe_for(self.data).backbone),
            "task": registry.tasks.describe(self.data.task),
        }

    def save(self, name: str) -> Path:
        """Save where the training is under a name; the file.

        Raises:
            StorageError: when it cannot be written, or the name is none for a file.
        """
        path, foreign = self.shelf.saved(name), self.changed()
        with self.random.entered():
            now = self.trainer.state(self.next)
        stamp = {**self.stamp(self.fits), "foreign": foreign}
        checkpoints.save(path, replace(now, facts={**now.facts, shelf.OF_LEARNER: stamp}))
        shelf.settle(path)
        return path

    def load(self, name: str) -> None:
        """Go back to what was saved under a name.

        Raises:
            StorageError: when nothing is.
            WeightsError: when it does not fit.
        """
        kept = self.shelf.load(name)
        told, now = kept.facts[shelf.OF_LEARNER], self.stamp(())
        for what in ("backbone", "task"):
            then, here = told[what], now[what]
            differs = [key for key in {**then, **here} if then.get(key) != here.get(key)]
            if differs:
                raise WeightsError(
                    f"'{name}' was saved with another {what}",
                    found=", ".join(f"{key} {then.get(key)}" for key in differs),
                    do="Make the Learner as it was then",
                )
        with self.random.entered():
            before = self.trainer.state(self.next)
            try:
                self.trainer.restore(kept)
            except RuntimeError as error:
                self.trainer.restore(before)
                raise WeightsError(
                    f"The weights of '{name}' do not fit this network",
                    found=str(error).splitlines()[-1].strip(),
                    do="Make the Learner as it was then, with the same `largest` size",
                ) from error
        self.fits = [Fit(**one) for one in told["history"]]
        self.used |= {one.key for one in self.fits}
        self._memory = None
        self.recorder.give(len(self.fits), told["steps"])
        # Weights that were changed by hand before they were saved stay so.
        self.known = "" if told["foreign"] else self.hashed()

    def recipe(self, name: str | None, *, exact: bool) -> Recipe:
        """The recipe of the fits; see `Learner.recipe`."""
        if not self.fits:
            raise TrainingError("No fit was made yet", do="Train first: learn.fit_one_cycle(4)")
        foreign = self.changed()
        if self.run is not None and not foreign and all(one.origin for one in self.fits):
            return self.run.model_copy(update={"name": name} if name else {})
        wrong = history.untold(self.fits)
        if foreign:
            wrong.append(f"after fit {len(self.fits)} {foreign}")
        last = _size(self.fits[-1].made())
        if not self.same_shapes(last):
            wrong.append(
                f"the network was built for {max(self.built)} pixels, a run builds it for its "
                f"last stage's {max(last)}"
            )
        if wrong and exact:
            raise RecipeError(
                "No recipe repeats exactly what was done",
                mistakes=wrong,
                do="recipe(exact=False) gives the nearest one",
            )
        for one in wrong:
            self.progress.warn(one)
        recipe = self.recipe_for(self.data)
        return history.compose(recipe, self.fits, name or recipe.name)

    def same_shapes(self, size: tuple[int, int]) -> bool:
        """Whether a network that is built for another size (H, W) has the same parameters."""
        if size == self.built:
            return True
        recipe = self.recipe_for(self.data)
        with Randomness(0).entered():
            other: Any = recipe.backbone.build(size, load=False, maps=recipe.task.maps())
        mine = {name: value.shape for name, value in self.model.body.state_dict().items()}
        return mine == {name: value.shape for name, value in other.state_dict().items()}

    def tuned(self) -> tuple[Task, dict[str, float]]:
        """The task with what the validation pictures teach, and loss and metrics with it."""
        key = (self.hashed(), self.data)
        if self._tuned is None or self._tuned[0] != key:
            learned = self.trainer.task
            try:
                scores = runner.tune(self.recipe_for(self.data), self.trainer, self.progress)
                self._tuned = key, self.trainer.task, scores
            finally:
                self.trainer.task = learned
        return self._tuned[1:]


def _size(stage: Stage) -> tuple[int, int]:
    assert stage.size is not None, "every fit has its size"
    return as_hw(stage.size)
