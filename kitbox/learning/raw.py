"""A source's files before they are data: fetched, and looked over for what to leave out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox import environment as environments
from kitbox import registry
from kitbox.errors import RecipeError
from kitbox.options import Mistakes

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.learning.data import Data


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


def clean(data: Data, out: Path, *, near: bool = True) -> pd.DataFrame:
    """See `Data.clean`."""
    import pandas as pd

    from kitbox import clean as cleaning
    from kitbox.data.faults import Fault, Picture

    rows = data.rows
    told = rows[list(data.targets)].map(str).agg(", ".join, axis=1)
    tests = rows["part"] == "test"
    pictures = {
        image: Picture(image, part, "" if test else label)
        for image, part, label, test in zip(rows["image"], rows["part"], told, tests, strict=True)
    }
    found = cleaning.clean(data.files, list(pictures.values()), out, data.progress, near=near)
    return pd.DataFrame(found, columns=[*Fault.__dataclass_fields__])
