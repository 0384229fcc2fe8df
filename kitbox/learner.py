"""The learner: the runner's steps by hand, for notebooks."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kitbox import recipe as recipes
from kitbox import registry
from kitbox.blame import at_edges
from kitbox.errors import RecipeError, counted
from kitbox.learning import asked, fits, history, outcome, retelling, saving, taken
from kitbox.learning.asked import Rate
from kitbox.learning.data import Data
from kitbox.learning.prediction import Prediction
from kitbox.learning.recorder import Recorder
from kitbox.learning.session import Session
from kitbox.learning.suggestion import Suggestion
from kitbox.models.model import Model
from kitbox.progress import Progress
from kitbox.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.interpretation.interpretation import Interpretation


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
        said = {"weight_decay": weight_decay, "checkpoint_every": checkpoint_every}
        given: dict[str, Any] = {name: one for name, one in said.items() if one is not None}
        given["backbone"] = data.recipe.backbone if backbone is None else asked.backbone(backbone)
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
        """Train on other pictures from now on; says how many that were trained on validate.

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
            layer: a number n freezes the first n layers of the body, -n all but its last n; a
                name such as "layer3" all before it. The head, which is none of them, is always
                trained: `freeze()` trains it alone.

        Raises:
            RecipeError: when the body has no such layer; it names those that there are.
        """
        self._session.freeze(asked.layer(layer))

    # ---- training -----------------------------------------------------------

    def fit_one_cycle(
        self,
        epochs: int,
        lr: Rate = None,
        *,
        features: int | Literal[False] | None = None,
        hold_norm: bool | None = None,
        **others: Any,
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
            others: none; other libraries' words (`lr_max`) are answered with ours.

        Raises:
            RecipeError: when a value cannot be; nothing was changed.
            TrainingError: when the loss is not finite, also with a lower rate; weights are
                then as before.
            StorageError: when the folder cannot be written.
            KeyboardInterrupt: when it was interrupted: the weights stay as of then, and the
                same call goes on.
        """
        self._fit("one-cycle", epochs, lr, features, hold_norm, others)

    def fit(
        self,
        epochs: int,
        lr: Rate = None,
        *,
        features: int | Literal[False] | None = None,
        hold_norm: bool | None = None,
        **others: Any,
    ) -> None:
        """Train with a rate that stays as it is; all else as `fit_one_cycle`."""
        self._fit("constant", epochs, lr, features, hold_norm, others)

    def _fit(
        self,
        schedule: str,
        epochs: int,
        lr: Rate,
        views: int | Literal[False] | None,
        hold_norm: bool | None,
        others: Mapping[str, Any],
    ) -> None:
        with suppress(TypeError):  # numbers of numpy
            epochs = operator.index(epochs)
        stage = recipes.make_stage(
            {
                "epochs": epochs,
                "freeze": self._session.frozen,
                "lr": asked.rate(lr),
                "schedule": schedule,
                "size": self.data.size,
                "features": views,
                "hold_norm": hold_norm,
                **others,
            }
        )
        fits.fit(self._session, stage)

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

        Also where a fit was cut short: after `load` the same call goes on with it.

        Returns:
            The file: below the learner's folder, or below `saved` in the working folder.

        Raises:
            StorageError: when it cannot be written, or the name is none for a file.
        """
        path = saving.save(self._session, name)
        self._session.progress.say(f"saved: {path}")
        return path

    def load(self, name: str) -> None:
        """Go back to what was saved: weights, history, random states, rates, curves.

        The next fit is what it would have been then. What is frozen stays as it is now.

        Raises:
            StorageError: when nothing is saved under that name; it names what is.
            WeightsError: when it was saved of another backbone or for other classes.
        """
        saving.load(self._session, name)
        done = counted(len(self._session.fits), "fit")
        self._session.progress.say(f"loaded '{name}': {done}")

    @classmethod
    def from_run(
        cls, run: Path | str, *, folder: Path | str | None = None, progress: Progress | None = None
    ) -> Learner:
        """Take up what a run has come to: its data, its network with the weights that predict.

        Pictures that the run knows stay in its parts, so that none that it trained on
        validates. The weights that it began with are not needed.

        Args:
            run: the folder of a run that was finished, or stopped.
            folder: keeps the fits to come, as in `Learner`.
            progress: where to say what happens.

        Raises:
            WeightsError: when there is no such run, or its weights do not fit.
            RecipeError: when its recipe cannot be read.
        """
        learn = cls.__new__(cls)
        where = Path(folder) if folder is not None else None
        learn._session = taken.take(Path(run), where, progress or Progress())
        return learn

    def recipe(self, name: str | None = None, *, exact: bool = True) -> Recipe:
        """The recipe that repeats what was done by hand: `kitbox.run` gives the same weights.

        Each fit is a stage of it, and the last weights are kept. `recipe().text()` is its text.

        Args:
            name: of the recipe; by default that of the data's.
            exact: False gives the nearest recipe, where something was done that none can
                repeat, and says what.

        Raises:
            TrainingError: when nothing was trained yet.
            RecipeError: naming what was done that no recipe can repeat.
        """
        return retelling.recipe(self._session, name, exact=exact)

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
        return outcome.interpret(self._session, part)

    def predict(self, picture: Any) -> Prediction:
        """What the network predicts for a picture.

        Args:
            picture: a path, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4) of uint8.

        Returns:
            The prediction: `words`, and `outputs` with a value for each output by name.

        Raises:
            PictureError: when it is no picture, or cannot be read.
        """
        return outcome.predict(self._session, picture)

    def predictions(self, part: Literal["valid", "test"] = "valid") -> pd.DataFrame:
        """Predictions of the pictures of a part: `id` and a column per output.

        Raises:
            RecipeError: when there is no such part.
        """
        return outcome.predictions(self._session, part)

    def submission(self, path: Path | str = "submission.csv") -> Path:
        """Predict the test pictures and write the file to hand in, checked against the sample.

        The sample submission and the writer are those of `submission` in `kitbox.load`.

        Returns:
            The file.

        Raises:
            SubmissionError: when there are no pictures to predict, or it would not be accepted.
        """
        return outcome.submit(self._session, Path(path))

    def export(self, folder: Path | str) -> Path:
        """Save the model for `kitbox.Predictor` and `kitbox predict`: no pickle, no code.

        Returns:
            The folder.

        Raises:
            StorageError: when it cannot be written.
            WeightsError: when the network only takes pictures of the size that it was built for.
        """
        return outcome.export(self._session, Path(folder))

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
        lines = [
            f"  fit {number}: {history.in_words(fit)}"
            for number, fit in enumerate(self._session.fits, 1)
        ]
        return "\n".join([f"Learner: {name}, {height}x{width} pixels, {what}", *lines])
