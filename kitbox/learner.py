"""The learner: the runner's steps by hand, for notebooks."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from kitbox import recipe as recipes
from kitbox import registry, runner
from kitbox.blame import at_edges
from kitbox.errors import RecipeError, SubmissionError, WeightsError, counted
from kitbox.learning import history, prediction, taken
from kitbox.learning.data import Data, load
from kitbox.learning.history import Fit
from kitbox.learning.prediction import Prediction
from kitbox.learning.recorder import Recorder
from kitbox.learning.session import Session
from kitbox.learning.suggestion import Suggestion
from kitbox.models.model import Model
from kitbox.progress import Progress
from kitbox.recipe import Recipe, Submission
from kitbox.results import saved
from kitbox.results.predictor import Predictor
from kitbox.results.tables import tabulate
from kitbox.writers import submission

if TYPE_CHECKING:
    from kitbox.interpretation.interpretation import Interpretation

Rate = float | tuple[float, float] | slice | Suggestion | Literal["find"] | None


@at_edges
class Learner:
    """A network trained by hand, fit after fit, as the runner trains it stage after stage.

    The k-th fit does what stage k of a recipe does, by the same code and with the same
    random numbers: `recipe()` gives the recipe that repeats it. The body begins frozen.

    >>> learn = kitbox.Learner(data, "resnet34")    # doctest: +SKIP
    >>> learn.fit_one_cycle(4)                      # doctest: +SKIP
    >>> learn.unfreeze()                            # doctest: +SKIP
    >>> learn.fit_one_cycle(2, lr=learn.lr_find())  # doctest: +SKIP

    Args:
        data: of `kitbox.load`.
        backbone: name of a timm model, or as a recipe has it; by default that of the recipe
            that the data came from, or resnet34.
        folder: keeps every fit there. Cells that are run again, after the kernel died say,
            find their fits done, or go on with one that was cut short. None keeps fits in
            memory only.
        weight_decay: of AdamW; 0.01 by default.
        checkpoint_every: with a folder, epochs (a number) or a duration such as "10min"
            after which a fit is saved.
        progress: where to say what happens; by default where the data says it.

    Raises:
        RecipeError: when the backbone or a number cannot be.
        WeightsError: when its weights cannot be had, or it does not take such pictures.
        SubmissionError: when no acceptable submission could be made.
        PluginError: for whatever a plugin of another package raises, in every method.
    """

    def __init__(
        self,
        data: Data,
        backbone: Any = None,
        *,
        folder: Path | str | None = None,
        weight_decay: float | None = None,
        checkpoint_every: int | str = 1,
        progress: Progress | None = None,
    ) -> None:
        if not isinstance(data, Data):
            raise RecipeError(
                f"A Learner takes what kitbox.load gives, not {type(data).__name__}",
                do="data = kitbox.load(source=..., labeler=..., task=...)",
            )
        asked = {"weight_decay": weight_decay, "checkpoint_every": checkpoint_every}
        given: dict[str, Any] = {name: one for name, one in asked.items() if one is not None}
        given["backbone"] = data.recipe.backbone if backbone is None else _named(backbone)
        where = Path(folder) if folder is not None else None
        self._session = Session(data, given, where, progress or data.progress)

    @property
    def model(self) -> Model:
        """The network, a `torch.nn.Module` from images (B, C, H, W) to raw outputs (B, ...)."""
        return self._session.model

    @property
    def recorder(self) -> Recorder:
        """Losses, rates and metrics of all fits, and their curves."""
        return self._session.recorder

    # ---- what is trained on, and how much of the network --------------------

    @property
    def data(self) -> Data:
        """What it trains on. Setting another (`data.at(size=...)`, say) is for the next fit."""
        return self._session.data

    @data.setter
    def data(self, other: Data) -> None:
        """Train on other pictures from now on.

        Raises:
            RecipeError: when what was learned from its labels (the classes, say) differs.
            WeightsError: when the network does not take pictures of its size.
        """
        self._session.use(other)

    def freeze(self) -> None:
        """Freeze the body: the next fits train the head alone, on features computed once."""
        self._session.freeze(True)

    def unfreeze(self) -> None:
        """Train all layers in the next fits."""
        self._session.freeze(False)

    def freeze_to(self, layer: int | str) -> None:
        """Freeze the body's first layers, along the network's real layers.

        Args:
            layer: a number n freezes the first n, -n all but the last n; a name such as
                "layer3" all before it. The head is always trained.

        Raises:
            RecipeError: when the body has no such layer; it names those that there are.
        """
        if isinstance(layer, bool) or not isinstance(layer, int | str):
            raise RecipeError(f"{layer!r} is no layer", do="Give a number, or a layer's name")
        self._session.freeze(layer)

    # ---- training -----------------------------------------------------------

    def fit_one_cycle(
        self,
        epochs: int,
        lr: Rate = None,
        *,
        features: int | Literal[False] | None = None,
        hold_norm: bool | None = None,
    ) -> None:
        """Train with the rate going up for a quarter of the steps, then down, by cosine.

        Args:
            epochs: passes over the training pictures, 1 or more.
            lr: highest rate. A number for all layers; (a, b) or slice(a, b) from the first
                layer to the head, geometrically; slice(b) is (b / 10, b); "find" what the
                finder chooses, as what `lr_find()` returns does; None the default, 4e-3 for a
                head alone, (1e-5, 1e-3) for all of a pretrained network, 3e-3 without.
            features: with a frozen body, of how many augmented views of each picture
                features are computed, once for all epochs (2 by default); False computes them
                in every epoch.
            hold_norm: hold normalisation statistics as they are; by default for pretrained
                weights.

        Raises:
            RecipeError: when a value cannot be; nothing was changed.
            TrainingError: when the loss is not finite, also with a lower rate; weights are
                then as before.
            StorageError: when the folder cannot be written.
            KeyboardInterrupt: when it was interrupted: the weights stay as of then, and the
                same call goes on.
        """
        self._fit("one-cycle", epochs, lr, features, hold_norm)

    def fit(
        self,
        epochs: int,
        lr: Rate = None,
        *,
        features: int | Literal[False] | None = None,
        hold_norm: bool | None = None,
    ) -> None:
        """Train with a rate that stays as it is; all else as `fit_one_cycle`."""
        self._fit("constant", epochs, lr, features, hold_norm)

    def _fit(
        self,
        schedule: str,
        epochs: int,
        lr: Rate,
        views: int | Literal[False] | None,
        hold_norm: bool | None,
    ) -> None:
        with suppress(TypeError):  # numbers of numpy
            epochs = operator.index(epochs)
        stage = recipes.make_stage(
            {
                "epochs": epochs,
                "freeze": self._session.frozen,
                "lr": _rate(lr),
                "schedule": schedule,
                "size": self.data.size,
                "features": views,
                "hold_norm": hold_norm,
            }
        )
        self._session.fit(stage)

    def tidy(self) -> list[Path]:
        """Remove from the folder the fits that this session neither made nor used.

        What was saved by name stays.

        Returns:
            The files that were removed.
        """
        with self._session.shelf.held():
            return self._session.shelf.remove(lambda key: key in self._session.used)

    def lr_find(self) -> Suggestion:
        """Find a learning rate for the next fit, with as much frozen as is now.

        The rate is raised from 1e-7 to 10 over at most 100 batches, until the loss is four
        times its best. No trace is left, also when it fails or is interrupted: weights, modes,
        random states (of torch, numpy and Python) and files are as before.

        Returns:
            The suggestion: `lr` for `fit_one_cycle`, `steepest`, `shoots_up`. A notebook
            shows it as the curve.

        Raises:
            TrainingError: when the loss is not finite from the start.
            KeyboardInterrupt: when it was interrupted.
        """
        found = self._session.find()
        self._session.progress.say(f"learning-rate finder: {found}")
        return found

    # ---- kept, and gone back to ---------------------------------------------

    def save(self, name: str) -> Path:
        """Save the weights and how they came about; `load` goes back to them.

        Returns:
            The file: below the learner's folder, or below `saved` in the working folder.

        Raises:
            StorageError: when it cannot be written, or the name is none for a file.
        """
        path = self._session.save(name)
        self._session.progress.say(f"saved: {path}")
        return path

    def load(self, name: str) -> None:
        """Go back to what was saved: weights, history, random states, rates, curves.

        The next fit is what it would have been then. What is frozen stays as it is now.

        Raises:
            StorageError: when nothing is saved under that name; it names what is.
            WeightsError: when it was saved of another backbone or for other classes.
        """
        self._session.load(name)
        fits = counted(len(self._session.fits), "fit")
        self._session.progress.say(f"loaded '{name}': {fits}")

    @classmethod
    def from_run(
        cls, run: Path | str, *, folder: Path | str | None = None, progress: Progress | None = None
    ) -> Learner:
        """Take up what a run has come to: its data, its network with the weights that predict.

        Args:
            run: the folder of a finished run.
            folder: keeps the fits to come, as in `Learner`.
            progress: where to say what happens.

        Raises:
            WeightsError: when there is no finished run, or its weights do not fit.
            RecipeError: when its recipe cannot be read.
        """
        run = Path(run)
        recipe = taken.read(run)
        data = load(recipe, progress=progress)
        learn = cls(data.at(recipe.hw), folder=folder, progress=progress)
        taken.take(run, recipe, learn._session)
        return learn

    def recipe(self, name: str | None = None, *, exact: bool = True) -> Recipe:
        """The recipe that repeats what was done by hand: `kitbox.run` gives the same weights.

        Each fit is a stage of it, and the last weights are kept. `recipe().save()` is its text.

        Args:
            name: of the recipe; by default that of the data's.
            exact: False gives the nearest recipe, where something was done that none can
                repeat, and says what.

        Raises:
            TrainingError: when nothing was trained yet.
            RecipeError: naming what was done that no recipe can repeat.
        """
        return self._session.recipe(name, exact=exact)

    # ---- put to use ---------------------------------------------------------

    def validate(self) -> dict[str, float]:
        """Loss and metrics of the validation pictures, as a run says them in the end.

        What the task learns from them (thresholds, say) is applied.
        """
        return dict(self._session.tuned()[1])

    def interpret(self, part: Literal["valid", "train"] = "valid") -> Interpretation:
        """What the network does with the validation pictures, to look at and to count.

        Args:
            part: 'train' looks at the training pictures instead, not varied: scores say little
                there, and fewer wrong labels are found, since the network may have learned them.

        Returns:
            A `kitbox.Interpretation` for the task: worst losses, a confusion matrix, scores
            of each class, advice.

        Raises:
            RecipeError: when there is no such part.
        """
        if part not in ("valid", "train"):
            raise RecipeError(
                f"There is no part {part!r} with labels", do="Ask for 'valid' or 'train'"
            )
        from kitbox.interpretation.of import of_trainer

        session = self._session
        trainer, learned = session.trainer, session.trainer.task
        fits, recipe = session.fits, session.recipe_for(self.data)
        done = history.compose(recipe, fits, recipe.name) if fits else None
        rows = self.data.rows_of(self.model.body.channels)
        try:
            trainer.task, _ = session.tuned()
            return of_trainer(
                trainer,
                done,
                rows,
                self.data.files,
                self.data.size,
                part=part,
                progress=session.progress,
            )
        finally:
            trainer.task = learned

    def predict(self, picture: Any) -> Prediction:
        """What the network predicts for a picture.

        Args:
            picture: a path, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4) of uint8.

        Returns:
            The prediction: `words`, and `outputs` with a value for each output by name.

        Raises:
            PictureError: when it is no picture, or cannot be read.
        """
        task, _ = self._session.tuned()
        facts = runner.facts(self._session.recipe_for(self.data), task, self.model.body)
        with prediction.as_files([picture]) as files:
            table = Predictor(self.model, task, facts).predict(files)
        return prediction.predictions(task, table.drop(columns="image"))[0]

    def predictions(self, part: Literal["valid", "test"] = "valid") -> pd.DataFrame:
        """Predictions of the pictures of a part: `id` and a column per output.

        Raises:
            RecipeError: when there is no such part.
        """
        if part not in ("valid", "test"):
            raise RecipeError(
                f"There is no part {part!r} to predict", do="Ask for 'valid' or 'test'"
            )
        task, _ = self._session.tuned()
        rows = self.data.rows_of(self.model.body.channels)
        chosen = np.flatnonzero(rows["part"] == part)
        steps = self._session.trainer.loader.count_fixed(len(chosen))
        with self._session.progress.bar(f"predicting: {part}", steps) as step:
            table = tabulate(task, self._session.trainer.predict(chosen, self.data.size, step))
        table.insert(0, "id", rows["id"].to_numpy()[chosen])
        return table

    def submission(self, path: Path | str = "submission.csv") -> Path:
        """Predict the test pictures and write the file to hand in, checked against the sample.

        The sample submission and the writer are those of `submission` in `kitbox.load`.

        Returns:
            The file.

        Raises:
            SubmissionError: when there are no pictures to predict, or it would not be accepted.
        """
        data, path = self.data, Path(path)
        if not (data.rows["part"] == "test").any() and data.sample is None:
            raise SubmissionError(
                "There are no pictures to predict",
                do='Say where they are: kitbox.load(..., test={"folder": "test"}, '
                'submission={"sample": "sample_submission.csv"})',
            )
        asked = data.recipe.submission or Submission()
        writer = submission.choose(asked.writer, self._session.tuned()[0], data.sample)
        made = submission.make(writer, self.predictions("test"), data.sample, data.files)
        submission.write(made, path)
        self._session.progress.say(f"{path} written: {counted(len(made), 'row')}")
        return path

    def export(self, folder: Path | str) -> Path:
        """Save the model for `kitbox.Predictor` and `kitbox predict`: no pickle, no code.

        Returns:
            The folder.

        Raises:
            StorageError: when it cannot be written.
            WeightsError: when the network only takes pictures of the size that it was built for.
        """
        folder, (task, _) = Path(folder), self._session.tuned()
        if not self._session.same_shapes(self.data.size):
            raise WeightsError(
                f"This network was built for {max(self._session.built)} pixels and cannot be "
                f"loaded for {max(self.data.size)}",
                do="Set learn.data to the larger size, or load data without `largest`",
            )
        facts = runner.facts(self._session.recipe_for(self.data), task, self.model.body)
        saved.save(folder, self.model.state_dict(), facts)
        self._session.progress.say(f"model saved: {folder}")
        return folder

    def __repr__(self) -> str:
        height, width = self.data.size
        told = {True: "head alone, body frozen", False: "all layers"}
        what = (
            told.get(self._session.frozen)
            if isinstance(self._session.frozen, bool)
            else f"freeze_to({self._session.frozen!r})"
        )
        described = registry.backbones.describe(self._session.recipe_for(self.data).backbone)
        name = described.get("name", described["use"])
        fits = enumerate(self._session.fits, 1)
        lines = [f"  fit {number}: {_in_words(fit)}" for number, fit in fits]
        return "\n".join([f"Learner: {name}, {height}x{width} pixels, {what}", *lines])


def _in_words(fit: Fit) -> str:
    stage = fit.stage
    height, width = stage["size"]
    frozen = {True: "head alone", False: "all layers"}.get(
        stage["freeze"], f"freeze {stage['freeze']}"
    )
    rate = "default rate" if stage["lr"] is None else f"lr {stage['lr']}"
    cut = f", cut short at {fit.cut}" if fit.cut else ""
    epochs = counted(stage["epochs"], "epoch")
    return f"{epochs}, {frozen}, {rate}, {height}x{width} pixels{cut}"


def _named(backbone: Any) -> Any:
    """A backbone as a recipe has it: a name that is no plugin's is timm's."""
    if not isinstance(backbone, str):
        return backbone
    if any(plugin.answers_to(backbone) for plugin in registry.backbones.plugins()):
        return backbone
    return {"use": "kitbox:timm", "name": backbone}


def _rate(lr: Any) -> Any:
    """A rate as a stage has it."""
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
