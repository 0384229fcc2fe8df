"""An interpretation as files: tables, plots, and the advice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from kitbox.errors import StorageError, storage
from kitbox.interpretation.section import Section, slug
from kitbox.storage import write

if TYPE_CHECKING:
    from kitbox.interpretation.advice import Advice

FOLDER, ADVICE = "interpretation", "advice.json"


def save(sections: Sequence[Section], advice: Sequence[Advice], folder: Path) -> list[Path]:
    """Write every table as csv and every plot as PNG, called as they are, and the advice.

    What an earlier call has written is replaced; other files are not touched.

    Returns:
        The files, in the sections' order.

    Raises:
        StorageError: when they cannot be written, or the folder holds something else.
    """
    ready(folder)
    written: list[Path] = []
    taken: set[str] = set()

    def place(section: Section, name: str, suffix: str) -> Path:
        stem = slug(name)
        if f"{stem}{suffix}" in taken:
            stem = f"{slug(section.title)}-{stem}"
        taken.add(f"{stem}{suffix}")
        return folder / f"{stem}{suffix}"

    for section in sections:
        for name, table in section.tables.items():
            path = place(section, name, ".csv")
            numbered = list(table.index) == list(range(len(table)))
            text = table.to_csv(
                index=not numbered,
                index_label="name",
                float_format="%.6g",
                lineterminator="\n",
            )
            write(path, text.encode("utf-8", "surrogateescape"))
            written.append(path)
        for name, plot in section.plots.items():
            written.append(plot.save(place(section, name, ".png")))
    content = [asdict(one) for one in advice]
    write(folder / ADVICE, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")
    return written


def ready(folder: Path) -> None:
    """Make the folder, or empty it of what an earlier call has written.

    Raises:
        StorageError: when there are files that no interpretation has written.
    """
    with storage(folder, "writing to"):
        if folder.exists() and not folder.is_dir():
            raise StorageError(f"{folder} is a file", do="Choose another folder with --out")
        if folder.is_dir() and any(folder.iterdir()):
            if not (folder / ADVICE).is_file():
                raise StorageError(
                    f"{folder} holds files that no interpretation has written",
                    do="Choose another folder with --out",
                )
            for path in [*folder.glob("*.csv"), *folder.glob("*.png")]:
                if path.name != "hard.csv":  # a recipe may name it
                    path.unlink()
        folder.mkdir(parents=True, exist_ok=True)
