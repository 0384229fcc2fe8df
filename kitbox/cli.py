"""The command line: thin. Heavy modules are imported inside the commands."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitbox import launched
from kitbox.cli_plugins import new_app, plugins_app
from kitbox.drafts.command import app as init_app
from kitbox.interpretation.command import interpret
from kitbox.kaggle import commands
from kitbox.report.command import report

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    name="kitbox",
    help="From pictures to a submission: fine-tuning by recipe, on plugins.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(plugins_app, name="plugins")
app.add_typer(new_app, name="new")
app.add_typer(init_app, name="init")
app.command()(commands.rerun)
app.command()(commands.pack)
app.command()(interpret)
app.command()(report)

RecipeFile = Annotated[Path, typer.Argument(help="A recipe, a YAML file.", show_default=False)]
Out = Annotated[
    Path | None,
    typer.Option(help="The run's folder; by default runs/<the recipe's name>.", show_default=False),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a value: seed=1, stages.0.epochs=2.", show_default=False),
]


@app.command()
def demo(out: Out = None, changes: Changes = None) -> None:
    """Fine-tune on the embedded digits in two stages and write a submission."""
    from kitbox.demo import PATH

    run(PATH, out, changes, None, None)


@app.command()
def run(
    recipe: RecipeFile,
    out: Out = None,
    changes: Changes = None,
    resume_from: Annotated[
        Path | None,
        typer.Option(
            help="Go on from a run that was cut short elsewhere, or from its copies.",
            show_default=False,
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that share the work, a GPU for each."),
    ] = None,
) -> None:
    """Follow a recipe from its source to a submission; a run that was cut short goes on."""
    from kitbox.recipe import read

    if processes is not None:
        changes = [*(changes or ()), f"processes={processes}"]
    checked = read(recipe, changes or ())  # before torch is imported: mistakes show at once
    from kitbox.runner import run as follow

    if follow(checked, out, resume_from=resume_from).stopped and not launched.by_run():
        raise typer.Exit(130)


@app.command()
def check(recipe: RecipeFile, changes: Changes = None) -> None:
    """Say what a recipe would do, without doing it; tries one batch per stage."""
    from kitbox.recipe import read

    checked = read(recipe, changes or ())
    from kitbox.check import check as look
    from kitbox.progress import Progress

    look(checked, Progress())


@app.command()
def predict(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    pictures: Annotated[list[Path], typer.Argument(help="Picture files, or folders of them.")],
    out: Annotated[Path | None, typer.Option(help="Write a csv with all outputs.")] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many outputs to print at most; by default as suits the task."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over --out.")] = False,
) -> None:
    """Use the model of a finished run on pictures."""
    from kitbox.errors import PictureError, StorageError, counted, some

    if out is not None and out.exists() and not force:
        raise StorageError(f"{out} is there already", do="Choose another --out, or add --force")
    from kitbox.contracts import Decides
    from kitbox.results.predictor import Predictor, listed

    paths = listed(pictures)
    broken: dict[str, str] = {}
    predictor = Predictor.load(folder)
    table = predictor.predict(paths, broken=broken)
    lines = []
    if len(table) and isinstance(predictor.task, Decides):
        lines = predictor.task.decide(table.drop(columns="image"), top)
    elif len(table):
        lines = [_first(row, top or 3) for _, row in table.drop(columns="image").iterrows()]
    for image, line in zip(table["image"], lines, strict=True):
        typer.echo(f"{image}: {line}")
    if out is not None:
        from kitbox.storage import whole

        with whole(out) as beside:
            table.to_csv(beside, index=False, float_format="%.6g", lineterminator="\n")
        typer.echo(f"{out} written: {counted(len(table), 'picture')}")
    if broken:
        raise PictureError(
            f"{len(broken)} of {len(paths)} pictures could not be read and have no prediction",
            found=some(f"{name} ({why})" for name, why in broken.items()),
            do="Leave them out or mend them",
        )


@app.command("check-submission")
def check_submission(
    file: Annotated[Path, typer.Argument(help="A submission, a csv file.", show_default=False)],
    sample: Annotated[
        Path, typer.Option(help="The competition's sample submission.", show_default=False)
    ],
    height: Annotated[
        int | None, typer.Option(min=1, help="Height of the pictures, for run lengths.")
    ] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Their width.")] = None,
    relative: Annotated[
        bool, typer.Option("--relative", help="Run lengths start from the end of the run before.")
    ] = False,
) -> None:
    """Say what a competition would refuse in a submission, before it is handed in."""
    from kitbox.writers.decoding import Reading
    from kitbox.writers.verify import verify_file

    if (height is None) != (width is None):
        raise typer.BadParameter("--height and --width go together")
    size = None if height is None or width is None else (height, width)
    verdict = verify_file(file, sample, Reading(size, relative))
    for note in verdict.notes:
        typer.echo(f"Note: {note}")
    if verdict.faults:
        typer.echo("\n\n".join(f"kitbox: {fault}" for fault in verdict.faults), err=True)
        raise typer.Exit(2)
    typer.echo(f"{file}: nothing to refuse: {verdict.what}")


@app.command()
def submit(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    message: Annotated[str | None, typer.Option(help="By default the recipe's name.")] = None,
    competition: Annotated[
        str | None, typer.Option(help="By default the one that the recipe's source names.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also if it was handed in before.")
    ] = False,
) -> None:
    """Hand in a run's submission.csv to Kaggle and wait for its score."""
    from kitbox.kaggle.submitting import submit as hand_in

    hand_in(folder, message=message, competition=competition, again=again)


