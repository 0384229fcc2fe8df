"""`kitbox interpret`: what a run's model does with its validation pictures, as files and lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def interpret(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write; by default RUN/interpretation.", show_default=False),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the pictures; by default where the recipe's source finds them.",
            show_default=False,
        ),
    ] = None,
    part: Annotated[str, typer.Option(help="Which pictures: valid or train.")] = "valid",
    copies: Annotated[
        bool, typer.Option(help="Look for copies across the split: reads every labelled picture.")
    ] = True,
    hard: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Write the training pictures that the model does worst on, for a recipe's "
            "`sampler: {csv: ...}`; nothing else is written.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show what a run's model gets wrong, and say what to change: tables, plots, advice."""
    if part not in ("valid", "train"):
        raise typer.BadParameter("--part is valid or train")
    from kitbox.interpretation import writing
    from kitbox.interpretation.of import of_run
    from kitbox.progress import Progress
    from kitbox.results import presence

    progress = Progress()
    presence.check(run)
    if hard is not None:
        seen = of_run(run, part="train", files=files, progress=progress)
        progress.say(
            f"{seen.write_hard(hard)} written; a recipe takes it as `sampler: {{csv: {hard}}}`"
        )
        return
    folder = out if out is not None else run / writing.FOLDER
    writing.ready(folder)
    seen = of_run(run, part=part, whole=copies, files=files, progress=progress)
    for line in seen.headlines():
        progress.say(line)
    advice = seen.advice(copies=copies)
    with progress.bar("drawing", 1):
        written = writing.save(seen.sections(), advice, folder)
    for one in advice:
        for line in one.lines():
            progress.say(line)
    if not advice:
        progress.say("no advice: nothing stands out that a change of the recipe would mend")
    for kept, beside in written.kept:
        progress.say(f"{kept} was changed by somebody and stays as it is; {beside.name} is new")
    progress.say(f"{folder}: {len(written.files)} tables and plots, and {writing.ADVICE}")
