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
