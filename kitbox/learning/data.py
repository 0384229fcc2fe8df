"""Data for training by hand: labelled, split, counted, shown."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kitbox import environment as environments
from kitbox import recipe as recipes
from kitbox import registry
from kitbox.blame import at_edges, edge
from kitbox.contracts import Splitter, Task
from kitbox.data import assemble, counts, state
from kitbox.data.pixels import Pixels
from kitbox.errors import RecipeError, counted, some
from kitbox.learning.eye import Eye
from kitbox.progress import Progress
from kitbox.recipe import Recipe
from kitbox.runner import gather

if TYPE_CHECKING:
    from PIL import Image

SHOWN = 30
"""Classes in a table that a notebook shows."""


@at_edges
@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """Pictures with labels, split into those that train and those that validate.

    `kitbox.load` makes it, `at` gives the same rows at another size, `kitbox.Learner`
    trains on it.

    Attributes:
        recipe: all that was said about the data; its backbone and stages mean nothing.
        files: the source's folder.
        targets: names of the target columns.
        task: with what it learned from the rows.
        sample: the sample submission (all columns str), or None.
        progress: where it says what happens.
    """

    recipe: Recipe
    files: Path
    targets: tuple[str, ...]
    task: Task
    sample: pd.DataFrame | None
    progress: Progress
    _gathered: pd.DataFrame
    _decoded: dict[tuple[int, int], tuple[Pixels, pd.DataFrame]] = field(default_factory=dict)

    @property
    def rows(self) -> pd.DataFrame:
        """The table: `id`, `image`, `part` (train, valid, test, broken) and the targets, N rows.

        Pictures turn out to be broken when they are decoded.
        """
        known = [rows for _, rows in self._decoded.values()]
        return known[-1] if known else self._gathered

    @property
    def size(self) -> tuple[int, int]:
        """What the network sees, (height, width) in pixels."""
        return recipes.as_hw(self.recipe.size)

    @property
    def largest(self) -> tuple[int, int]:
        """The (height, width) that pictures are decoded for."""
        return self.recipe.decode_hw

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the network's outputs; [] where there are none.

        Of masks the classes of a pixel.
        """
        return list(getattr(self.task, "classes", None) or ())

    def counts(self) -> pd.DataFrame:
        """How many pictures each class has: a row a class, columns `train` and `valid`.

        A picture with several labels counts for each. Where pictures have no classes of
        their own (numbers, points, masks) there is one row, `pictures`.
        """
        rows = self.rows
        found = counts.by_class(self.task, rows, self.files)
        if found is not None:
            return found
        parts = rows["part"].value_counts()
        return pd.DataFrame({p: [int(parts.get(p, 0))] for p in counts.PARTS}, ["pictures"])

    def at(
        self,
        size: int | tuple[int, int] | None = None,
        *,
        batch_size: int | None = None,
        augmentation: Any = None,
        sampler: Any = None,
        mix: Any = None,
    ) -> Data:
        """The same rows, seen otherwise; what is None stays as it is.

        Pictures are decoded again only for a size above `largest`.

        Args:
            size: one side, or (height, width), in pixels.
            batch_size, augmentation, sampler, mix: as a recipe has them.

        Raises:
            RecipeError: when a value cannot be.
        """
        given = {
            "size": size,
            "batch_size": batch_size,
            "augmentation": augmentation,
            "sampler": sampler,
            "mix": mix,
        }
        values = {**given_values(self.recipe), **_without_none(given)}
        return replace(self, recipe=recipes.make(values))

    def clean(self, out: Path | str = "exclude.csv", *, near: bool = True) -> pd.DataFrame:
        """Look at every picture for what had better be left out: broken ones, and copies.

        What is found is written as a csv file, which `kitbox.load(exclude=...)` takes.

        Args:
            out: the file.
            near: find near duplicates too.

        Returns:
            A row a picture: `image`, `reason`, `of` which other it is a copy, and `detail`.

        Raises:
            StorageError: when the file cannot be written, or is somebody's.
        """
        from kitbox.learning import cleaning

        return cleaning.clean(self, Path(out), near=near)

    def decoded(self, channels: int, progress: Progress | None = None) -> Pixels:
        """Every picture's pixels, in the cache that runs use; decoded once for a size.

        Raises:
            PictureError: when too many are broken.
        """
        return self._of(channels, progress)[0]

    def rows_of(self, channels: int) -> pd.DataFrame:
        """The table, with the part 'broken' for pictures that cannot be decoded."""
        return self._of(channels)[1]

    def _of(self, channels: int, progress: Progress | None = None) -> tuple[Pixels, pd.DataFrame]:
        from kitbox.data.pixels import side_for

        key, progress = (side_for(self.largest), channels), progress or self.progress
        if key not in self._decoded:
            here = environments.detect()
            seen: Any = Eye(channels)
            rows = self._gathered
            decoded = assemble.decode(self.files, rows, seen, self.largest, here, progress)
            rows = assemble.without_broken(rows, decoded, self.recipe.broken, progress)
            self._decoded[key] = decoded, rows
        return self._decoded[key]

    def digest(self, channels: int) -> str:
        """A hash of the table and of the files' names and sizes: what a fit was made on."""
        rows = self.rows_of(channels)
        text = rows.to_csv(index=False).encode("utf-8", "surrogateescape")
        table = hashlib.blake2b(text, digest_size=16).hexdigest()
        return f"{state.digest(self.files, rows, self.targets)}{table}"

    def show_batch(
        self, count: int = 12, *, one: bool | str = False, part: Literal["train", "valid"] = "train"
    ) -> Image.Image:
        """Pictures as the network sees them, labels below: a picture that a notebook shows.

        Those of the training part are varied by the augmentation.

        Args:
            count: how many.
            one: show one picture `count` times, each time varied anew; an id chooses it.
            part: 'valid' shows validation pictures, which are never varied.

        Raises:
            LabelError: when there is no picture of the id `one`.
            RecipeError: when `count` or `part` cannot be.
        """
        from kitbox.learning import sheet

        return sheet.of(self, count, one, part)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._said().items())

    def _repr_html_(self) -> str:
        lines = "".join(
            f'<tr><th>{name}</th><td style="text-align: left">{html.escape(value)}</td></tr>'
            for name, value in self._said().items()
        )
        facts = f"<table>{lines}</table>"
        table = self.counts()
        shown = table.head(SHOWN).to_html(escape=True)
        rest = len(table) - SHOWN
        return (
            facts
            + shown
            + (f"<p>and {counted(rest, 'more class', 'more classes')}</p>" * (rest > 0))
        )

    def _said(self) -> dict[str, str]:
        parts = self.rows["part"].value_counts()
        height, width = self.size
        recipe = self.recipe
        names = {
            "train": "train",
            "valid": "validate",
            "test": "to predict",
            "broken": "cannot be read",
        }
        told = [f"{parts[part]:,} {name}" for part, name in names.items() if part in parts]
        said = {"pictures": f"{', '.join(told)}, in {self.files}"}
        if self.classes:
            said["classes"] = f"{len(self.classes)} ({some(self.classes, 6)})"
        else:
            said["targets"] = some(self.targets, 6)
        said["seen at"] = f"{height}x{width} pixels, in batches of {recipe.batch_size}"
        if max(self.largest) > max(self.size):
            said["seen at"] += ", decoded for up to {}x{}".format(*self.largest)
        said["varied by"] = registry.augmentations.describe(recipe.augmentation)["use"]
        return said


