"""The pictures to predict: where they are, and which one an id of the sample means."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from kitbox.data import matching, named
from kitbox.data.files import (
    Below,
    bare,
    contents,
    ending,
    inside,
    is_below,
    is_picture,
    pictures,
    stem,
)
from kitbox.errors import LabelError, counted, some
from kitbox.options import Mistake, Mistakes, Options

if TYPE_CHECKING:
    import pandas as pd

TEST = ("test", "tests", "testing", "test_images", "test_image", "images_test", "test_set")
"""Folders of pictures without labels, in lower case."""


class TestPictures(Options):
    """Where the pictures are that have no labels.

    Attributes:
        folder: their folder, below the source's folder.
        pattern: which files, a glob such as `test/*.jpg` (`**` for any folders),
            below `folder`.
        suffix: what the ids of the sample submission lack, `.jpg` say.
        match: a regular expression, searched in each picture's path below the source's
            folder; its groups, joined by underscores, are the id: `^test/(.+)_green.png`.
        names: a file below the source's folder that says which picture an id is: a json
            file as COCO has it (`images` with `id` and `file_name`), or a csv file.
    """

    __test__: ClassVar[bool] = False  # no test, whatever pytest makes of its name

    folder: Below | None = None
    pattern: Below | None = None
    suffix: str | None = None
    match: matching.Match | None = None
    names: Below | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        given = [name for name in ("suffix", "match", "names") if getattr(self, name) is not None]
        if len(given) > 1:
            raise Mistakes([Mistake((given[1],), f"goes not together with `{given[0]}`")])
        return self


def test_rows(
    folder: Path,
    *,
    test: TestPictures,
    ids: Sequence[str] | None,
    taken: Collection[str],
) -> pd.DataFrame:
    """The test rows: `id` and `image`.

    With the ids of a sample submission they are those in their order, each with
    the picture that it names: a path, else a name, else a path or name without
    suffix, each tried with `test.suffix` first. The candidates are the pictures
    of `test.folder` and `test.pattern`, else those in a folder called test (or
    alike), else all that are not `taken`. An id without a picture keeps its row,
    with the path where the picture would be.

    Without a sample, or with one that has no rows (as in code competitions), they
    are all pictures of `test.folder` and `test.pattern`,
    with their names without suffix as ids (their paths where names repeat). With
    neither there are none.

    Args:
        folder: the source's folder.
        test: where the test pictures are.
        ids: the pictures that the sample submission asks for, each once; None
            where there is no sample.
        taken: the `image` of the labelled rows.

    Raises:
        LabelError: when there are no test pictures where they should be, an id
            fits several pictures, and when more than half of the ids have no
            picture.
    """
    import pandas as pd

    asked = test.folder is not None or test.pattern is not None
    if not ids:
        images = _asked(folder, test) if asked or test.match or test.names else []
        ids = _ids(images, test, folder)
        return pd.DataFrame({"id": ids, "image": images}, dtype=str)
    candidates = _asked(folder, test) if asked else _likely(pictures(folder), taken)
    if test.match is None and test.names is None:
        found = _match(ids, candidates, test)
    else:
        own = _ids(candidates, test, folder)
        found = _once(ids, zip(own, candidates, strict=True))
    missing = [one for one in ids if one not in found]
    if 2 * len(missing) > len(ids):
        raise LabelError(
            f"{len(missing)} of {len(ids)} ids of the sample submission have no picture",
            found=f"ids such as {some(missing, most=3)}, and "
            + (
                f"{counted(len(candidates), 'candidate')} such as {some(candidates, most=3)}"
                if candidates
                else f"no candidates; there are {contents(folder)}"
            ),
            do="Set `folder` or `pattern` of the test pictures, `suffix` to what the ids lack, or "
            "`match` to where a path has the id",
        )
    expected = _expected(test, list(found.values()))
    images = [found.get(one) or expected(one) for one in ids]
    return pd.DataFrame({"id": ids, "image": images}, dtype=str)


def _asked(folder: Path, test: TestPictures) -> list[str]:
    """The pictures of `test.folder` and `test.pattern`, sorted."""
    root = folder if test.folder is None else inside(folder, test.folder)
    if test.pattern is None:
        paths = pictures(root)
    else:
        paths = [
            path.replace(os.sep, "/")
            for path in glob.glob(test.pattern, root_dir=root, recursive=True)
            if os.path.isfile(os.path.join(root, path))
        ]
    if not paths:
        raise LabelError(
            f"There are no test pictures {test.pattern or ''} below {root}".replace("  ", " "),
            found=contents(root),
            do="Correct `folder` or `pattern` of the test pictures",
        )
    prefix = f"{test.folder}/" if test.folder else ""
    return sorted(prefix + path for path in paths)


def _ids(images: list[str], test: TestPictures, folder: Path) -> list[str]:
    """The id of each picture, as `match` or `names` has it, else its name; those without go."""
    if test.match is not None:
        found = {image: matching.key(test.match, image) for image in images}
    elif test.names is not None:
        listed = named.read(folder, test.names)
        by_picture = {path: one for one, path in named.place(listed, images).items()}
        found = {image: by_picture.get(image) for image in images}
    else:
        stems = [stem(image) for image in images]
        return stems if len(set(stems)) == len(stems) else list(images)
    images[:] = [image for image in images if found[image]]
    return [str(found[image]) for image in images]


def _once(ids: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The picture of each id that has one.

    Raises:
        LabelError: when an id has several.
    """
    all_of: dict[str, list[str]] = {}
    for one, image in pairs:
        all_of.setdefault(one, []).append(image)
    for one in ids:
        if len(several := all_of.get(one, [])) > 1:
            raise LabelError(
                f"The id '{one}' of the sample submission fits several pictures",
                found=some(several),
                do="Make `match` of the test pictures more exact",
            )
    return {one: all_of[one][0] for one in ids if one in all_of}


