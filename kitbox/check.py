"""What a recipe would do, without doing it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch

from kitbox import environment as environments
from kitbox import launch, runner
from kitbox.contracts import Weights
from kitbox.data.assemble import decode
from kitbox.errors import PictureError, WeightsError, counted, some
from kitbox.models.model import Model
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.training import stages


def check(recipe: Recipe, progress: Progress) -> None:
    """Say what a run would do; where the data is here, try one batch per stage.

    Nothing is fetched, no run folder is made and no weights are kept. Trying a
    batch decodes only its pictures. Where the pretrained weights are not here
    the batch is tried with random ones.

    Raises:
        KitboxError: what would stop the run.
    """
    if recipe.processes > 1:
        launch.look(recipe)
    environment = environments.detect()
    progress.say(f"device: {environment.device_name} ({environment.reason})")
    weights = recipe.backbone.find_weights()
    had = weights.here or _can_be_had(weights, progress)
    if weights.here:
        progress.say(f"weights: {weights.source}")
    files = recipe.source.find(environment.cache)
    if files is None:
        progress.say(
            "source: not here yet; a run fetches or unpacks it. Labels cannot be checked before"
        )
        for number in range(1, len(recipe.stages) + 1):
            progress.say(_told(recipe, number))
        return
    progress.say(f"source: {files}")
    rows, _, task, sample = runner.gather(recipe, files, progress)
    torch.manual_seed(recipe.seed)
    body = recipe.backbone.build(recipe.hw, load=weights.here, maps=task.maps())
    model = Model(body, task.head(body))
    _tell_missing(rows, files, progress)
    runner.rehearse(recipe, task, model, rows, sample, files, progress)

    few = rows[rows["part"] == "train"].head(recipe.batch_size).reset_index(drop=True)
    decoded = decode(files, few, body, recipe.decode_hw, environment, progress, keep=False)
    if decoded.broken:
        lines = [f"{few.at[row, 'image']!s} ({why})" for row, why in decoded.broken.items()]
        if len(lines) == len(few):
            raise PictureError("None of the first pictures can be read", found=some(lines))
        progress.warn(f"{len(lines)} of the first {len(few)} cannot be read: {some(lines)}")
        few = few.assign(part=pd.Series("broken", index=decoded.broken).reindex(few.index))
        few["part"] = few["part"].fillna("train")
    trainer = runner.make_trainer(recipe, task, model, files, few, decoded, environment, progress)
    if recipe.mix is not None:
        progress.say(f"mix: {recipe.mix.told()}; batch.png of a run shows some")
    for number, stage in enumerate(recipe.stages, 1):
        progress.say(_told(recipe, number))
        loss = trainer.try_batch(number, stage, recipe.stage_hw(stage))
        progress.say(f"  one batch of {len(trainer.train)}: loss {loss:.3f}, gradients are finite")
    progress.say("The recipe is sound" + (".", ", but for its weights.")[not had])


def _can_be_had(weights: Weights, progress: Progress) -> bool:
    """Whether weights that are not here can be downloaded, as far as can be told; says so.

    Raises:
        WeightsError: when they cannot, and this place will have no network later either.
    """
    if weights.knock is None:
        progress.say(f"weights: {weights.source} (a run downloads them)")
        return True
    try:
        weights.knock()
    except WeightsError as error:
        if environments.stays_offline():
            raise
        found = f" ({error.found})" if error.found else ""
        progress.warn(
            f"weights: {weights.source}, would be downloaded; it does not answer from here{found}. "
            f"Where the recipe runs: {error.do[0].lower()}{error.do[1:]}"
        )
        return False
    progress.say(f"weights: {weights.source}, which answers (a run downloads them)")
    return True


def _tell_missing(rows: pd.DataFrame, files: Path, progress: Progress) -> None:
    """Name the pictures to predict that are not there."""
    asked = rows[rows["part"] == "test"]
    missing = asked[[not (files / image).is_file() for image in asked["image"]]]
    if len(missing):
        named = [f"{row.id} (no {row.image})" for row in missing.itertuples()]
        progress.warn(
            f"{counted(len(named), 'picture')} to predict, of {len(asked):,}, "
            f"{'is' if len(named) == 1 else 'are'} not there and would be predicted as if blank: "
            f"{some(named)}"
        )


def _told(recipe: Recipe, number: int) -> str:
    stage, count = recipe.stages[number - 1], len(recipe.stages)
    told = stages.describe(stage, number, count, recipe.stage_hw(stage))
    return f"{told}: {stage.epochs} epoch{'' if stage.epochs == 1 else 's'}"
