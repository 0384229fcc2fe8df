"""Where the raw files come from."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Source(Protocol):
    """Where the raw files come from."""

    def find(self, cache: Path) -> Path | None:
        """The folder of raw files if it is already here, else None.

        Does no work: no network, nothing written. `kitbox check` asks this.

        Raises:
            SourceError: when it is known already that `fetch` will fail.
        """

    def fetch(self, cache: Path) -> Path:
        """Bring the raw files here and return their folder.

        Called once at the start of a run. Whatever is written goes below
        `cache` and appears whole or not at all; a second call finds it there.

        Raises:
            SourceError: when the files cannot be had.
        """
