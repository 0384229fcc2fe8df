"""`kitbox init`: recipes written for a person to go on from."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from kitbox.errors import KitboxError, RecipeError, SourceError, nearest

app = typer.Typer(help="Write a recipe to go on from.", rich_markup_mode=None, no_args_is_help=True)
LARGE = 20_000
"""Pictures from which on a draft is not tried."""


@app.callback()
def _group() -> None:
    """Write a recipe to go on from."""


@app.command()
def competition(
    what: Annotated[
        str,
        typer.Argument(
            metavar="SLUG_OR_FOLDER",
            help="A folder of a competition's files, or the last part of its address at Kaggle.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The recipe to write; by default NAME.yaml.", show_default=False),
    ] = None,
) -> None:
    """Look at a competition's files and write a recipe, its guesses explained in comments."""
    from kitbox.drafts import draft as drafts
    from kitbox.drafts.survey import look

    source, name = locate(what)
    target = out or Path(f"{name}.yaml")
    if target.exists():  # before anything is downloaded
        raise RecipeError(f"{target} is there already", do="Remove it, or name another by --out")
    survey = look(files(source))
    made = drafts.make(survey, source)
    text = made.text(name)
    from kitbox.storage import write

    holds, tried, notes = _try(text, target, len(survey.pictures))
    write(target, text.encode())
    typer.echo(text)
    typer.echo(f"{target} written. {tried}")
    for note in notes:
        typer.echo(note)
    if made.unknown:
        typer.echo("Not known, and to be looked at:")
        for one in made.unknown:
            typer.echo(f"- {one}")
    first = "Go on with" if holds else f"Mend that in {target}, and go on with"
    typer.echo(f"{first}: kitbox check {target}")


def locate(what: str) -> tuple[dict[str, Any], str]:
    """The source as a recipe names it, and a name.

    Raises:
        RecipeError: when it is neither a folder nor like a competition's name.
    """
    from kitbox.drafts.draft import name_of

    folder = Path(what).expanduser()
    if folder.is_dir():
        return {"use": "folder", "path": what}, name_of(folder.resolve())
    address = re.match(r"(https?://)?(www\.)?kaggle\.com/(competitions|c)/([^/?#]*)", what)
    slug = address[4] if address else what.strip()
    if not re.fullmatch(r"[\w-]+", slug, re.ASCII):
        raise RecipeError(
            f"There is no folder {what}" + (": it is a file" if folder.is_file() else ""),
            do=_beside(folder)
            or "Give the folder of a competition's files, or the last part of its address",
        )
    return {"use": "kaggle", "competition": slug}, slug


def files(source: dict[str, Any]) -> Path:
    """The folder of a source's files.

    Raises:
        KitboxError: when they cannot be had.
    """
    from kitbox import environment, registry

    try:
        return registry.sources.build(source).fetch(environment.cache_folder())
    except SourceError as error:
        slug = source.get("competition")
        if slug is None:
            raise
        raise SourceError(
            f"There is no folder {slug} here, and as a competition: {error.wrong}",
            found=error.found,
            do=f"{_beside(Path(slug))} {error.do}".strip(),
        ) from error


def _beside(folder: Path) -> str:
    """The folder that was meant, as a question; '' where none is called nearly so."""
    above = folder.absolute().parent
    try:
        names = [one.name for one in above.iterdir() if one.is_dir()]
    except OSError:
        return ""
    hint = nearest(folder.name, names)
    return hint if hint.startswith("Did") else ""  # not all that there are


def _try(text: str, target: Path, pictures: int) -> tuple[bool, str, list[str]]:
    """Whether the draft holds against the files, that in words, and notes on it."""
    from kitbox.recipe import parse

    recipe = parse(text, target)
    if pictures > LARGE:
        return True, f"With {pictures:,} pictures it was not tried here.", []
    from kitbox import environment, runner
    from kitbox.models.model import Model
    from kitbox.progress import Progress

    files = recipe.source.find(environment.cache_folder())
    assert files is not None, "the files were looked at"
    said = io.StringIO()
    try:
        progress = Progress(said)
        rows, _, task, sample = runner.gather(recipe, files, progress)
        body = recipe.backbone.build(recipe.hw, load=False, maps=task.maps())
        runner.rehearse(recipe, task, Model(body, task.head(body)), rows, sample, files, progress)
    except KitboxError as error:
        return False, f"It does not hold yet: {error}", []
    asked = int((rows["part"] == "test").sum())
    notes = [line for line in said.getvalue().splitlines() if line.startswith("Note: ")]
    tried = f"Tried: {len(rows) - asked:,} labelled pictures, {asked:,} to predict."
    return True, tried, notes
