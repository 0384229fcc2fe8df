"""Zips inside a competition: `train.zip` beside the tables, as older ones have it."""

from __future__ import annotations

import logging
import shutil
import zipfile
from pathlib import Path

from kitbox.data.files import is_picture
from kitbox.errors import storage
from kitbox.sources.archive import unpack

log = logging.getLogger("kitbox")

_ENCRYPTED = 0x1


def packed(folder: Path) -> list[Path]:
    """The zips in a folder (not below it) that hold pictures or tables and are not unpacked yet.

    A zip that needs a password, or is none, is left out; a line in the log says so.
    """
    zips = (e for e in folder.iterdir() if e.name.lower().endswith(".zip") and e.is_file())
    return [e for e in sorted(zips) if not (folder / e.name[:-4]).exists() and _is_data(e)]


def open_up(archive: Path, folder: Path, *, max_bytes: int, max_files: int) -> None:
    """Unpack `train.zip` as `folder/train`, and `train.csv.zip` as `folder/train.csv`.

    A folder `train` that is all that `train.zip` holds does not become `train/train`.

    Raises:
        SourceError: when it is refused or broken.
        StorageError: when the disk is full or the folder cannot be written.
    """
    name = archive.name[:-4]
    beside = unpack(archive, folder / f".{name}.unpacked", max_bytes=max_bytes, max_files=max_files)
    with storage(folder, "unpacking to"):
        entries = list(beside.iterdir())
        inside = entries[0] if len(entries) == 1 else beside
        if inside.name == name or (inside.is_file() and not (folder / inside.name).exists()):
            inside.rename(folder / inside.name)
        else:
            beside.rename(folder / name)
        shutil.rmtree(beside, ignore_errors=True)
        (folder / f"..{name}.unpacked.lock").unlink(missing_ok=True)


def _is_data(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        log.warning("%s is left as it is: it cannot be read (%s)", path.name, type(error).__name__)
        return False
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        log.warning("%s is left as it is: it needs a password", path.name)
        return False
    names = (entry.filename.lower() for entry in entries)
    return any(is_picture(name) or name.endswith((".csv", ".tsv")) for name in names)
