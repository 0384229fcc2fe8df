"""A finished run put to use once more: a submission for the test pictures as they are now."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from kitbox import environment
from kitbox.data import table_file
from kitbox.data.unlabelled import TestPictures, test_rows
from kitbox.errors import RecipeError, counted, some
from kitbox.models.model import shape_of_outputs
from kitbox.progress import Progress
from kitbox.recipe import read
from kitbox.results.folder import RECIPE, TABLE
from kitbox.results.predictor import Predictor
from kitbox.writers import sample as samples
from kitbox.writers import submission


def rerun(
    run: Path | str,
    out: Path | str = "submission.csv",
    *,
    files: Path | str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Predict the test pictures that are there now with the model of a run; nothing is trained.

    For the kernel of a code competition: the run is attached as a dataset, the
    rows are those of the sample submission or the pictures that the kernel finds.
    No network is needed, and nothing is written but `out`.

    Args:
        run: the folder of a finished run.
        out: the submission to write.
        files: the folder of the competition's files; by default the recipe's source
            finds them (the source `kaggle`: where they are attached).
        progress: where to say what happens; by default standard output.

    Raises:
        KitboxError: when the run, its model or the files are not there, or no
            acceptable submission can be made.
    """
    progress, run, out = progress or Progress(), Path(run), Path(out)
    recipe = read(run / RECIPE)
    if recipe.submission is None:
        raise RecipeError(
            f"The recipe of {run} asks for no submission", do="Run one with `submission` in it"
        )
    here = recipe.source.fetch(environment.cache_folder()) if files is None else Path(files)
    sample = None
    if recipe.submission.sample is not None:
        sample = samples.read(here / recipe.submission.sample)
    predictor = Predictor.load(run)
    writer = submission.choose(recipe.submission.writer, predictor.task, sample)
    ids = None if sample is None else writer.ids(sample, here)
    rows = test_rows(here, test=recipe.test or TestPictures(), ids=ids, taken=_labelled(run))
    progress.say(f"{counted(len(rows), 'picture')} to predict, below {here}")
    broken: dict[str, str] = {}
    paths = [here / image for image in rows["image"]]
    predicted = predictor.predict(paths, recipe.batch_size, broken=broken, blank=True)
    if broken:
        progress.warn(
            f"{counted(len(broken), 'picture')} cannot be read and "
            f"{'is' if len(broken) == 1 else 'are'} predicted as if blank: "
            + some(f"{name} ({why})" for name, why in broken.items())
        )
    if not len(rows):
        size = predictor.facts.size
        shape = shape_of_outputs(predictor.model, size)
        predicted = submission.blank(predictor.task, shape, size).head(0)
    predicted = predicted.drop(columns="image", errors="ignore")
    predicted.insert(0, "id", rows["id"].to_numpy())
    over = ", over the one that was there" if out.exists() else ""
    submission.write(submission.make(writer, predicted, sample, here), out)
    progress.say(f"{out} written{over}: {counted(len(rows), 'picture')}")
    return out


def _labelled(run: Path) -> set[str]:
    """The pictures that the run learned from."""
    if not (run / TABLE).is_file():
        return set()
    rows: pd.DataFrame = table_file.load(run / TABLE)
    return set(rows.loc[rows["part"] != "test", "image"])
