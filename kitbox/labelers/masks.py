"""A mask for each picture: by a path, by a function, or from a csv file of run lengths."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from posixpath import normpath
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from kitbox.contracts import Labels
from kitbox.data.files import Below, contents, files, inside, is_below, is_picture, stem
from kitbox.errors import LabelError, some
from kitbox.labelers import run_lengths
from kitbox.labelers.function import load
from kitbox.options import Options

PATH = "masks/{stem}.png"
"""Where masks are if nothing else is said."""
_FIELDS = ("stem", "name", "parent")


class MaskLabels(Options):
    """A mask for each picture, of the size that it has upright (as EXIF turns it).

    `path`, `function` or `csv` says where it is.
    """

    images: Below | None = Field(
        None,
        description="the folder of the pictures; by default the source's own (with `csv` "
        "it is guessed)",
    )
    path: str | None = Field(
        None,
        description="the mask's file below the source's folder, as in labels/{stem}_P.png: {stem} "
        "is the picture's name without suffix, {name} with it, {parent} its folder below `images`; "
        "by default masks/{stem}.png",
    )
    function: str | None = Field(
        None,
        description="package.module:name, called with the path (str) of each picture below "
        "`images`, gives the path of its mask below the source's folder, or None to skip it",
    )
    unmatched: Literal["error", "skip"] = Field(
        "error", description="what a picture without its mask is"
    )
    csv: Below | None = Field(None, description="a csv file of run lengths")
    id: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="the csv's column that names the picture; by default the first"
    )
    runs: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="its column of run lengths; by default guessed by its name"
    )
    classes: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="its column that names the class, where there are several"
    )
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="what stands between picture and class where `id` holds both"
    )
    suffix: str | None = Field(None, description="what the ids lack of the file's name, .jpg say")
    order: Literal["columns", "rows"] = Field(
        "columns", description="whether run lengths count down the columns or along the rows"
    )
    base: Literal[0, 1] | None = Field(
        None, description="position of the first pixel; by default 1, or 0 with `relative`"
    )
    relative: bool = Field(False, description="starts count from the end of the run before")
    absent: Literal["skip", "empty"] = Field(
        "skip",
        description="what a picture below `images` without a row in the csv is: no labelled "
        "picture, or one with an empty mask",
    )

    @field_validator("path")
    @classmethod
    def _check_path(cls, path: str | None) -> str | None:
        if path is None:
            return None
        try:
            named = [name for _, name, _, _ in Formatter().parse(path) if name is not None]
            path.format(**dict.fromkeys(_FIELDS, "x"))
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            raise ValueError(
                f"found {path!r}, expected a path with {{stem}}, {{name}} or {{parent}} in it"
            ) from error
        if not {"stem", "name"} & set(named):
            raise ValueError(f"found {path!r}, expected {{stem}} or {{name}} in it")
        if not is_below(path):
            raise ValueError(f"found {path!r}, expected a path below the source's folder")
        return path

    @field_validator("function")
    @classmethod
    def _check_function(cls, function: str | None) -> str | None:
        if function is not None and not re.fullmatch(
            r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", function
        ):
            raise ValueError(f"found {function!r}, expected package.module:name")
        return function

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in ("path", "function", "csv") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"found {some(given)}, expected one of them")
        ours = ("id", "runs", "classes", "separator", "suffix", "order", "base", "relative")
        fields = type(self).model_fields
        idle = [name for name in (*ours, "absent") if getattr(self, name) != fields[name].default]
        if self.csv is None and idle:
            raise ValueError(f"found {some(idle)}, which belong to `csv`")
        if self.classes is not None and self.separator is not None:
            raise ValueError("found `classes` and `separator`, expected one of them")
        return self

    def label(self, folder: Path) -> Labels:
        """One row a picture with a mask.

        From files: `id` is the picture's path below the source's folder, the target
        column `mask` the mask's. From a csv: `id` is its cell, and the targets are
        run lengths as `kitbox.data.masks` has them, in `mask` or in a column a class.

        Raises:
            LabelError: when there are no pictures, a mask is missing (and `unmatched`
                is 'error'), or the csv file does not fit.
        """
        if self.csv is not None:
            return run_lengths.read(
                folder,
                self.csv,
                run_lengths.Layout(self.id, self.runs, self.classes, self.separator),
                run_lengths.Writing(self.order, self.base, self.relative),
                images=self.images,
                suffix=self.suffix,
                absent=self.absent,
            )
        return self._from_files(folder)

    def _from_files(self, folder: Path) -> Labels:
        import pandas as pd

        where = self.images or ""
        root = inside(folder, where)
        prefix = f"{where}/" if where else ""
        there = files(folder)
        listed = [path for path in there if path.startswith(prefix) and is_picture(path)]
        if not listed:
            raise LabelError(
                f"There are no pictures below {root}",
                found=contents(root),
                do="Set `images` of the labeler to the folder of the pictures",
            )
        find = self._by_path if self.function is None else self._by_function(folder)
        masks = {path: find(path.removeprefix(prefix)) for path in listed}
        # Masks may lie between the pictures; a mask is no picture of its own.
        known = set(there)
        taken = {mask for path, mask in masks.items() if mask in known and mask != path}
        masks = {path: mask for path, mask in masks.items() if path not in taken}
        matched = {path: mask for path, mask in masks.items() if mask in known}
        asked = {path: mask for path, mask in masks.items() if mask is not None}
        missing = [path for path in asked if path not in matched]
        if not matched or (missing and self.unmatched == "error"):
            raise _without(missing or list(masks), masks, folder, len(masks))
        notes = [_told(matched, len(masks), where)]
        if missing:
            notes.append(f"Skipped, because they have no mask: {some(missing)}.")
        if len(asked) < len(masks):
            notes.append(f"{self.function} skipped {len(masks) - len(asked)} pictures.")
        if spare := _spare(there, masks, matched):
            notes.append(f"{len(spare)} masks belong to no picture: {some(spare)}.")
        paths = list(matched)
        rows = pd.DataFrame({"id": paths, "image": paths, "mask": list(matched.values())})
        return Labels(rows, ("mask",), tuple(notes))

    def _by_path(self, path: str) -> str:
        parent, _, name = path.rpartition("/")
        template = self.path or PATH
        return normpath(template.format(stem=stem(path), name=name, parent=parent).lstrip("/"))

    def _by_function(self, folder: Path) -> Callable[[str], str | None]:
        assert self.function is not None
        call = load(self.function)

        def find(path: str) -> str | None:
            try:
                found: Any = call(path)
                given = None if found is None else os.fspath(found)
                if given is not None and not isinstance(given, str):
                    raise TypeError(f"{given!r} is no path")
            except Exception as error:
                raise LabelError(
                    f"{self.function} failed for the picture {path}",
                    found=f"{type(error).__name__}: {error}",
                    do="It should return the path of the mask; None skips a picture",
                ) from error
            if given is None:
                return None
            if os.path.isabs(given):
                given = os.path.relpath(given, folder)
            plain = normpath(given.replace(os.sep, "/"))
            if not is_below(plain):
                raise LabelError(
                    f"{self.function} gives a mask outside the source's folder for {path}",
                    found=str(found),
                    do="Return a path below that folder",
                )
            return plain

        return find


def _without(
    missing: list[str], masks: dict[str, str | None], folder: Path, count: int
) -> LabelError:
    """What to say of pictures without a mask."""
    first = masks[missing[0]]
    near = folder if first is None else (folder / first).parent
    while not near.is_dir():
        near = near.parent
    pairs = some((f"no {masks[path]} for {path}" for path in missing), most=3)
    return LabelError(
        f"{len(missing)} of {count} pictures have no mask",
        found=f"{pairs}; there are {contents(near)}",
        do="Correct `path` (or the function), set `images` to the folder of the labelled "
        "pictures, or set `unmatched: skip`",
    )


def _told(matched: dict[str, str], count: int, where: str) -> str:
    path, mask = next(iter(matched.items()))
    below = f" below '{where}'" if where else ""
    return f"{len(matched)} of {count} pictures{below} have their mask: {path} has {mask}."


def _spare(there: list[str], pictures: dict[str, Any], matched: dict[str, str]) -> list[str]:
    """Pictures that lie beside masks and are none of a picture, where masks have folders alone."""
    folders = {mask.rpartition("/")[0] for mask in matched.values()}
    folders -= {path.rpartition("/")[0] for path in pictures}
    used = set(matched.values())
    return [
        path
        for path in there
        if path.rpartition("/")[0] in folders and path not in used and is_picture(path)
    ]
