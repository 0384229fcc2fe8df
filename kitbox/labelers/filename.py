"""The label in the name of the file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import field_validator

from kitbox.contracts import Labels
from kitbox.data.files import Below, some_pictures
from kitbox.errors import LabelError, some
from kitbox.labelers.values import told
from kitbox.options import Options


class FilenameLabels(Options):
    r"""The class of a picture is a part of its path.

    Attributes:
        images: the folder of the pictures, below the source's folder.
        pattern: a regular expression, searched in the path of each picture
            below `images` (`/` separated). The label is the group called
            `label`, else the first group, as in `^(.+)_\d+\.jpg$`. A pattern
            that begins with a slash is searched in `/` and the path, so that
            `/([^/]+)_\d+.jpg$` finds pictures directly in the folder too.
        unmatched: what a picture that does not match is: an error, or skipped.
    """

    drafted_for: ClassVar[str] = "names"

    images: Below = ""
    pattern: str
    unmatched: Literal["error", "skip"] = "error"

    @field_validator("pattern")
    @classmethod
    def _check(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(
                f"found {pattern!r}, expected a regular expression ({error})"
            ) from error
        if not groups:
            raise ValueError(
                f"found {pattern!r}, expected a group in brackets around the label, "
                r"as in '^(.+)_\d+\.jpg$'"
            )
        return pattern

    def label(self, folder: Path) -> Labels:
        """One row a picture that matches, with the target column `label`.

        `id` is the picture's path below the source's folder.

        Raises:
            LabelError: when no picture matches, or one does not and `unmatched`
                is 'error'.
        """
        import pandas as pd

        paths = some_pictures(folder, self.images)
        labels = {path: self._find(path) for path in paths}
        missed = [path for path, label in labels.items() if label is None]
        if len(missed) == len(paths):
            raise LabelError(
                f"The pattern {self.pattern!r} matches none of {len(paths)} pictures",
                found=some(paths, most=3),
                do="Correct the `pattern`; it is searched in these paths",
            )
        if missed and self.unmatched == "error":
            raise LabelError(
                f"The pattern {self.pattern!r} does not match {len(missed)} of {len(paths)} "
                f"pictures below {folder / self.images}",
                found=some(missed),
                do="Correct the `pattern`, set `images` to the folder of the labelled pictures, "
                "or set `unmatched: skip`",
            )
        prefix = f"{self.images}/" if self.images else ""
        kept = [prefix + path for path, label in labels.items() if label is not None]
        found = [label for label in labels.values() if label is not None]
        notes = [told(found), f"{len(found)} of {len(paths)} pictures match the pattern."]
        if missed:
            notes.append(f"Skipped, because they do not match: {some(missed)}.")
        rows = pd.DataFrame({"id": kept, "image": kept, "label": found})
        return Labels(rows, ("label",), tuple(notes))

    def _find(self, path: str) -> str | None:
        """The label in a path, None where there is none."""
        rooted = self.pattern.startswith(("/", r"\/", "^/", r"^\/"))
        match = re.search(self.pattern, f"/{path}" if rooted else path)
        if match is None:
            return None
        label = match["label"] if "label" in match.re.groupindex else match[1]
        return label.strip() or None if label is not None else None
