"""The source that is here already: a folder."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from kitbox.errors import SourceError, nearest, some
from kitbox.options import Options


class Folder(Options):
    """A folder of raw files; nothing is copied and nothing is written."""

    path: Path = Field(
        description="the folder; `~` is the home, a relative path starts at the working folder"
    )

    def find(self, cache: Path) -> Path | None:
        """The folder, as `fetch`: there is nothing to fetch."""
        return self.fetch(cache)

    def fetch(self, cache: Path) -> Path:
        """The folder. `cache` is not used.

        Raises:
            SourceError: when it is missing or is no folder.
        """
        folder = absolute(self.path)
        # os.path, not pathlib: it says no where the way there may not be looked into.
        if os.path.isdir(folder):
            return folder
        if os.path.exists(folder):
            raise SourceError(
                f"The source's path is not a folder: {folder}",
                found="a file",
                do="Name its folder, or use the source `untar` for an archive",
            )
        raise SourceError(
            f"The source's folder does not exist: {folder}",
            found=beside(folder),
            do="Correct `path`",
        )


def absolute(path: Path) -> Path:
    """The path as looked at: home expanded, below the working folder, links kept."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        # `~someone` of nobody on this machine.
        raise SourceError(f"The path {path} cannot be expanded: {error}") from error


def beside(path: Path) -> str:
    """What lies where `path` was looked for: the nearest name or the first few.

    The deepest folder of `path` that exists is the one described.
    """
    wanted, folder = path, path.parent
    while not os.path.isdir(folder) and folder != folder.parent:
        wanted, folder = folder, folder.parent
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        return f"{folder} cannot be read ({error.strerror})"
    if not names:
        return f"{folder} is empty"
    hint = nearest(wanted.name, names)
    return f"{folder} holds {some(names)}. {hint if hint.startswith('Did') else ''}".strip()
