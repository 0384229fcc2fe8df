"""A labeler."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from kitbox import Labels, Options, list_pictures
from kitbox.errors import LabelError, some


class TemplateLabeler(Options):
    """The label is what stands before the first underscore of a picture's name."""

    images: str = Field("", description="the pictures' folder, below the source's folder")

    def label(self, folder: Path) -> Labels:
        """A row a picture; looks at names only."""
        import pandas as pd

        root = folder / self.images
        paths = list_pictures(root)
        without = [path for path in paths if "_" not in path.rpartition("/")[2]]
        if without or not paths:
            raise LabelError(
                f"There are pictures without a label in their name below {root}"
                if without
                else f"There are no pictures below {root}",
                found=some(without),
                do="Set `images` to the folder of the labelled pictures",
            )
        images = [(Path(self.images) / path).as_posix() for path in paths]
        labels = [path.rpartition("/")[2].partition("_")[0] for path in paths]
        rows = pd.DataFrame({"id": images, "image": images, "label": labels})
        return Labels(rows, ("label",), (f"Labels: {some(sorted(set(labels)))}.",))
