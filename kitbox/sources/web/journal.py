"""What became of each address, kept line by line, so that a killed fetch loses nothing."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

from kitbox import storage as files
from kitbox.data.looks import Look
from kitbox.errors import storage

Status = Literal["arrived", "refused", "failed", "not-asked"]


@dataclass(frozen=True)
class Record:
    """What became of an address.

    Attributes:
        address: the address.
        status: 'arrived', 'refused' (by a rule; not asked again while the rules
            are the same), 'failed' or 'not-asked' (both asked again next time).
        reason: why it did not arrive.
        file: the name of its file, without a folder.
        bytes: of the file.
        tries: how often it was asked for in the last fetch.
        rules: the rules that a refusal goes back to.
        look: what the picture is, where it arrived.
    """

    address: str
    status: Status
    reason: str = ""
    file: str = ""
    bytes: int = 0
    tries: int = 0
    rules: str = ""
    look: Look | None = None


class Journal:
    """A file with a record a line; of several of one address the last counts. Use as a context."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Journal:
        self._file = self._stack.enter_context(files.filling(self._path, "ab", "writing"))
        if self._file.tell():
            self._file.write(b"\n")  # after a line that a killed process left torn
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises StorageError: when the disk is full, unless the block says so itself."""
        with self._lock:
            self._stack.__exit__(kind, error, trace)

    def add(self, record: Record) -> None:
        """Append a record; for several threads.

        Raises:
            StorageError: when the disk is full.
        """
        assert self._file is not None
        with self._lock, storage(self._path, "writing"):
            if not self._file.closed:  # a thread that comes late has nothing to say any more
                self._file.write(_line(record))
                self._file.flush()

    def read(self) -> dict[str, Record]:
        """The records by address. Damaged lines are left out: their addresses are asked again.

        Raises:
            StorageError: when the file is there and cannot be read.
        """
        if not self._path.exists():
            return {}
        with storage(self._path, "reading"):
            lines = self._path.read_bytes().splitlines()
        records = (_record(line) for line in lines)
        return {record.address: record for record in records if record is not None}

    def replace(self, records: Iterable[Record]) -> None:
        """Write these records and no others, whole or not at all."""
        files.write(self._path, b"".join(map(_line, records)))


def _line(record: Record) -> bytes:
    values = {**asdict(record), "look": None}
    if record.look is not None:
        values["look"] = {
            **asdict(record.look),
            "shape": f"{record.look.shape:016x}",
            "colors": base64.b64encode(record.look.colors).decode(),
        }
    return json.dumps(values).encode() + b"\n"


def _record(line: bytes) -> Record | None:
    try:
        values: dict[str, Any] = json.loads(line)
        if look := values.pop("look"):
            look["shape"] = int(look["shape"], 16)
            look["colors"] = base64.b64decode(look["colors"], validate=True)
            look = Look(**look)
            if len(look.colors) != 192:
                return None
        known = {field.name for field in fields(Record)}
        record = Record(look=look, **{k: v for k, v in values.items() if k in known})
        return record if (record.look is not None) == (record.status == "arrived") else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
