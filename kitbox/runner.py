"""The whole way, from raw pictures to a submission."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from kitbox import blame, durations, launch, launched, registry
from kitbox import environment as environments
from kitbox.allocator import keep_freed
from kitbox.contracts import Body, Recalls, Task
from kitbox.data import pixels
from kitbox.data.assemble import (
    advise,
    decode,
    label,
    make_loader,
    wait_for_rest,
    with_test,
    without_broken,
)
from kitbox.data.geometry import Fit
from kitbox.data.sampling import Listed
from kitbox.data.sharing import WHOLE
from kitbox.data.state import digest
from kitbox.data.targets import Fixed
from kitbox.errors import KitboxError, RecipeError, StorageError
from kitbox.interpretation.of import of_trainer
from kitbox.interpretation.watch import watch
from kitbox.models.model import Model, shape_of_outputs
from kitbox.models.state import load_weights, read_facts, save_weights
from kitbox.progress import Progress, clock
from kitbox.recipe import Recipe
from kitbox.report import report
from kitbox.results import folder as names
from kitbox.results import pictures, saved
from kitbox.results.folder import RunFolder, fingerprint
from kitbox.results.predictions import predict
from kitbox.stopping import Stop, Stopped
from kitbox.storage import write
from kitbox.training import stages
from kitbox.training.budget import Budget
from kitbox.training.crew import ALONE, Crew
from kitbox.training.keeper import Keeper
from kitbox.training.trainer import SurpriseError, Trainer
from kitbox.writers import sample as samples
from kitbox.writers import submission

if TYPE_CHECKING:
    from kitbox.environment import Environment
    from kitbox.interpretation.interpretation import Interpretation
    from kitbox.training.stages import Epoch


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        folder: where everything lies.
        scores: loss and metrics on the validation rows, of the weights that predict.
        submission: the file to hand in, or None where the recipe asks for none.
        stopped: somebody stopped it early; the same call goes on.
    """

    folder: Path
    scores: Mapping[str, float]
    submission: Path | None
    stopped: bool = False