def _likely(images: list[str], taken: Collection[str]) -> list[str]:
    """Those in a folder that is called test, else all that are not taken."""
    for depth in (1, None):  # a folder at the top comes before one further down
        inside_test = [
            image
            for image in images
            if any(name.lower() in TEST for name in image.split("/")[:-1][:depth])
        ]
        if inside_test:
            return inside_test
    labelled = set(taken)
    return [image for image in images if image not in labelled]


def _match(ids: Sequence[str], candidates: list[str], test: TestPictures) -> dict[str, str]:
    """The picture of each id that has one."""
    prefix = f"{test.folder}/" if test.folder else ""
    ways: tuple[Callable[[str], str], ...] = (
        str,
        lambda image: image.removeprefix(prefix),
        lambda image: image.rpartition("/")[2],
        bare,
        lambda image: bare(image).removeprefix(prefix),
        stem,
    )
    indices: list[dict[str, list[str]]] = []
    for way in ways:
        index: dict[str, list[str]] = {}
        for image in candidates:
            index.setdefault(way(image), []).append(image)
        indices.append(index)
    found: dict[str, str] = {}
    for one in ids:
        plain = one.replace("\\", "/").removeprefix("./")
        tries = [plain + ending(test.suffix), plain] if test.suffix else [plain]
        images = next((index[name] for name in tries for index in indices if name in index), [])
        if len(images) > 1:
            raise LabelError(
                f"The id '{one}' of the sample submission fits several pictures",
                found=some(images),
                do="Set `folder`, `pattern` or `suffix` of the test pictures",
            )
        if images:
            found[one] = images[0]
    return found


def _expected(test: TestPictures, found: list[str]) -> Callable[[str], str]:
    """Where a picture that is missing would be: beside most of the others."""
    around = test.folder or ""
    if found:
        parents = Counter(image.rpartition("/")[0] for image in found)
        around = min(parents, key=lambda parent: (-parents[parent], parent))
    ends = Counter(image[len(bare(image)) :] for image in found)
    end = ending(test.suffix) or min(ends, key=lambda e: (-ends[e], e), default="")

    def path(one: str) -> str:
        name = one if is_below(one) else one.replace("\\", "/").rpartition("/")[2]
        name = name if is_picture(name) else name + end
        return f"{around}/{name}" if around and not name.startswith(f"{around}/") else name

    return path
