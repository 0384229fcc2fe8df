"""A mask for each picture: by a path, by a function, or from a csv file of run lengths."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from posixpath import normpath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from kitbox.contracts import Labels
from kitbox.data import matching
from kitbox.data.files import Below, files, is_below, some_pictures
from kitbox.errors import LabelError, some
from kitbox.labelers import beside, run_lengths
from kitbox.labelers.function import NAME, calling
from kitbox.options import Options

PATH = "masks/{stem}.png"
"""Where masks are if nothing else is said."""
ID = "{id}"
"""What `path` may name where `match` finds ids."""


class MaskLabels(Options):
    """A mask for each picture, of the size that it has upright (as EXIF turns it).

    `path`, `function` or `csv` says where it is.
    """

    drafted_for: ClassVar[str] = "areas"

    images: Below | None = Field(
        None,
        description="the folder of the pictures; by default the source's own (with `csv` "
        "it is guessed)",
    )
    path: Below | None = Field(
        None,
        description="the mask's file below the source's folder, as in labels/{stem}_P.png: {stem} "
        "is the picture's name without suffix, {name} with it, {folder} and {path} its folder and "
        "its path below `images`, {id} what `match` finds; by default masks/{stem}.png",
    )
    function: str | None = Field(
        None,
        description="package.module:name, called with the `Path` of each picture (the source's "
        "folder included), gives the path of its mask (from the source's folder, or a whole one), "
        "or None to skip it",
    )
    match: matching.Match | None = Field(
        None,
        description="a regular expression, searched in each picture's path below the source's "
        "folder; its groups, joined by underscores, are the id; others are no pictures",
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
        if path is not None:
            beside.check(path.replace(ID, "{stem}"))
        return path

    @field_validator("function")
    @classmethod
    def _check_function(cls, function: str | None) -> str | None:
        if function is not None and not re.fullmatch(NAME, function):
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
        if self.match is None and self.path is not None and ID in self.path:
            raise ValueError("found {id} in `path`, which is what `match` finds")
        if self.match is not None and self.suffix is not None:
            raise ValueError("found `match` and `suffix`, expected one of them")
        if self.classes is not None and self.separator is not None:
            raise ValueError("found `classes` and `separator`, expected one of them")
        return self

    def label(self, folder: Path) -> Labels:
        """One row a picture with a mask.

        From files: `id` is the picture's path below the source's folder (or as `match`
        has it), the target column `mask` the mask's. From a csv: `id` is its cell, and the
        targets are run lengths as `kitbox.data.masks` has them, in `mask` or in a column a class.

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
                match=self.match,
                absent=self.absent,
            )
        return self._from_files(folder)

    def _from_files(self, folder: Path) -> Labels:
        import pandas as pd

        where = self.images or ""
        prefix = f"{where}/" if where else ""
        found = [prefix + path for path in some_pictures(folder, where)]
        if self.match is not None:
            found = self._matching(found)
        find = self._by_path(prefix) if self.function is None else self._by_function(folder)
        masks = {path: find(path) for path in found}
        asked = {path: mask for path, mask in masks.items() if mask is not None}
        if not asked:
            raise LabelError(
                f"{self.function} returned None for all {len(masks)} pictures",
                do="Return the path of the mask; None skips a picture",
            )
        matched = beside.match(
            asked,
            files(folder),
            folder,
            unmatched=self.unmatched,
            what="mask",
            do="Correct `path` (or the function)",
        )
        notes = matched.told("mask")
        if len(asked) < len(masks):
            notes.append(f"{self.function} skipped {len(masks) - len(asked)} pictures.")
        paths = list(matched.files)
        ids = paths if self.match is None else [matching.key(self.match, one) for one in paths]
        rows = pd.DataFrame({"id": ids, "image": paths, "mask": list(matched.files.values())})
        return Labels(rows, ("mask",), tuple(notes))

    def _matching(self, found: list[str]) -> list[str]:
        """The pictures that `match` finds an id in."""
        assert self.match is not None
        kept = [path for path in found if matching.key(self.match, path)]
        if not kept:
            raise LabelError(
                "`match` fits none of the pictures",
                found=f"{some(found, most=3)}",
                do="Correct it; it is searched in the path below the source's folder",
            )
        return kept

    def _by_path(self, prefix: str) -> Callable[[str], str | None]:
        template, match = self.path or PATH, self.match
        if match is None or ID not in template:
            return lambda path: beside.fill(template, path.removeprefix(prefix))

        def of_id(path: str) -> str | None:
            one = matching.key(match, path)
            if one is None:
                return None
            plain = one.replace("{", "{{").replace("}", "}}")
            return beside.fill(template.replace(ID, plain), path.removeprefix(prefix))

        return of_id

    def _by_function(self, folder: Path) -> Callable[[str], str | None]:
        assert self.function is not None
        call = calling(self.function)

        def find(path: str) -> str | None:
            found: Any = call(folder / path)
            if found is None:
                return None
            if not isinstance(found, str | Path):
                raise LabelError(
                    f"{self.function} gives no path of a mask for {path}",
                    found=f"{found!r} ({type(found).__name__})",
                    do="Return the path of the mask; None skips a picture",
                )
            given = os.fspath(found)
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
