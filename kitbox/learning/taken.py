"""A run taken up: a session that goes on from its weights, on its data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kitbox import recipe as recipes
from kitbox.contracts import Splitter
from kitbox.data import table_file
from kitbox.errors import WeightsError
from kitbox.learning.data import Data, data_values, gathered
from kitbox.learning.parts import PartsOfRun
from kitbox.learning.reached import reached, read_log, weights_of
from kitbox.learning.session import Session
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.results import folder as names
from kitbox.results import saved


def take(run: Path, folder: Path | None, progress: Progress) -> Session:
    """A session that has come to what a run has; its data is at the size that predicts.

    The weights that the run began with are not needed.

    Raises:
        WeightsError: when there is no model, or its weights do not fit.
        RecipeError: when its recipe cannot be read.
    """
    recipe = recipes.read(run / names.RECIPE)
    facts = saved.read(run / names.MODEL)
    log = read_log(run / names.LOG, run / names.TIMES)
    far = reached(run, recipe, log)
    data, trained = _data(run, recipe, progress)
    asked = {"backbone": recipe.backbone, "checkpoint_every": 1}
    session = Session(data.at(recipe.hw), asked, folder, progress, load=False)
    try:
        session.model.load_state_dict(saved.weights(run / names.MODEL, facts))
    except RuntimeError as error:
        raise WeightsError(
            f"The weights of the run {run} do not fit its recipe",
            found=str(error).splitlines()[-1].strip(),
            do="Copy the run again",
        ) from error
    _begun_as(session, weights_of(run))
    progress.say(f"weights: of the run {run}")
    session.known = session.hashed()
    for number, stage in enumerate(recipe.stages[: far.stages], 1):
        at = stage.model_copy(update={"size": recipe.stage_hw(stage)})
        session.fits.append(
            replace(
                session.described(at, session.fits),
                cut=far.cut if number == far.stages else "",
                origin=f"the run {run}",
                weights=session.known,
            )
        )
    session.run = recipe if far.finished else None
    session.seen.add(trained)
    frozen = [one.lr for one in log if recipe.stages[one.stage - 1].freeze is True]
    session.trainer.log, session.trainer.rate = log, frozen[-1] if frozen else None
    session.freeze(recipe.stages[max(0, far.stages - 1)].freeze)
    session.warn_of_seen()
    return session


def _data(run: Path, recipe: Recipe, progress: Progress) -> tuple[Data, list[str]]:
    """The data of a run, each picture in its part, and the pictures that it trained on."""
    made = recipes.make(data_values(recipe))
    if not (run / names.TABLE).exists():
        progress.warn(
            f"{run / names.TABLE} is not there: the pictures are split anew, and where some have "
            "come or gone since, others validate than in the run"
        )
        data = gathered(made, progress)
        return data, list(data.rows.loc[data.rows["part"] == "train", "image"])
    table = table_file.load(run / names.TABLE)

    def split(own: Splitter) -> Splitter:
        return PartsOfRun(table, own, progress.warn)

    return gathered(made, progress, split), list(table.loc[table["part"] == "train", "image"])


def _begun_as(session: Session, told: str | None) -> None:
    """Say of the body what the run's said: default rates depend on it, and what is held.

    Args:
        told: where the run's first weights came from, or None where that is lost.
    """
    body = session.model.body
    if told is None:
        backbone = session.recipe_for(session.data).backbone
        body.pretrained = body.pretrained or bool(getattr(backbone, "pretrained", True))
    elif told != body.weights:  # not what it says with random weights
        body.pretrained, body.weights = True, told
