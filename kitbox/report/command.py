"""`kitbox report`: the report of a finished run, made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    files: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the pictures; by default where the recipe's source finds them.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write RUN/report.html again: what it learned, what it got wrong, what to change."""
    from kitbox.interpretation.of import of_run
    from kitbox.progress import Progress
    from kitbox.report import report as reports
    from kitbox.results.folder import RunFolder

    progress, folder = Progress(), RunFolder(run)
    ended = folder.ended()
    seen = of_run(run, whole=True, files=files, progress=progress)
    if not reports.write(folder, ended, seen, seen.scene.loader.pixels, progress):
        raise typer.Exit(2)
