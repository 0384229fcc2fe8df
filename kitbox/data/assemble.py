"""From files to what batches are made of: the table with parts, pixels, the loader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kitbox.contracts import Advises, Augmentation, Body, Labeler, Splitter, Task
from kitbox.data import exclude, geometry, pixels, table, unlabelled, variation
from kitbox.data.batches import Loader
from kitbox.data.resident import Resident
from kitbox.data.sharing import WHOLE, Share
from kitbox.data.split import Auto
from kitbox.data.targets import Fixed
from kitbox.errors import PictureError, counted, some
from kitbox.progress import Progress

if TYPE_CHECKING:
    from kitbox.environment import Environment


AHEAD = 4
"""How many times larger batches are on a GPU where nothing is trained: no gradients are kept."""


@dataclass(frozen=True)
class Labelled:
    """The labelled rows.

    Attributes:
        rows: with `part`.
        targets: names of their target columns.
        taken: the pictures that have labels, also those that were left out.
    """

    rows: pd.DataFrame
    targets: tuple[str, ...]
    taken: set[str]


def label(
    files: Path,
    labeler: Labeler,
    splitter: Splitter,
    progress: Progress,
    leave_out: Path | None = None,
) -> Labelled:
    """The labelled rows with their `part` (train, valid).

    Args:
        leave_out: a csv file of labelled pictures that are dropped before the split.
    """
    labels = labeler.label(files)
    for note in labels.notes:
        progress.say(f"labels: {note}")
    if labels.parted and isinstance(splitter, Auto):
        progress.say(f"labels: {labels.parted}")
    rows = table.make(labels, files)
    taken = set(rows["image"])
    if leave_out is not None:
        rows, note = exclude.without(rows, leave_out, files)
        progress.warn(note)
    rows = table.with_parts(rows, splitter.split(rows, labels.targets, files))
    return Labelled(rows, labels.targets, taken)


def with_test(
    labelled: Labelled,
    files: Path,
    test: unlabelled.TestPictures | None,
    ids: Sequence[str] | None,
    progress: Progress,
) -> pd.DataFrame:
    """The whole table: the labelled rows, and those to predict with the part 'test'.

    Args:
        ids: the pictures that the sample submission asks for; None where there is no sample.
    """
    rows = labelled.rows
    to_predict = unlabelled.test_rows(
        files, test=test or unlabelled.TestPictures(), ids=ids, taken=labelled.taken
    )
    counts = rows["part"].value_counts()
    progress.say(
        f"pictures: {counts.get('train', 0)} train, {counts.get('valid', 0)} validate, "
        f"{len(to_predict)} to predict"
    )
    return table.join(rows, to_predict)


def advise(
    task: Task,
    rows: pd.DataFrame,
    augmentation: Augmentation,
    progress: Progress,
    *,
    tta: bool = False,
) -> None:
    """Say what the task, learned, has to say about the recipe, and what fits badly together."""
    seen = variation.seen(augmentation)
    if isinstance(task, Advises):
        for note in task.advise(labelled(rows), seen):
            progress.warn(note)
    if tta and not seen.mirrors:
        progress.warn(
            "`tta` predicts mirror images too, but the augmentation never shows any in training"
        )


def labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that have targets: all but the test pictures."""
    return rows[rows["part"] != "test"]


def decode(
    files: Path,
    rows: pd.DataFrame,
    body: Body,
    size: tuple[int, int],
    environment: Environment,
    progress: Progress,
    *,
    keep: bool = True,
    wait: bool = True,
) -> pixels.Pixels:
    """Every picture's pixels, for a network that sees at most `size` (H, W).

    Args:
        keep: False leaves the pixel cache on the disk alone.
        wait: False lets a GPU begin at once: pictures are then decoded while it works, those
            that it needs first. On a CPU they are decoded before: both want the same cores.
    """
    wait = wait or not overlaps(environment)
    with progress.bar("decoding pictures" if wait else "reading headers", len(rows)) as step:
        decoded = pixels.load(
            files,
            list(rows["image"]),
            side=pixels.side_for(size),
            channels=body.channels,
            cache=environment.cache if keep else None,
            workers=environment.workers,
            step=step,
            wait=wait,
        )
    fresh = f"{counted(len(rows), 'picture')} decoded" if decoded.filling else "nothing to decode"
    now = fresh if decoded.decoded else "decoded while training begins"
    progress.say(f"pixels: {now}; {decoded.tier}")
    return decoded


