"""A labeler of recordings."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from pydantic import Field

from kitbox import Labels, Options
from kitbox.errors import LabelError, counted, nearest, some
from kitbox_audio.names import picture_of


class RecordingLabels(Options):
    """A csv file with a row per recording, of which the source `recordings` made a picture.

    All columns of the file are kept, so that a splitter may use them: `{use: group, by: speaker}`.
    The id of a recording is its picture's path below `folder`, without `.png`.
    """

    csv: str = Field("train.csv", description="the file, below the source's folder")
    audio: str = Field("audio", description="its column of recordings")
    labels: str = Field("label", description="its column of labels")
    folder: str = Field("", description="where the recordings are, below the source's folder")

    def label(self, folder: Path) -> Labels:
        """A row a recording, with the picture that it became.

        Raises:
            LabelError: when the file, a column or a recording's name is missing.
        """
        import pandas as pd

        file = folder / self.csv
        try:
            rows = pd.read_csv(file, dtype={self.audio: str})
        except (OSError, ValueError) as error:
            there = [path.relative_to(folder).as_posix() for path in folder.rglob("*.csv")]
            raise LabelError(
                f"The csv file of labels {file} cannot be read",
                found=some(sorted(there)) or "no csv file there",
                do=nearest(self.csv, there) or "Set `csv` of the labeler",
            ) from error
        for option in ("audio", "labels"):
            if (column := getattr(self, option)) not in rows:
                raise LabelError(
                    f"{self.csv} has no column '{column}'",
                    found=some(rows.columns, most=20),
                    do=f"{nearest(column, rows.columns)} Set `{option}` of the labeler".strip(),
                )
        lacking = rows.index[rows[self.audio].isna()]
        if len(lacking):
            raise LabelError(
                f"{counted(len(lacking), 'row')} of {self.csv} without a recording",
                found=some(f"row {row + 1}" for row in lacking),
                do=f"Complete its column '{self.audio}'",
            )
        if self.labels in ("id", "image", "part"):  # kitbox's own columns
            rows = rows.rename(columns={self.labels: "label"})
        target = self.labels if self.labels in rows else "label"
        root = folder / self.folder
        names = [str(PurePosixPath(name.replace("\\", "/"))) for name in rows[self.audio]]
        pictures = [picture_of(name, root) for name in names]
        table = rows.assign(
            id=[picture.removesuffix(".png") for picture in pictures],
            image=[str(PurePosixPath(self.folder, picture)) for picture in pictures],
        )
        missing = [name for name in table["image"] if not (folder / name).is_file()]
        notes = [f"{len(table)} recordings in {self.csv}."]
        if missing:
            notes.append(f"Recordings without a picture: {some(missing)}.")
        return Labels(table, (target,), tuple(notes))
