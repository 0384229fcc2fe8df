"""A run taken up: its recipe, its weights and its epochs, for a session to go on from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from kitbox import recipe as recipes
from kitbox.errors import WeightsError
from kitbox.learning.session import Session
from kitbox.recipe import Recipe
from kitbox.results import folder as names
from kitbox.results import saved
from kitbox.training.stages import Epoch


def read(run: Path) -> Recipe:
    """The recipe of a finished run.

    Raises:
        WeightsError: when there is no model.
        RecipeError: when its recipe cannot be read.
    """
    recipe = recipes.read(run / names.RECIPE)
    saved.read(run / names.MODEL)
    return recipe


def take(run: Path, recipe: Recipe, session: Session) -> None:
    """Give a session, whose data is at the size that predicts, what the run has come to.

    Raises:
        WeightsError: when its weights do not fit.
    """
    weights = saved.weights(run / names.MODEL, saved.read(run / names.MODEL))
    try:
        session.model.load_state_dict(weights)
    except RuntimeError as error:
        raise WeightsError(
            f"The weights of the run {run} do not fit its recipe",
            found=str(error).splitlines()[-1].strip(),
            do="Copy the run again",
        ) from error
    for stage in recipe.stages:
        at = stage.model_copy(update={"size": recipe.stage_hw(stage)})
        fit = session.described(at, session.fits)
        session.fits.append(replace(fit, origin=f"the run {run}"))
    session.run = recipe
    log = read_log(run / names.LOG, run / names.TIMES)
    session.trainer.log, session.trainer.rate = log, log[-1].lr if log else None
    session.freeze(recipe.stages[-1].freeze)
    session.known = session.hashed()


def read_log(log: Path, times: Path) -> list[Epoch]:
    """The epochs of a run, from its files; [] where they are not there."""
    try:
        table, took = pd.read_csv(log), pd.read_csv(times)
    except (OSError, ValueError):
        return []
    known = ("stage", "epoch", "lr", "train_loss", "valid_loss")
    return [
        Epoch(
            int(row["stage"]),
            int(row["epoch"]),
            float(row["lr"]),
            float(row["train_loss"]),
            float(row["valid_loss"]),
            {str(name): float(value) for name, value in row.items() if name not in known},
            float(seconds),
        )
        for row, seconds in zip(table.to_dict("records"), took["seconds"], strict=False)
    ]