@app.command()
def submissions(
    competition: Annotated[
        str | None,
        typer.Argument(metavar="[SLUG]", help="The last part of a competition's address."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="The folder that the runs lie in.")] = Path("runs"),
) -> None:
    """List the submissions at Kaggle, with the runs that they came from."""
    from kitbox.kaggle.submissions import listing as submitted

    for line in submitted(competition, runs):
        typer.echo(line)


@app.command()
def clean(
    what: Annotated[
        Path, typer.Argument(metavar="FOLDER_OR_RECIPE", help="A folder of pictures, or a recipe.")
    ],
    out: Annotated[Path, typer.Option(help="The csv file to write.")] = Path("exclude.csv"),
    near: Annotated[bool, typer.Option(help="Find near duplicates too.")] = True,
    changes: Changes = None,
) -> None:
    """List broken, doubled and cross-split pictures, for a recipe's `exclude`."""
    from kitbox.progress import Progress

    progress = Progress()
    if what.is_dir():
        from kitbox.clean import clean as look
        from kitbox.clean import of_folder

        look(*of_folder(what), out, progress, near=near)
        return
    from kitbox.recipe import read

    checked = read(what, changes or ())
    from kitbox.clean import clean as look
    from kitbox.clean import of_recipe

    look(*of_recipe(checked, progress), out, progress, near=near)


def _first(outputs: pd.Series, top: int) -> str:
    """The first outputs of a picture, of a task that does not say what to show."""
    from kitbox.errors import some

    cells = (
        f"{name} {cell:.4g}" if isinstance(cell, float) else f"{name} {cell}"
        for name, cell in outputs.items()
    )
    return some(cells, top)


@app.command()
def doctor() -> None:
    """Say what there is to work with here: devices, memory, disks, keys; with advice."""
    from kitbox.doctor import look, say

    say(look(), typer.echo)


@app.command()
def schema() -> None:
    """Print a JSON schema of recipes, for an editor."""
    from kitbox.recipe import schema as describe

    typer.echo(json.dumps(describe(), indent=2))


@app.callback(invoke_without_command=True)
def _whole(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from kitbox import __version__

        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """The entry point: a person's mistakes are one paragraph and exit code 2."""
    import os

    launched.heed()
    # A closed pipe (`kitbox plugins | head`) is no bug of ours.
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except SystemExit as end:
        if end.code == 130 and not launched.by_run():  # what typer makes of Ctrl-C
            typer.echo("\nkitbox: stopped; the same command goes on", err=True)
        raise
    except Exception as error:
        from kitbox.errors import KitboxError

        told: KitboxError | None
        if isinstance(error, KitboxError):
            told = error
        else:
            from kitbox.blame import told as as_a_plugin_s

            told = as_a_plugin_s(error)
        if told is None:
            raise
        if not launched.report(told):
            typer.echo(f"kitbox: {told}", err=True)
        sys.exit(2)
