"""A folder per class."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from kitbox.contracts import Labels
from kitbox.data.files import Below, contents, inside, some_pictures
from kitbox.data.unlabelled import TEST
from kitbox.errors import LabelError, counted, some
from kitbox.labelers.values import told
from kitbox.options import Options

TRAIN = ("train", "training")
VALID = ("valid", "val", "validation")


class FolderLabels(Options):
    """The class of a picture is the name of the folder that it lies in.

    Folders called train and valid (or val, validation) above the class folders
    are detected, and a folder called test is left alone. Below a class folder
    pictures may lie in further folders.

    Attributes:
        path: where the class folders are, below the source's folder.
        train: the folder of the training pictures below `path`, if it has
            another name than train.
        valid: the folder of the validation pictures below `path`, likewise.
    """

    drafted_for: ClassVar[str] = "folders"

    path: Below = ""
    train: Below | None = None
    valid: Below | None = None

    def label(self, folder: Path) -> Labels:
        """One row a picture, with the target column `label`.

        `id` is the picture's path below the source's folder. `part` is there
        when both training and validation folders are.

        Raises:
            LabelError: when there are no pictures, or some in no class folder.
        """
        import pandas as pd

        do = "Set `path` of the labeler to the folder of the class folders"
        root, paths = folder / self.path, some_pictures(folder, self.path, do)
        notes: list[str] = []
        prefix = f"{self.path}/" if self.path else ""
        wrapper = "" if self.path or self.train or self.valid else _wrapper(paths)
        if wrapper:
            notes.append(f"Guessed: the class folders are in '{wrapper.rstrip('/')}'.")
            prefix, root = wrapper, folder / wrapper
            paths = [path.removeprefix(wrapper) for path in paths]

        parents = self._parents(root, paths)
        rows, alone = _rows(paths, parents)
        _check_class_folders(rows, root)
        if alone:
            notes.append(f"Left alone: {some(f'{name} ({n})' for name, n in alone.items())}.")

        table = pd.DataFrame(
            {
                "id": [prefix + path for path, _, _ in rows],
                "image": [prefix + path for path, _, _ in rows],
                "label": [rest.partition("/")[0] for _, rest, _ in rows],
            }
        )
        parts = [part for _, _, part in rows]
        if "valid" in parts:
            table["part"] = parts
            notes.append(
                f"{parts.count('train')} train and {parts.count('valid')} valid by folder."
            )
        return Labels(table, ("label",), (told(table["label"]), *notes))

    def _parents(self, root: Path, paths: list[str]) -> dict[str, str]:
        """Folder to part: 'train' or 'valid'. Empty when the classes are at the top."""
        for name in (self.train, self.valid):
            if name:
                inside(root, name)
        train = self.train or _parent(paths, TRAIN)
        if train is None and self.valid is None:
            return {}
        valid = self.valid or _parent(paths, VALID)
        return {
            **({valid: "valid"} if valid is not None else {}),
            ("" if train is None else train): "train",
        }


def _parent(paths: list[str], names: tuple[str, ...]) -> str | None:
    """The top folder of that name, if it holds class folders and not pictures.

    A folder `train` with pictures in it may be a class beside `bus` and `car`.
    """
    tops = {path.partition("/")[0] for path in paths if "/" in path}
    for name in names:
        for top in sorted(tops):
            if top.lower() != name:
                continue
            below = [path for path in paths if path.startswith(f"{top}/")]
            others = {t for t in tops if t.lower() not in (*TRAIN, *VALID, *TEST)}
            if any(path.count("/") > 1 for path in below) or not others:
                return top
    return None


def _wrapper(paths: list[str]) -> str:
    """The folders around the class folders that an archive added, '' if none."""
    wrapper = ""
    while True:
        rest = [path.removeprefix(wrapper) for path in paths]
        tops = {path.partition("/")[0] for path in rest}
        if len(tops) > 1 or any(path.count("/") < 2 for path in rest):
            return wrapper
        top = tops.pop()
        if top.lower() in (*TRAIN, *VALID):
            return wrapper
        wrapper += f"{top}/"


def _rows(
    paths: list[str], parents: dict[str, str]
) -> tuple[list[tuple[str, str, str]], dict[str, int]]:
    """(path, path below the parent, part) of each picture, and counts of what is left alone."""
    rows: list[tuple[str, str, str]] = []
    alone: dict[str, int] = {}
    around = parents or {"": "train"}
    for path in paths:
        parent = next((name for name in around if not name or path.startswith(f"{name}/")), None)
        top = path.partition("/")[0]
        is_test = not parent and "/" in path and top.lower() in TEST
        if parent is None or is_test:
            alone[top] = alone.get(top, 0) + 1
        else:
            rest = path.removeprefix(f"{parent}/") if parent else path
            rows.append((path, rest, around[parent]))
    return rows, alone


def _check_class_folders(rows: list[tuple[str, str, str]], root: Path) -> None:
    loose = [path for path, rest, _ in rows if "/" not in rest]
    if loose or not rows:
        raise LabelError(
            f"{counted(len(loose), 'picture is', 'pictures are')} in no class folder below {root}"
            if rows
            else f"There are no class folders with pictures below {root}",
            found=some(loose) if loose else contents(root),
            do="Move them into a folder named after their class, set `path` to the folder of the "
            "class folders, or use the labeler `filename` or `table`",
        )
