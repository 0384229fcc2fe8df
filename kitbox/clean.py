"""What had better be left out of a folder or a recipe's pictures, as a csv file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox import environment as environments
from kitbox import storage as files
from kitbox.data import faults
from kitbox.data.faults import Fault, Picture
from kitbox.data.files import pictures as below
from kitbox.errors import PictureError, StorageError, some
from kitbox.labelers.folder import TEST, TRAIN, VALID
from kitbox.progress import Progress

if TYPE_CHECKING:
    from kitbox.recipe import Recipe

_PARTS = {
    name: part
    for part, names in {"train": TRAIN, "valid": VALID, "test": TEST}.items()
    for name in names
}


def of_folder(folder: Path) -> tuple[Path, list[Picture]]:
    """The pictures of a folder; a top folder called train, valid or test tells the part.

    Raises:
        PictureError: when there are none.
        LabelError: when the folder cannot be listed.
    """
    images = below(folder)
    if not images:
        raise PictureError(f"There are no pictures below {folder}", do="Check the path")
    return folder, [
        Picture(image, _PARTS.get(image.partition("/")[0].lower(), "")) for image in images
    ]


def of_recipe(recipe: Recipe, progress: Progress) -> tuple[Path, list[Picture]]:
    """The pictures that a run of the recipe would use, as it would split them.

    Brings the source's files here. The recipe's own `exclude` is not applied,
    because it may be what is about to be made.

    Raises:
        KitboxError: what would stop the run.
    """
    from kitbox.runner import gather

    folder = recipe.source.fetch(environments.cache_folder())
    rows, targets, _, _ = gather(recipe.model_copy(update={"exclude": None}), folder, progress)
    pictures: dict[str, Picture] = {}
    for row in rows.to_dict("records"):
        labels = ", ".join(str(row[target]) for target in targets if row["part"] != "test")
        pictures.setdefault(row["image"], Picture(row["image"], row["part"], labels))
    return folder, list(pictures.values())


def clean(
    folder: Path, pictures: Sequence[Picture], out: Path, progress: Progress, *, near: bool = True
) -> list[Fault]:
    """Look at every picture and write those that had better be left out.

    Args:
        folder: where the pictures are.
        pictures: which ones.
        out: the csv file, with the columns of `Fault`; a recipe takes it as `exclude`.
        progress: where to say what was found.
        near: find near duplicates too.

    Raises:
        StorageError: when the file cannot be written, or is somebody's.
    """
    header = [field.name for field in fields(Fault)]
    files.refuse_strangers(out, ",".join(header))
    _refuse_others(out, {picture.image for picture in pictures})
    with progress.bar("looking at pictures", len(pictures)) as step:
        found = faults.find(folder, pictures, near=near, workers=environments.cores(), step=step)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(astuple(fault) for fault in found)
    files.write(out, text.getvalue().encode("utf-8", "surrogateescape"))
    counts = Counter(fault.reason for fault in found)
    told = ", ".join(f"{counts[reason]} {reason}" for reason in sorted(counts)) or "nothing wrong"
    progress.say(f"{len(pictures)} pictures: {told}")
    parts = {picture.image: picture.part for picture in pictures}
    if tests := sum(parts[fault.image] == "test" for fault in found):
        progress.say(f"{tests} of them are test pictures, which a run never leaves out")
    progress.say(f"{out} written; a recipe leaves these out with `exclude: {out}`")
    return found


def _refuse_others(out: Path, known: set[str]) -> None:
    """Refuse to write over what was found in other pictures: most of it is not among these.

    Raises:
        StorageError: naming one of them.
    """
    if not out.exists():
        return
    with out.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        there = [row["image"] for row in csv.DictReader(file)]
    strange = [image for image in there if image not in known]  # or removed meanwhile
    if 2 * len(strange) > len(there):
        raise StorageError(
            f"{out} is there already, and leaves out pictures that are not among these",
            found=some(strange, 1),
            do="Choose another file, or remove it",
        )