def run(
    recipe: Recipe,
    out: Path | str | None = None,
    *,
    resume_from: Path | str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Follow a recipe from its source to a submission.

    A run that was cut short goes on from its last checkpoint, and ends with the
    weights of one that never was.

    Args:
        recipe: what to do.
        out: the run's folder; by default `runs/<the recipe's name>`. A folder
            that already holds this run, finished, is left as it is.
        resume_from: the folder of a run that was cut short elsewhere (or of its
            copies, see `copy_to` of a recipe), to go on from in `out`.
        progress: where to say what happens; by default standard output.

    Raises:
        KitboxError: one of `kitbox.errors`, for whatever a person can mend, and for whatever
            a plugin of another package raises.
    """
    began = time.monotonic()
    progress = progress or Progress()
    home = RunFolder(Path(out) if out is not None else Path("runs") / recipe.name)
    elsewhere = Path(resume_from) if resume_from is not None else None
    if recipe.processes > 1 and not environments.launched() and not home.finished(recipe):
        launch.run(recipe, home.path, elsewhere, progress)
        return _result(home, home.ended())
    with launched.joined(home, progress) as (crew, folder, progress):
        if (done := crew.same(folder.finished(recipe))) is not None:
            progress.say(
                f"{home.path} already holds this run, finished {done['at']}; left as it is"
            )
            return _result(home, done)
        bringing = elsewhere if crew.main else None
        with folder.held(recipe, bringing=bringing is not None):
            try:
                if bringing is not None and not folder.bring(bringing, recipe):
                    progress.say(f"{home.path} holds a run already, which goes on from where it is")
                try:
                    done = follow(recipe, folder, progress, began, crew)
                except SurpriseError as error:  # before anything was saved
                    surprise = error.with_traceback(None)  # which holds on to the model
                else:
                    return _result(home, done)
                progress.warn(f"{surprise}; begins again without them")
                surprise.pixels.wait()
                surprise.pixels.settle()
                del surprise  # and with it the pictures, where they were in memory
                return _result(home, follow(recipe, folder, progress, began, crew, wait=True))
            except KitboxError as error:
                folder.failed(recipe, error)
                raise
            except Exception as error:
                if (told := blame.told(error, home / names.TRACEBACK)) is None:
                    raise
                folder.failed(recipe, told)
                raise told from error


def follow(
    recipe: Recipe,
    folder: RunFolder,
    progress: Progress,
    began: float,
    crew: Crew,
    *,
    wait: bool = False,
) -> dict[str, Any]:
    """The whole way, in a folder that is held; what `run.json` says in the end.

    Args:
        crew: the processes that go it together; see `kitbox.launched.joined`.
        wait: every picture is decoded before the training begins, also for a GPU.

    Raises:
        SurpriseError: when it did not wait, and pictures that it trained on turned out broken.
    """
    environment = environments.detect()
    if environment.device == "cpu":
        keep_freed()
    progress.spent.clear()
    progress.say(f"{environment.device_name}: {environment.reason}")
    torch.manual_seed(recipe.seed)
    with crew.in_turn():  # missing weights stop here
        body = recipe.backbone.build(recipe.hw, maps=recipe.task.maps())
    progress.say(f"weights: {body.weights}")
    with crew.in_turn():
        files = recipe.source.fetch(environment.cache)
    rows, targets, task, sample = gather(recipe, files, progress)
    model = Model(body, task.head(body))
    rehearse(recipe, task, model, rows, sample, files, progress)

    wait = wait or (folder / names.CHECKPOINT).exists() or crew.count > 1
    with crew.in_turn():
        decoded = decode(files, rows, body, recipe.decode_hw, environment, progress, wait=wait)
    rows = without_broken(rows, decoded, recipe.broken, progress)
    folder.start(recipe, rows, data := _learned_from(recipe, files, rows, targets))
    crew.alike(lambda: f"{data} {fingerprint(recipe)} {rows.to_csv()}", "recipe and pictures")
    trainer = make_trainer(recipe, task, model, files, rows, decoded, environment, progress, crew)
    trainer.keeper = make_keeper(recipe, trainer, folder, progress, crew)
    show_batch(recipe, trainer, folder)

    with trainer.keeper.stop:
        stopped = train(recipe, trainer, folder, progress)
    trainer.keeper.settle()  # where the run before was killed between its last save and this
    if (weights := folder / recipe.kept).exists():
        model.load_state_dict(load_weights(weights))
    crew.align(model)
    seen = watch(task) if recipe.report else None
    scores = tune(recipe, trainer, progress, seen)
    task = trainer.task
    if crew.main:
        saved.save(folder / names.MODEL, model.state_dict(), facts(recipe, task, body))
    predict(trainer, rows, "valid", recipe.hw, folder, progress)
    wait_for_rest(rows, decoded, progress)
    predicted = predict(trainer, rows, "test", recipe.hw, folder, progress)
    if not crew.main:
        return crew.ended()
    file = submit(recipe, task, predicted, sample, files, folder)

    folder.json(names.ENVIRONMENT, record(recipe, environment, body, rows, decoded, crew))
    ended: dict[str, Any] = {
        "scores": scores,
        "kept": kept(recipe, trainer),
        "submission": file.name if file else None,
        "epochs": len(trainer.log),
        "seconds": round(time.monotonic() - began, 1),
        "spent": {k: round(n, 2) for k, n in progress.spent.items() if ", epoch " not in k},
    }
    if recipe.report:
        scene = of_trainer(trainer, recipe, rows, files, recipe.hw, seen=seen, run=folder.path)
        report.write(folder, ended, scene, decoded, progress)
    done = folder.finish(recipe, ended, stopped=stopped)
    trainer.keeper.finish(names.RESULTS)
    progress.say(
        f"validation ({ended['kept']}): "
        + "  ".join(f"{name} {value:.4g}" for name, value in scores.items())
    )
    progress.say(f"{file or folder.path} written after {clock(time.monotonic() - began)}")
    return crew.ended(done)


class Data(NamedTuple):
    """What a run is about.

    Attributes:
        rows: the whole table.
        targets: names of the target columns.
        task: with what it learned from the rows.
        sample: the sample submission, if the recipe names one.
    """

    rows: pd.DataFrame
    targets: tuple[str, ...]
    task: Task
    sample: pd.DataFrame | None


def gather(recipe: Recipe, files: Path, progress: Progress) -> Data:
    """The whole table, and the task with what it learned from it."""
    sample = None
    if recipe.submission is not None and recipe.submission.sample is not None:
        sample = samples.read(files / recipe.submission.sample)
    known = label(files, recipe.labeler, recipe.split, progress, recipe.exclude)
    if isinstance(recipe.sampler, Listed):  # wrong files show before anything is decoded
        recipe.sampler.weights(known.rows[known.rows["part"] == "train"])
    task = recipe.task.learn(known.rows, known.targets, files)
    ids = None
    if recipe.submission is not None and sample is not None:
        ids = submission.choose(recipe.submission.writer, task, sample).ids(sample, files)
    rows = with_test(known, files, recipe.test, ids, progress)
    advise(task, rows, recipe.augmentation, progress, tta=recipe.tta)
    return Data(rows, known.targets, task, sample)


def rehearse(
    recipe: Recipe,
    task: Task,
    model: Model,
    rows: pd.DataFrame,
    sample: pd.DataFrame | None,
    files: Path,
    progress: Progress,
) -> None:
    """Stop now if a stage, a prediction or the submission that the recipe asks for cannot be."""
    for number, stage in enumerate(recipe.stages, 1):
        shape_of_outputs(model, recipe.stage_hw(stage))
        try:
            model.freeze(stage.freeze, hold_norm=False)
        except RecipeError as error:
            wrong = f"Stage {number} cannot freeze {stage.freeze!r}: {error.wrong}"
            raise RecipeError(wrong, do=error.do) from error
    model.freeze(False, hold_norm=False)
    blank = submission.blank(task, shape_of_outputs(model, recipe.hw), recipe.hw)
    if recipe.submission is not None:
        writer = submission.choose(recipe.submission.writer, task, sample)
        for note in submission.rehearse(writer, blank, rows, sample, files):
            progress.warn(note)


def make_trainer(
    recipe: Recipe,
    task: Task,
    model: Model,
    files: Path,
    rows: pd.DataFrame,
    decoded: pixels.Pixels,
    environment: Environment,
    progress: Progress,
    crew: Crew = ALONE,
) -> Trainer:
    """The trainer of a run, its model on the device."""
    model.to(environment.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    loader = make_loader(
        files,
        rows,
        task,
        decoded,
        model.body,
        environment,
        fit=fit(recipe, task),
        batch_size=recipe.batch_size,
        share=crew.share,
        say=progress.say,
    )
    if recipe.mix is not None and recipe.mix.cutmix and not isinstance(loader.targets, Fixed):
        raise RecipeError(
            "`mix.cutmix` puts a part of one picture into another; this task's targets lie on the "
            "picture and would not move with it",
            do="Use `mix: {mixup: 0.2}`, or no `mix`",
        )
    train = np.flatnonzero(rows["part"] == "train")
    weights = None
    if recipe.sampler == "balanced":
        weights = task.balance(loader.targets, train)
    elif recipe.sampler is not None:
        weights = recipe.sampler.weights(rows.iloc[train])
    predicted = int((rows["part"] != "train").sum())
    recalled = len(train) if isinstance(task, Recalls) else 0
    return Trainer(
        model=model,
        task=task,
        loader=loader,
        augmentation=recipe.augmentation,
        train=train,
        weights=weights,
        valid=np.flatnonzero(rows["part"] == "valid"),
        accelerator=stages.make_accelerator(environment, compiled=recipe.compile),
        weight_decay=recipe.weight_decay,
        seed=recipe.seed,
        progress=progress,
        ids=list(rows["id"]),
        budget=budget(recipe),
        predictions=(predicted + recalled) * (1 + recipe.tta),
        mix=recipe.mix,
        tta=recipe.tta,
        crew=crew,
    )


def make_keeper(
    recipe: Recipe, trainer: Trainer, folder: RunFolder, progress: Progress, crew: Crew = ALONE
) -> Keeper:
    """What keeps the trainer's checkpoints in a run's folder, and copies of them elsewhere.

    Raises:
        StorageError: when `copy_to` holds what is not this run's.
    """
    if recipe.copy_to is not None:
        if recipe.copy_to.resolve() == folder.path.resolve():
            raise StorageError(
                f"`copy_to` is the run's own folder, {folder.path}",
                do="Name another folder, on another disk at best",
            )
        RunFolder(recipe.copy_to).allow(recipe)

    def settle() -> None:
        """The best weights go with the checkpoint that knows of them, never before it."""
        candidate = folder / names.CANDIDATE
        if not candidate.exists():
            return
        if trainer.log and read_facts(candidate) == _of(best(recipe, trainer)):
            candidate.replace(folder / names.BEST)
        else:  # of an epoch that was trained again
            candidate.unlink()

    return Keeper(
        folder / names.CHECKPOINT,
        recipe.checkpoint_every,
        Stop(progress.warn),
        recipe.copy_to,
        names.COPIED,
        progress.warn,
        settle,
        lambda there: RunFolder(there).allow(recipe),
        crew,
    )


def budget(recipe: Recipe) -> Budget | None:
    """The time that the recipe allows, from the start of this process."""
    if recipe.time_budget is None:
        return None
    return Budget(durations.seconds(recipe.time_budget), environments.began())


def show_batch(recipe: Recipe, trainer: Trainer, folder: RunFolder) -> None:
    """Write `batch.png`: training pictures as the model sees them."""
    few = trainer.train[:: max(1, len(trainer.train) // 12)][:12]
    size = recipe.stage_hw(recipe.stages[0])
    loader = replace(trainer.loader, share=WHOLE)  # whole, whoever shares the others
    batches = loader.varied(few, size, recipe.augmentation, (recipe.seed, 0, 0))
    images, targets, _ = next(iter(batches))
    sheet = pictures.batch(loader, trainer.task, images, targets, recipe.mix, (recipe.seed,))
    write(folder / names.BATCH, pictures.png(sheet))


def train(recipe: Recipe, trainer: Trainer, folder: RunFolder, progress: Progress) -> bool:
    """Every stage in turn, the best weights kept as they come; whether somebody stopped it."""
    stage = 0
    try:
        for epoch in trainer.stages(recipe.stages, recipe.stage_hw):
            if epoch.stage != stage:
                stage = epoch.stage
                progress.head(epoch.cells())
            progress.row(epoch.cells())
            folder.log([one.row() for one in trainer.log])
            folder.log([one.time() for one in trainer.log], names.TIMES)
            if trainer.crew.main and best(recipe, trainer) is epoch:
                save_weights(folder / names.CANDIDATE, trainer.model.state_dict(), _of(epoch))
    except Stopped:
        progress.warn(
            "stopped, and saved: the same command goes on from here. Predicting with the weights "
            "so far; Ctrl-C again leaves at once"
        )
        return True
    if trainer.crew.main:
        save_weights(folder / names.LAST, trainer.model.state_dict())
    return False


def best(recipe: Recipe, trainer: Trainer) -> Epoch:
    """The epoch so far with the best value of the task's first metric, the later of two alike.

    Scores at another size than the last stage's do not compare with those at it: they count
    only while there are no others.
    """
    metric, better = trainer.task.best()
    here = [one for one in trainer.log if recipe.size_of(one.stage) == recipe.hw]
    measured = here or trainer.log
    return measured[stages.place_of_best([one.scores[metric] for one in measured], better)]


def kept(recipe: Recipe, trainer: Trainer) -> str:
    """Which weights predict, in words."""
    if not trainer.log:  # stopped before the first epoch's end
        return "weights so far"
    epoch = trainer.log[-1] if recipe.keep == "last" else best(recipe, trainer)
    height, width = recipe.hw
    what = f"{recipe.keep} weights, of stage {epoch.stage}, epoch {epoch.epoch}"
    mirrored = ", means over mirror images" if recipe.tta else ""
    return f"{what}, at {height}x{width} pixels{mirrored}"


def tune(
    recipe: Recipe, trainer: Trainer, progress: Progress, watch: Interpretation | None = None
) -> dict[str, float]:
    """Give the trainer's task what the validation rows teach; loss and metrics with it.

    The main process's task: only that decodes and is saved.

    Args:
        watch: sees the pass over the validation rows.
    """
    if isinstance(trainer.task, Recalls):
        with progress.bar("recalling", trainer.loader.count_fixed(len(trainer.train))) as step:
            _, known = trainer.validate(recipe.hw, step, rows=trainer.train)
        if trainer.crew.main:
            trainer.task = trainer.task.recall(known)
    steps = trainer.loader.count_fixed(len(trainer.valid))
    with progress.bar("validating", steps) as step:
        loss, tally = trainer.validate(recipe.hw, step, watch=watch)
    if not trainer.crew.main:
        return {}
    trainer.task = trainer.task.tune(tally)
    return {"loss": loss, **trainer.task.score(tally)}


def submit(
    recipe: Recipe,
    task: Task,
    predicted: pd.DataFrame,
    sample: pd.DataFrame | None,
    files: Path,
    folder: RunFolder,
) -> Path | None:
    """Write `submission.csv` from the predictions, where the recipe asks for one."""
    if recipe.submission is None:
        return None
    writer = submission.choose(recipe.submission.writer, task, sample)
    made = submission.make(writer, predicted, sample, files)
    submission.write(made, file := folder / names.SUBMISSION)
    return file


def fit(recipe: Recipe, task: Task) -> Fit:
    """How a picture of another shape comes to the size."""
    return recipe.fit or task.fit()


def facts(recipe: Recipe, task: Task, body: Body) -> saved.Facts:
    """What a saved model says of itself."""
    return saved.Facts(
        task=registry.tasks.describe(task),
        backbone=_without_weights(registry.backbones.describe(recipe.backbone)),
        size=recipe.hw,
        fit=fit(recipe, task),
        mean=tuple(body.mean),
        std=tuple(body.std),
        interpolation=body.interpolation,
        channels=body.channels,
        tta=recipe.tta,
    )


def record(
    recipe: Recipe,
    environment: Environment,
    body: Body,
    rows: pd.DataFrame,
    decoded: pixels.Pixels,
    crew: Crew,
) -> dict[str, Any]:
    """What `environment.json` keeps: versions, device, number format, plugins, weights, seed."""
    return {
        "versions": environments.versions(),
        "place": environment.place,
        "device": environment.device_name,
        "precision": {"no": "fp32"}.get(environment.precision, environment.precision),
        "reason": environment.reason,
        "threads": torch.get_num_threads(),
        "processes": crew.count,
        "weights": body.weights,
        "pixels": decoded.tier,
        "broken": {str(rows.at[row, "image"]): why for row, why in decoded.broken.items()},
        "plugins": registry.used(recipe.plugins()),
        "seed": recipe.seed,
    }


def _learned_from(recipe: Recipe, files: Path, rows: pd.DataFrame, targets: Sequence[str]) -> str:
    """A hash of the files that a run learns from, and of how often it draws them."""
    drawn = recipe.sampler.digest(rows) if isinstance(recipe.sampler, Listed) else ""
    return digest(files, rows, targets) + drawn


def _without_weights(backbone: dict[str, Any]) -> dict[str, Any]:
    """A backbone as a saved model has it: the file of weights that it began with may be gone."""
    return {**backbone, **({"weights": None} if "weights" in backbone else {})}


def _of(epoch: Epoch) -> dict[str, str]:
    """Which epoch's weights are in a file; one fact, as safetensors writes several in any order."""
    return {"epoch": f"{epoch.stage}.{epoch.epoch}"}


def _result(folder: RunFolder, done: Mapping[str, Any]) -> Run:
    name = done.get("submission")
    scores = {k: float("nan") if v is None else v for k, v in done.get("scores", {}).items()}
    file = folder / name if name else None
    return Run(folder.path, scores, file, done.get("state") == "stopped")
