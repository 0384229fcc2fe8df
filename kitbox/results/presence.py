"""Whether a run's folder is there; if not, what is there instead."""

from __future__ import annotations

from pathlib import Path

from kitbox.errors import KitboxError, StorageError
from kitbox.sources.folder import beside


def check(run: Path, error: type[KitboxError] = StorageError) -> None:
    """Look whether a folder that somebody named as a run's is there.

    Raises:
        KitboxError: of the class `error`, with the nearest names where it was looked for.
    """
    if run.is_dir():
        return
    if run.exists():
        raise error(f"{run} is a file, not the folder of a run", do="Give the run's folder")
    raise error(
        f"There is no folder {run}",
        found=beside(run.absolute()),
        do="Give the folder of a finished run",
    )
