"""What a run's folder keeps of the submissions that were made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from kitbox.errors import StorageError, storage
from kitbox.storage import write

FILE = "submitted.json"

Status = Literal["pending", "complete", "error"]


@dataclass(frozen=True)
class HandedIn:
    """One submission at Kaggle.

    Attributes:
        competition: its name in the address.
        ref: Kaggle's number of the submission.
        at: local time of the upload.
        message: as it stands at Kaggle.
        sha256: of the file that was handed in.
        status: pending until Kaggle has scored it.
        public_score, private_score: as Kaggle writes them; '' where it shows none.
        error: Kaggle's words where the status is 'error'.
    """

    competition: str
    ref: int
    at: str
    message: str
    sha256: str
    status: Status = "pending"
    public_score: str = ""
    private_score: str = ""
    error: str = ""


def of(run: Path) -> list[HandedIn]:
    """The submissions of a run, oldest first.

    Raises:
        StorageError: when the file that lists them cannot be read.
    """
    path = run / FILE
    if not path.is_file():
        return []
    known = {field.name for field in fields(HandedIn)}
    with storage(path, "reading"):
        text = path.read_text(encoding="utf-8")
    try:
        rows = json.loads(text)["submissions"]
        return [HandedIn(**{k: v for k, v in row.items() if k in known}) for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageError(
            f"{path} does not hold a list of submissions",
            do="Move it away; `kitbox submissions SLUG` lists what Kaggle has",
        ) from error


def keep(run: Path, one: HandedIn) -> None:
    """Write a submission into the run's list, in the place of what is known of it."""
    rows = of(run)
    numbers = [row.ref for row in rows]
    if one.ref in numbers:
        rows[numbers.index(one.ref)] = one
    else:
        rows.append(one)
    content = {"submissions": [asdict(row) for row in rows]}
    write(run / FILE, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def below(folder: Path) -> Iterator[tuple[Path, HandedIn]]:
    """All submissions of the runs below a folder, with their runs."""
    for path in sorted(folder.rglob(FILE)) if folder.is_dir() else []:
        for one in of(path.parent):
            yield path.parent, one


def brought_up_to_date(one: HandedIn, told: Any) -> HandedIn:
    """The submission with what Kaggle (an ApiSubmission) says of it now."""
    ends: dict[str, Status] = {"COMPLETE": "complete", "ERROR": "error"}
    return replace(
        one,
        status=ends.get(told.status.name, "pending"),
        public_score=told.public_score or "",
        private_score=told.private_score or "",
        error=told.error_description or "",
    )


def digest(file: Path) -> str:
    """The SHA-256 of a file, hex digits."""
    with storage(file, "reading"), file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
