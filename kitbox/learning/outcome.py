"""What a session's network is put to use for: looked at, predictions, a submission, a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kitbox import runner
from kitbox.errors import RecipeError, SubmissionError, WeightsError, counted
from kitbox.learning import history, prediction
from kitbox.learning.prediction import Prediction
from kitbox.learning.session import Session
from kitbox.recipe import Submission
from kitbox.results import saved
from kitbox.results.predictor import Predictor
from kitbox.results.tables import tabulate
from kitbox.writers import submission

if TYPE_CHECKING:
    from kitbox.interpretation.interpretation import Interpretation


def interpret(session: Session, part: str) -> Interpretation:
    """See `Learner.interpret`."""
    if part not in ("valid", "train"):
        raise RecipeError(f"There is no part {part!r} with labels", do="Ask for 'valid' or 'train'")
    from kitbox.interpretation.of import of_trainer

    _warn_of_no_fit(session)
    data, trainer, learned = session.data, session.trainer, session.trainer.task
    fits, recipe = session.fits, session.recipe_for(session.data)
    done = history.compose(recipe, fits, recipe.name) if fits else None
    rows = data.rows_of(session.model.body.channels)
    try:
        trainer.task, _ = session.tuned()
        return of_trainer(
            trainer, done, rows, data.files, data.size, part=part, progress=session.progress
        )
    finally:
        trainer.task = learned


def predict(session: Session, picture: Any) -> Prediction:
    """See `Learner.predict`."""
    _warn_of_no_fit(session)
    task, _ = session.tuned()
    facts = runner.facts(session.recipe_for(session.data), task, session.model.body)
    with prediction.as_files([picture]) as files:
        table = Predictor(session.model, task, facts).predict(files)
    return prediction.predictions(task, table.drop(columns="image"))[0]


def predictions(session: Session, part: str) -> pd.DataFrame:
    """See `Learner.predictions`."""
    if part not in ("valid", "test"):
        raise RecipeError(f"There is no part {part!r} to predict", do="Ask for 'valid' or 'test'")
    data, (task, _) = session.data, session.tuned()
    rows = data.rows_of(session.model.body.channels)
    chosen = np.flatnonzero(rows["part"] == part)
    steps = session.trainer.loader.count_fixed(len(chosen))
    with session.progress.bar(f"predicting: {part}", steps) as step:
        table = tabulate(task, session.trainer.predict(chosen, data.size, step))
    table.insert(0, "id", rows["id"].to_numpy()[chosen])
    return table


def submit(session: Session, path: Path) -> Path:
    """See `Learner.submission`."""
    _warn_of_no_fit(session)
    data = session.data
    if not (data.rows["part"] == "test").any() and data.sample is None:
        raise SubmissionError(
            "There are no pictures to predict",
            do='Say where they are: kitbox.load(..., test={"folder": "test"}, '
            'submission={"sample": "sample_submission.csv"})',
        )
    if data.sample is None and (there := _samples(data.files)):
        session.progress.warn(
            f"{there[0]} lies beside the data and says how the file must look. kitbox.load(..., "
            f"submission={{'sample': {there[0]!r}}}) writes it so"
        )
    asked = data.recipe.submission or Submission()
    writer = submission.choose(asked.writer, session.tuned()[0], data.sample)
    made = submission.make(writer, predictions(session, "test"), data.sample, data.files)
    submission.write(made, path)
    session.progress.say(f"{path} written: {counted(len(made), 'row')}")
    return path


def export(session: Session, folder: Path) -> Path:
    """See `Learner.export`."""
    _warn_of_no_fit(session)
    size, (task, _) = session.data.size, session.tuned()
    if not session.same_shapes(size):
        raise WeightsError(
            f"This network was built for {max(session.built)} pixels and cannot be loaded for "
            f"{max(size)}",
            do="Set learn.data to the larger size, or load data without `largest`",
        )
    facts = runner.facts(session.recipe_for(session.data), task, session.model.body)
    saved.save(folder, session.model.state_dict(), facts)
    session.progress.say(f"model saved: {folder}")
    return folder


def _warn_of_no_fit(session: Session) -> None:
    if not session.fits:
        session.progress.warn("nothing was trained yet: the head has random weights")


def _samples(folder: Path) -> list[str]:
    """Tables in a source's folder that are called as sample submissions are."""
    return sorted(
        path.name
        for path in folder.glob("*.csv")
        if "sample" in path.name.lower() and "submi" in path.name.lower()
    )