def overlaps(environment: Environment) -> bool:
    """Whether pictures are decoded while the device works."""
    return environment.device.startswith("cuda")


def without_broken(
    rows: pd.DataFrame, decoded: pixels.Pixels, limit: float, progress: Progress
) -> pd.DataFrame:
    """The table with the part 'broken' for labelled pictures that cannot be decoded.

    Test rows stay: they get the prediction of a blank picture.

    Raises:
        PictureError: when more than the share `limit` of the labelled pictures is broken,
            or a part has no picture left.
    """
    broken = pd.Series(decoded.broken, dtype=object)
    if broken.empty:
        return rows
    of_test = rows.loc[broken.index, "part"] == "test"
    lines = rows.loc[broken.index, "image"].astype(str) + " (" + broken.astype(str) + ")"
    lost, blank = list(lines[~of_test]), list(lines[of_test])
    total = len(labelled(rows))
    if len(lost) > limit * total:
        raise PictureError(
            f"{len(lost)} of {total} labelled pictures cannot be read, more than the share "
            f"of {limit:g} that the recipe allows",
            found=some(lost),
            do="Mend or remove them, check the labeler's folder and suffix, or raise `broken`",
        )
    if lost:
        progress.warn(f"{counted(len(lost), 'labelled picture')} left out: {some(lost)}")
    _tell_blank(blank, progress)
    rows = rows.copy()
    rows.loc[broken.index[~of_test], "part"] = "broken"
    for part in ("train", "valid"):
        if not (rows["part"] == part).any():
            raise PictureError(
                f"No picture that can be read is left in the part '{part}'",
                found=some(lost),
                do="Mend the pictures or choose another split",
            )
    return rows


def wait_for_rest(rows: pd.DataFrame, decoded: pixels.Pixels, progress: Progress) -> None:
    """Return when all are decoded, and kept for later runs; tells which are predicted as blank."""
    if not decoded.decoded:
        with progress.bar("decoding pictures", len(rows)) as step:
            decoded.wait(step)
    before = decoded.tier
    decoded.settle()
    if decoded.tier != before:
        progress.warn(f"pixels: {decoded.tier}")
    found = decoded.surprises(np.flatnonzero(rows["part"] == "test"))
    _tell_blank([f"{rows.at[row, 'image']!s} ({decoded.broken[row]})" for row in found], progress)


def _tell_blank(pictures: Sequence[str], progress: Progress) -> None:
    if pictures:
        count = counted(len(pictures), "test picture")
        progress.warn(f"{count} predicted as if blank: {some(pictures)}")


def make_loader(
    files: Path,
    rows: pd.DataFrame,
    task: Task,
    decoded: pixels.Pixels,
    body: Body,
    environment: Environment,
    *,
    fit: geometry.Fit,
    batch_size: int,
    share: Share = WHOLE,
    say: Callable[[str], None] = lambda text: None,
) -> Loader:
    """The loader of a run's batches.

    Args:
        share: of each batch, where several processes work at it.
        say: told how pictures come to a GPU.
    """
    known = (rows["part"] != "test").to_numpy()
    number = np.where(known, np.cumsum(known) - 1, -1)  # among the labelled rows
    encoded = task.encode(rows[known], files)
    targets = Fixed(encoded) if isinstance(encoded, np.ndarray) else encoded
    return Loader(
        pixels=decoded,
        targets=targets.bind(number, decoded.sizes, decoded.extents),
        mean=body.mean,
        std=body.std,
        interpolation=geometry.interpolation(body.interpolation),
        fit=fit,
        device=environment.device,
        workers=environment.workers,
        batch_size=batch_size,
        resident=Resident(decoded, environment.device, say)
        if environment.device.startswith("cuda")
        else None,
        ahead=AHEAD if environment.device.startswith("cuda") else 1,
        share=share,
    )
