"""A source's files before they are data: fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kitbox import environment as environments
from kitbox import registry
from kitbox.errors import RecipeError
from kitbox.options import Mistakes


def fetch(source: Any) -> Path:
    """Bring a source's files here, as far as that was not done before, and return their folder.

    `kitbox.load` with the same source finds them there.

    >>> files = kitbox.fetch({"use": "untar", "url": "PETS"})  # doctest: +SKIP

    Args:
        source: as in `kitbox.load`: a plugin's name, a mapping with `use` and options, or a
            plugin itself.

    Raises:
        RecipeError: when there is no such source, or it takes no such options.
        KitboxError: one of `kitbox.errors`, when the files cannot be had.
    """
    try:
        made = registry.sources.build(source)
    except Mistakes as error:
        wrong = [f"source.{m.place}: {m.text}" if m.where else m.text for m in error.mistakes]
        raise RecipeError(
            "The source cannot be so", mistakes=wrong, do="`kitbox plugins` lists the sources"
        ) from error
    return made.fetch(environments.cache_folder())
