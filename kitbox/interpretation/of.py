"""Interpretations of a finished run's folder, and of a trainer at work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox.errors import LabelError, PictureError, StorageError, counted, some
from kitbox.interpretation import watch
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.scene import Scene
from kitbox.progress import Progress
from kitbox.recipe import Recipe, read
from kitbox.results.folder import LOG, RECIPE, TABLE

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.training.trainer import Trainer


def of_run(
    run: Path | str,
    *,
    part: str = "valid",
    train: bool = False,
    whole: bool = False,
    files: Path | str | None = None,
    progress: Progress | None = None,
) -> Interpretation:
    """What the model of a finished run does with its labelled pictures.

    Nothing is trained, and nothing is written into the folder. The pictures are read again, from
    where the recipe's source finds them.

    Args:
        run: the folder.
        part: which pictures, 'valid' or 'train'.
        train: the training pictures are read too, for `write_hard`.
        whole: every picture of the run is read, the test pictures too, by way of the pixel cache,
            where the run has left them: for `advice(copies=True)`.
        files: the folder of the pictures; by default the source's.
        progress: where to say what happens; by default standard output.

    Raises:
        KitboxError: when the run, its model or the pictures are not there.
    """
    from kitbox import environment as environments
    from kitbox.allocator import keep_freed
    from kitbox.data import table_file
    from kitbox.data.assemble import decode, make_loader
    from kitbox.results.predictor import Predictor

    run, progress = Path(run), progress or Progress()
    recipe = read(run / RECIPE)
    predictor = Predictor.load(run)
    if not (run / TABLE).is_file():
        raise StorageError(f"{run} has no {TABLE}: it is no whole run", do="Copy the run again")
    table = table_file.load(run / TABLE)
    labelled = table[table["part"].isin(["train", "valid"])]
    environment = environments.detect()
    if environment.device == "cpu":
        keep_freed()
    here = Path(files) if files is not None else recipe.source.fetch(environment.cache)
    parts = {part, *(["train"] if train else [])}
    rows = table if whole else labelled[labelled["part"].isin(parts)].reset_index(drop=True)
    if not (rows["part"] == part).any():
        raise LabelError(
            f"The run {run} has no pictures of the part '{part}'",
            found=some(sorted(set(table["part"]))),
        )
    facts, model, body = predictor.facts, predictor.model, predictor.model.body
    body.mean, body.std, body.interpolation = facts.mean, facts.std, facts.interpolation
    decoded = decode(here, rows, body, recipe.decode_hw, environment, progress, keep=whole)
    rows = _without(rows, decoded.broken, part, progress)
    loader = make_loader(
        here,
        rows,
        predictor.task,
        decoded,
        body,
        environment,
        fit=facts.fit,
        batch_size=recipe.batch_size,
    )
    model.to(environment.device)
    scene = Scene(
        task=predictor.task,
        model=model,
        loader=loader,
        table=rows,
        labelled=labelled.reset_index(drop=True),
        files=here,
        size=facts.size,
        recipe=recipe,
        log=_log(run / LOG),
        run=run,
    )
    chosen = (rows["part"] == part).to_numpy().nonzero()[0]
    with progress.bar(f"looking at: {part}", loader.count_fixed(len(chosen))) as step:
        return watch.look(scene, chosen, step)


def of_trainer(
    trainer: Trainer,
    recipe: Recipe | None,
    table: pd.DataFrame,
    files: Path,
    size: tuple[int, int],
    *,
    part: str = "valid",
    seen: Interpretation | None = None,
    run: Path | None = None,
    progress: Progress | None = None,
) -> Interpretation:
    """What a trainer's model, as it is now, does with its validation pictures.

    Args:
        recipe: what was asked for; without it the log and some rules say nothing.
        table: the rows, by the trainer's numbers, with `part`.
        files: the source's folder.
        size: (H, W) that the network sees.
        part: 'train' looks at the training pictures, as they are, instead.
        seen: what `kitbox.interpretation.watch.watch` made and `Trainer.validate` filled, so
            that no second pass is needed.
        run: the run's folder, where there is one.
        progress: where to say how far a pass is.
    """
    import pandas as pd

    from kitbox.data.sharing import WHOLE

    progress = progress or Progress(quiet=True)
    if seen is None and part == "valid":
        seen = watch.watch(trainer.task)
        steps = trainer.loader.count_fixed(len(trainer.valid))
        with progress.bar("looking at: valid", steps) as step:
            trainer.validate(size, step, watch=seen)
    scene = Scene(
        task=trainer.task,
        model=trainer.model,
        loader=replace(trainer.loader, share=WHOLE),
        table=table,
        labelled=table[table["part"].isin(["train", "valid"])],
        files=files,
        size=size,
        recipe=recipe,
        log=pd.DataFrame([one.row() for one in trainer.log]) if trainer.log else None,
        calmed=trainer.calmed,
        run=run,
    )
    if seen is None:
        rows = (table["part"] == part).to_numpy().nonzero()[0]
        with progress.bar(f"looking at: {part}", scene.loader.count_fixed(len(rows))) as step:
            return watch.look(scene, rows, step)
    return watch.finish(seen, scene)


def _without(
    rows: pd.DataFrame, broken: dict[int, str], part: str, progress: Progress
) -> pd.DataFrame:
    """The rows, those that cannot be read with the part 'broken'.

    Raises:
        PictureError: when none is left.
    """
    lost = [row for row in broken if rows.at[row, "part"] in ("train", "valid")]
    if not lost:
        return rows
    named = [f"{rows.at[row, 'image']!s} ({broken[row]})" for row in lost]
    rows = rows.copy()
    rows.loc[lost, "part"] = "broken"
    if not (rows["part"] == part).any():
        raise PictureError(
            f"None of the pictures of the part '{part}' can be read",
            found=some(named),
            do="Give the folder of the pictures with --files",
        )
    progress.warn(f"{counted(len(named), 'picture')} cannot be read: {some(named)}")
    return rows


def _log(path: Path) -> pd.DataFrame | None:
    """The log of epochs, where there is one that can be read."""
    import pandas as pd

    try:
        return pd.read_csv(path)
    except (OSError, ValueError):
        return None
