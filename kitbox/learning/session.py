"""A session: a network, what it is trained on and how, and what became of it so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox import environment as environments
from kitbox import recipe as recipes
from kitbox import registry, runner
from kitbox.allocator import keep_freed
from kitbox.contracts import Task
from kitbox.errors import RecipeError
from kitbox.learning import history
from kitbox.learning.data import Data, given_values
from kitbox.learning.history import Fit
from kitbox.learning.randomness import Randomness
from kitbox.learning.recorder import Recorder
from kitbox.learning.seen import Seen
from kitbox.learning.shelf import MemoryKeeper, Shelf
from kitbox.learning.suggestion import Suggestion
from kitbox.models.model import Model, shape_of_outputs
from kitbox.models.state import fingerprint
from kitbox.progress import Progress
from kitbox.recipe import Recipe, Stage, as_hw
from kitbox.stopping import Interrupted, Stop, Stopped
from kitbox.training import features
from kitbox.training.checkpoints import Checkpoint

if TYPE_CHECKING:
    from kitbox.training.trainer import Trainer


class Session:
    """What a learner has, behind its face.

    Args:
        data: what it trains on first.
        asked: values of a recipe besides the data's: the backbone, and what else was said.
        folder: keeps the fits; None keeps them in memory only.
        progress: where to say what happens.
        load: False leaves the body's weights random: the caller gives it others next.

    Attributes:
        model: the network.
        trainer: trains it on the data.
        frozen: what the next fit does not train; see `Stage.freeze`.
        fits: the history.
        used: keys of the fits that were made here or found.
        cut: where the last fit was when it was cut short, to go on from; None where it was not.
        seen: the pictures that it was trained on.
        run: the recipe of the finished run that was taken up, or None.
        built: the (H, W) that the network was built for.
        known: a hash of the weights as the last fit left them.
        recorder: told of every step.
    """

    def __init__(
        self,
        data: Data,
        asked: Mapping[str, Any],
        folder: Path | None,
        progress: Progress,
        *,
        load: bool = True,
    ) -> None:
        self.progress, self._asked = progress, dict(asked)
        recipe = self.recipe_for(data)
        self._environment = environments.detect()
        if self._environment.device == "cpu":
            keep_freed()
        progress.say(f"{self._environment.device_name}: {self._environment.reason}")
        self.random, self.built = Randomness(recipe.seed), data.largest
        with self.random.entered():
            body = recipe.backbone.build(self.built, load=load, maps=recipe.task.maps())
            self.model = Model(body, data.task.head(body))
        if load:
            progress.say(f"weights: {body.weights}")
        runner.rehearse(recipe, data.task, self.model, data.rows, data.sample, data.files, progress)
        self.shelf = Shelf(folder, progress.warn)
        self.fits: list[Fit] = []
        self.used: set[str] = set()
        self.cut: Checkpoint | None = None
        self.seen = Seen()
        self.run: Recipe | None = None
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
        self.warn_of_seen()

    def images(self, part: str) -> list[str]:
        """The pictures of a part of the data, paths below its folder."""
        rows = self.data.rows_of(self.model.body.channels)
        return list(rows.loc[rows["part"] == part, "image"])

    def warn_of_seen(self) -> None:
        """Say how many validation pictures were trained on, if any were."""
        valid = self.images("valid")
        if known := self.seen.count(valid):
            self.progress.warn(
                f"{known} of the {len(valid)} validation pictures were trained on (by their "
                "paths): losses and metrics look better than they are"
            )

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
            past[-1].left if past else "",
            foreign,
        )

    def stamp(self, fits: Sequence[Fit]) -> dict[str, Any]:
        """What a file says besides the state of the training, plain values."""
        return {
            "history": [asdict(one) for one in fits],
            "steps": self.recorder.plain(len(fits)),
            "backbone": registry.backbones.describe(self.recipe_for(self.data).backbone),
            "task": registry.tasks.describe(self.data.task),
        }

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
