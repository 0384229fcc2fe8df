"""What is wrong with pictures: broken ones, copies, and copies on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kitbox.data.duplicates import Finder
from kitbox.data.looks import Look, look
from kitbox.errors import PictureError
from kitbox.progress import Step

Reason = Literal["broken", "duplicate", "near-duplicate", "cross-split"]

_ORDER = {"test": 0, "valid": 1}


@dataclass(frozen=True)
class Picture:
    """A picture to look at.

    Attributes:
        image: its path below the folder.
        part: 'train', 'valid', 'test', or '' where it is not known.
        label: its label in words, '' where it is not known.
    """

    image: str
    part: str = ""
    label: str = ""


@dataclass(frozen=True)
class Fault:
    """A picture that had better be left out.

    Attributes:
        image: its path below the folder.
        reason: 'broken', 'duplicate' (the same bytes), 'near-duplicate', or
            'cross-split' (a copy of one in another part).
        of: the picture that stays in its stead; '' for a broken one.
        detail: more about it.
    """

    image: str
    reason: Reason
    of: str = ""
    detail: str = ""


def find(
    folder: Path,
    pictures: Iterable[Picture],
    *,
    near: bool = True,
    workers: int = 2,
    step: Step | None = None,
) -> list[Fault]:
    """Look at every picture.

    Of copies in several parts the one in the test part stays, else the one in
    the validation part; of those in one part the first. So without the faults
    no training picture has a copy among those that measure the model.

    Args:
        folder: where the pictures are.
        pictures: each path once.
        near: find near duplicates too.
        workers: threads.
        step: told each picture.

    Returns:
        The faults, sorted by image. Test pictures are among them.
    """
    ordered = sorted(pictures, key=lambda picture: _ORDER.get(picture.part, 2))
    known = {picture.image: picture for picture in ordered}
    finder = Finder() if near else Finder(bits=-1)
    faults = []
    for picture, seen in zip(ordered, _looks(folder, ordered, workers, step), strict=True):
        if isinstance(seen, str):
            faults.append(Fault(picture.image, "broken", detail=seen))
            continue
        # A test picture stays whatever it is a copy of, so all of them are compared with.
        copy = finder.add(picture.image, seen, original=picture.part == "test")
        if copy is None:
            continue
        other = known[copy.of]
        crosses = picture.part != other.part
        details: list[str] = [copy.kind] if crosses else []
        details += [f"in {picture.part} and {other.part}"] if crosses else []
        if picture.label and other.label and picture.label != other.label:
            details.append(f"labels differ: {picture.label} and {other.label}")
        reason: Reason = copy.kind
        if crosses:
            reason = "cross-split"
        faults.append(Fault(picture.image, reason, copy.of, "; ".join(details)))
    return sorted(faults, key=lambda fault: fault.image)


def _looks(
    folder: Path, pictures: Sequence[Picture], workers: int, step: Step | None
) -> Iterable[Look | str]:
    """What each picture is, or why it is none, in their order."""

    def one(picture: Picture) -> Look | str:
        try:
            return look(folder / picture.image)
        except PictureError as error:
            return error.wrong

    with ThreadPoolExecutor(workers) as pool:
        try:
            for seen in pool.map(one, pictures):
                if step:
                    step(1)
                yield seen
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
