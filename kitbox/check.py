"""What a recipe would do, without doing it."""

from __future__ import annotations

import pandas as pd
import torch

from kitbox import environment as environments
from kitbox import runner
from kitbox.data.assemble import assemble, decode, labelled, without_broken
from kitbox.models.model import Model
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.training import stages


def check(recipe: Recipe, progress: Progress) -> None:
    """Say what a run would do; where the data is here, try one batch per stage.

    Nothing is fetched, no run folder is made and no weights are kept. Trying a
    batch needs the pretrained weights here too, and decodes only its pictures.

    Raises:
        KitboxError: what would stop the run.
    """
    environment = environments.detect()
    progress.say(f"device: {environment.device_name} ({environment.reason})")
    progress.say(f"weights: {recipe.backbone.find_weights()}")
    files = recipe.source.find(environment.cache)
    if files is None:
        progress.say("source: not here yet; a run would fetch it. Labels cannot be checked before")
        _say_stages(recipe, progress)
        return
    progress.say(f"source: {files}")
    sample = runner.read_sample(recipe, files)
    rows, targets = assemble(
        files, recipe.labeler, recipe.split, recipe.test, sample, progress, recipe.exclude
    )
    task = recipe.task.learn(labelled(rows), targets)
    torch.manual_seed(recipe.seed)
    body = recipe.backbone.build(recipe.hw)
    model = Model(body, task.head(body.features))
    runner.rehearse(recipe, task, model, rows, sample)

    train = rows[rows["part"] == "train"].head(recipe.batch_size)
    valid = rows[rows["part"] == "valid"].head(1)
    few = pd.concat([train, valid], ignore_index=True)
    decoded = decode(files, few, body, recipe.largest, environment, progress, keep=False)
    few = without_broken(few, decoded, 1.0, progress)
    trainer = runner.make_trainer(recipe, task, model, few, decoded, environment, progress)
    for number, stage in enumerate(recipe.stages, 1):
        progress.say(f"{stages.describe(recipe, number)}: {stage.epochs} epochs")
        loss = trainer.try_batch(number, stage, recipe.stage_hw(stage))
        progress.say(f"  one batch of {len(trainer.train)}: loss {loss:.3f}, gradients are finite")
    progress.say("The recipe is sound.")


def _say_stages(recipe: Recipe, progress: Progress) -> None:
    for number, stage in enumerate(recipe.stages, 1):
        progress.say(f"{stages.describe(recipe, number)}: {stage.epochs} epochs")
