"""Files that appear whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

from kitbox.errors import StorageError, storage


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it becomes `path` when the block ends well.

    The file is flushed to the disk before it is renamed. When the block raises,
    nothing is left behind and an older `path` stays as it was. What a killed
    process left beside it is removed by the next one that writes `path`.

    Raises:
        StorageError: when the disk is full or the folder cannot be written.
    """
    with storage(path, "writing"):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, path.name)
        beside, handle = _create(path)
        try:
            yield beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            # A writer such as safetensors' puts a file of its own there, closed to others.
            beside.chmod(os.fstat(handle).st_mode & 0o777)
            beside.replace(path)
        finally:
            os.close(handle)
            beside.unlink(missing_ok=True)


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file. Text is UTF-8 with `\\n` line ends.

    Raises:
        StorageError: as `whole`.
    """
    with whole(path) as beside:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, content: Any) -> None:
    """Write a whole JSON file that a person can read too; what JSON has no word for becomes text.

    Bytes of a file's name that are no UTF-8 are escaped, so that the same name is read back.

    Raises:
        StorageError: as `whole`.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"
    write(path, text.encode("utf-8", "backslashreplace"))


def refuse_strangers(path: Path, first: str) -> None:
    """Refuse to write over a file that does not begin with the line `first`, as ours would.

    Raises:
        StorageError: naming the file.
    """
    with storage(path, "looking at"):
        if not path.exists():
            return
        if path.is_file():
            with path.open("rb") as file:
                if file.readline(len(first) * 4 + 16).strip() == first.encode():
                    return
    raise StorageError(
        f"{path} is there already, and no earlier result of this command", do="Choose another --out"
    )


@contextmanager
def filling(path: Path, mode: Literal["wb", "ab", "xb"], doing: str) -> Iterator[BinaryIO]:
    """A file to write to, piece by piece, closed when the block ends.

    What the block raises is left as it is. When it ends well, all bytes have left the
    buffer: a full disk may show only then.

    Raises:
        StorageError: when the file cannot be opened, or not be closed without a loss.
    """
    with storage(path, doing):
        file = path.open(mode)
    try:
        yield file
    except BaseException:
        with suppress(OSError):  # what ended the block says more
            file.close()
        raise
    with storage(path, doing):
        file.close()


def _create(path: Path) -> tuple[Path, int]:
    """A new empty file beside `path`, and the handle whose lock says that its writer lives."""
    while True:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        # Another writer may sweep it away before it is locked.
        if lock(handle) is not False and beside.exists():
            return beside, handle
        os.close(handle)
        beside.unlink(missing_ok=True)


def sweep(folder: Path, name: str = "") -> None:
    """Remove what dead writers left in a folder: of the file `name`, or of any."""
    for left in os.listdir(folder):
        start, _, end = left.rpartition(".part")
        of, _, token = start.rpartition(".")
        if end or len(token) != 8 or not of.startswith("."):
            continue  # not a name of `_create`
        if name and of != f".{name}":
            continue
        beside = folder / left
        try:
            handle = os.open(beside, os.O_RDWR)
        except OSError:
            continue
        try:
            if lock(handle):
                beside.unlink(missing_ok=True)
        finally:
            os.close(handle)


def lock(handle: int, *, shared: bool = False) -> bool | None:
    """Lock a file, until it is closed or its holder dies.

    False where another holds the lock, None where the file system has no locks.

    Args:
        shared: others may hold it too, in the same way.
    """
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