@edge()
def load(
    recipe: Recipe | Path | str | None = None,
    *,
    source: Any = None,
    labeler: Any = None,
    task: Any = None,
    size: int | tuple[int, int] | None = None,
    split: Any = None,
    test: Any = None,
    augmentation: Any = None,
    fit: Literal["crop", "squash", "pad"] | None = None,
    batch_size: int | None = None,
    largest: int | tuple[int, int] | None = None,
    exclude: Path | str | None = None,
    sampler: Any = None,
    mix: Any = None,
    broken: float | None = None,
    tta: bool | None = None,
    seed: int | None = None,
    submission: Any = None,
    progress: Progress | None = None,
    **others: Any,
) -> Data:
    """Fetch pictures, read their labels, split them; what was found is said.

    >>> data = kitbox.load(source="digits", labeler={"use": "folder", "path": "train"},
    ...                    task="single-label", size=32)  # doctest: +SKIP

    Args:
        recipe: a recipe, or its file, whose values hold where none is given here.
        source, labeler, task: as a recipe has them: a plugin's name, a mapping with `use`
            and options, or a plugin itself. The three are needed unless a recipe has them.
        size: pixels, one side or (height, width); 224 by default.
        split: which pictures validate; by default the fitting split, a fifth of them.
        test: the pictures to predict, as in {"folder": "test"}.
        augmentation: how training pictures are varied; by default `standard`.
        fit: how a picture of another shape comes to the size; by default the task's.
        batch_size: pictures in a batch; 64 by default.
        largest: the largest size that will be trained at, where it is more than `size`:
            pictures are decoded once, for that size.
        exclude, sampler, mix, broken, tta, submission: as a recipe has them.
        seed: of all that is random; 42 by default.
        progress: where to say what happens; by default standard output.
        others: none; other libraries' words (`bs`) are answered with ours.

    Raises:
        RecipeError: with every mistake in the values at once.
        KitboxError: one of `kitbox.errors`, when pictures or labels cannot be had, and for
            whatever a plugin of another package raises.
    """
    given = dict(locals())
    for beside in ("recipe", "progress", "others"):
        del given[beside]
    if later := sorted(set(others) & set(Recipe.model_fields)):
        raise RecipeError(
            f"kitbox.load takes no {some(map(repr, later))}, which says nothing of the data",
            do="Give the backbone to kitbox.Learner, rates and epochs to its fits; or make it a "
            "recipe: kitbox.make_recipe",
        )
    values: dict[str, Any] = {}
    if recipe is not None:
        values = data_values(recipe if isinstance(recipe, Recipe) else recipes.read(recipe))
    made = recipes.make({**values, **_without_none(given), **others})
    return gathered(made, progress or Progress())


def gathered(
    recipe: Recipe, progress: Progress, split: Callable[[Splitter], Splitter] = lambda own: own
) -> Data:
    """The data of a recipe: fetched, labelled, split.

    Args:
        split: what splits it in place of the recipe's splitter.
    """
    files = recipe.source.fetch(environments.detect().cache)
    asked = recipe.model_copy(update={"split": split(recipe.split)})
    found = gather(asked, files, progress)
    return Data(recipe, files, found.targets, found.task, found.sample, progress, found.rows)


def data_values(recipe: Recipe) -> dict[str, Any]:
    """The values of a recipe that say what its data is, and for what size it is decoded."""
    values = given_values(recipe)
    if recipe.decode_hw != recipes.as_hw(recipe.size):
        values["largest"] = recipe.decode_hw
    return values


def given_values(recipe: Recipe) -> dict[str, Any]:
    """The values that a recipe was made from, without its stages."""
    return {name: getattr(recipe, name) for name in recipe.model_fields_set - {"stages"}}


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
