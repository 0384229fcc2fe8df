"""Commands for the kernels of code competitions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def rerun(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    out: Annotated[Path, typer.Option(help="The submission to write.")] = Path("submission.csv"),
    files: Annotated[
        Path | None,
        typer.Option(
            help="The competition's files; by default where the recipe's source finds them.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Predict the test pictures that are there now with a run's model; nothing is trained."""
    from kitbox.rerun import rerun as again

    again(run, out, files=files)


def pack(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="RECIPE_OR_RUN", help="A recipe, or a finished run's folder. With --test: DEST."
        ),
    ],
    dest: Annotated[
        Path | None, typer.Argument(metavar="DEST", help="The folder to make.", show_default=False)
    ] = None,
    test: Annotated[
        bool,
        typer.Option(
            "--test", help="Try a folder that was made: a new environment, without network."
        ),
    ] = False,
    torch: Annotated[
        bool,
        typer.Option(
            "--image-torch",
            help="With --test: take the image's torch, gigabytes; else it is this machine's.",
        ),
    ] = False,
) -> None:
    """Put wheels, weights and recipe into a folder to attach to a kernel without network."""
    if test != (dest is None) or (torch and not test):
        raise typer.BadParameter("give RECIPE_OR_RUN and DEST, or --test and DEST")
    if dest is None:
        from kitbox.kaggle.trial import trial

        trial(what, torch=torch)
    else:
        from kitbox.kaggle.pack import pack as make

        make(what, dest)
