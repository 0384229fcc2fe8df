"""Labels from a json file as COCO has it: pictures, annotations, categories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from kitbox.contracts import Labels
from kitbox.data import named
from kitbox.data.files import Below, contents, files
from kitbox.errors import LabelError, counted, some
from kitbox.labelers.places import find
from kitbox.labelers.values import told
from kitbox.options import Options


class CocoLabels(Options):
    """The categories of the pictures in a json file: `images`, `annotations`, `categories`.

    Where pictures have annotations of different categories the labels are lists, for a
    multi-label task. Boxes and outlines are not read. Pictures without annotations are left out.
    """

    drafted_for: ClassVar[str] = "categories"

    file: Below = Field(description="the json file, below the source's folder")
    field: Annotated[str, Field(min_length=1)] = Field(
        "category_id", description="the annotations' field that is the label"
    )
    classes: Literal["numbers", "names"] = Field(
        "numbers", description="categories by their `id`, or by their `name`"
    )
    folder: Below | None = Field(None, description="where the pictures are; by default guessed")

    def label(self, folder: Path) -> Labels:
        """One row a picture, with the target column `label`; `id` is the file's own.

        Raises:
            LabelError: when the file is no such json, an annotation is of no picture or
                no category, or none of the pictures is there.
        """
        import pandas as pd

        held = named.load(folder, self.file)
        paths = named.images(held, self.file)
        labels = self._labels(held, paths)
        notes = []
        if without := len(paths) - len(labels):
            notes.append(f"Left out: {counted(without, 'picture')} without annotations.")
        asked = [paths[one] for one in labels]
        found = find(asked, files(folder), self.folder)
        if found is None:
            raise LabelError(
                f"None of the {len(asked)} pictures that {self.file} names is there",
                found=f"{some(asked, most=3)}; there are {contents(folder)}",
                do="Set `folder` of the labeler to where the pictures are",
            )
        images, more = found
        several = any(len(given) > 1 for given in labels.values())
        cells: list[Any] = [
            tuple(str(one) for one in given) if several else given[0] for given in labels.values()
        ]
        rows = pd.DataFrame({"id": list(labels), "image": images})
        rows["label"] = pd.Series(cells, dtype=object) if several else cells
        return Labels(rows, ("label",), (told(rows["label"]), *notes, *more))

    def _labels(self, held: Any, paths: Mapping[str, str]) -> dict[str, list[Any]]:
        """The different labels of every picture that has annotations, sorted."""
        annotations = held.get("annotations") if isinstance(held, Mapping) else None
        if not isinstance(annotations, list) or not annotations:
            raise LabelError(
                f"{self.file} has no `annotations`",
                found=some(map(str, held)) if isinstance(held, Mapping) else type(held).__name__,
                do="Name the json file of the labelled pictures",
            )
        names = self._names(held)
        found: dict[str, dict[Any, None]] = {}
        for annotation in annotations:
            one = str(annotation.get("image_id")) if isinstance(annotation, Mapping) else ""
            if one not in paths:
                raise LabelError(
                    f"An annotation of {self.file} is of no picture",
                    found=repr(annotation)[:100],
                    do="Its `image_id` should be the `id` of one of the `images`",
                )
            if self.field not in annotation:
                raise LabelError(
                    f"An annotation of {self.file} has no '{self.field}'",
                    found=some(map(str, annotation), most=10),
                    do="Set `field` of the labeler",
                )
            value = annotation[self.field]
            if names and str(value) not in names:
                raise LabelError(f"{self.file} has no category {value!r}, which an annotation has")
            label = names[str(value)] if names else value
            found.setdefault(one, {})[label] = None
        return {one: sorted(found[one], key=str) for one in paths if one in found}

    def _names(self, held: Mapping[str, Any]) -> dict[str, str]:
        """The name of every category by its number; {} where numbers are asked for."""
        if self.classes == "numbers":
            return {}
        listed = held.get("categories")
        names = {
            str(entry.get("id", entry.get("category_id"))): str(entry["name"])
            for entry in (listed if isinstance(listed, list) else ())
            if isinstance(entry, Mapping) and "name" in entry
        }
        if not names:
            raise LabelError(
                f"{self.file} has no `categories` with names",
                do="Leave `classes: names` out: categories are then numbers",
            )
        return names
