"""The files below a folder, for sources that make something from them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from kitbox.data import files
from kitbox.errors import LabelError, SourceError
from kitbox.sources.folder import Folder, absolute


def list_files(folder: Path) -> list[str]:
    """All files below a folder, sorted, as `/`-separated paths relative to it.

    `~` is the home. Hidden names are skipped, links to folders are followed.

    Raises:
        SourceError: when the folder is not there or may not be read.
    """
    root = Folder(path=folder).fetch(Path())
    try:
        return files.files(root)
    except LabelError as error:
        raise SourceError(error.wrong, found=error.found, do=error.do) from error


def derived_name(folder: Path, *facts: object) -> str:
    """A name for what is made from the files below a folder: the folder's own, and a key.

    The key is another when a file was added, removed or written since (by names, sizes and
    times), and for other `facts`.

    Args:
        folder: `~` is the home.
        facts: plain values (str, numbers, lists, mappings) that it depends on as well, such
            as the options of a source.

    Raises:
        SourceError: when the folder is not there or may not be read.
    """
    root = absolute(folder)
    known = []
    for name in list_files(root):
        try:
            status = os.stat(root / name)
        except OSError as error:
            raise SourceError(
                f"The file {root / name} cannot be looked at",
                found=error.strerror or type(error).__name__,
                do="Mend or remove it",
            ) from error
        known.append((name, status.st_size, status.st_mtime_ns))
    text = json.dumps([known, facts], sort_keys=True)
    return f"{root.name}-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"
