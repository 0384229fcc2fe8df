"""Where the fits of a learner are kept: in a folder, or in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kitbox.errors import StorageError, nearest, some, storage
from kitbox.storage import lock
from kitbox.training import checkpoints
from kitbox.training.checkpoints import Checkpoint
from kitbox.training.keeper import Keeper

SAVED = "saved"
LOCK = ".learner.lock"
OF_LEARNER = "learner"
"""The key under which a checkpoint keeps what a learner says of it."""


@dataclass
class FitKeeper(Keeper):
    """Keeps the checkpoints of a fit, each with what the learner says of it.

    Attributes:
        stamp: says it, plain values.
    """

    stamp: Callable[[], Mapping[str, Any]] = dict

    def save(self, checkpoint: Checkpoint) -> None:
        """See `Keeper.save`."""
        super().save(self._stamped(checkpoint))

    def hold(self, checkpoint: Checkpoint) -> None:
        """See `Keeper.hold`."""
        super().hold(self._stamped(checkpoint))

    def begin(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint that was stamped, until the next is saved."""
        self._held = checkpoint

    def load(self) -> Checkpoint | None:
        """See `Keeper.load`; a copy, as optimizers go on counting in the tensors they are given."""
        return _copy(super().load())

    def _stamped(self, checkpoint: Checkpoint) -> Checkpoint:
        return replace(checkpoint, facts={**checkpoint.facts, OF_LEARNER: dict(self.stamp())})


@dataclass
class MemoryKeeper(FitKeeper):
    """Keeps the newest checkpoint of a fit in memory; a kernel that dies takes it along."""

    def save(self, checkpoint: Checkpoint) -> None:
        """See `Keeper.save`."""
        self.hold(checkpoint)
        self._epochs = 0

    def hold(self, checkpoint: Checkpoint) -> None:
        """See `Keeper.hold`; not on the device, which needs its memory."""
        tensors = {n: t.detach().to("cpu", copy=True) for n, t in checkpoint.tensors.items()}
        self._held = self._stamped(Checkpoint(tensors, checkpoint.facts))

    def load(self) -> Checkpoint | None:
        """See `FitKeeper.load`."""
        return _copy(self._held)


@dataclass(frozen=True)
class Shelf:
    """A learner's files.

    Attributes:
        folder: where each fit is kept; None keeps none.
        warn: told of files that cannot be used.
    """

    folder: Path | None
    warn: Callable[[str], None] = field(default=lambda text: None)

    def fit(self, number: int, key: str) -> Path | None:
        """The file of a fit."""
        return None if self.folder is None else self.folder / f"fit-{number}-{key}.safetensors"

    def others(self, number: int, key: str) -> list[Path]:
        """The files of fits of that number with other settings, or with another past."""
        if self.folder is None:
            return []
        files = self.folder.glob(f"fit-{number}-*.safetensors")
        return sorted(one for one in files if one != self.fit(number, key) and _is_newest(one))

    def remove(self, keep: Callable[[str], bool]) -> list[Path]:
        """Remove the fits whose key is not to be kept; the files that went."""
        files = [] if self.folder is None else sorted(self.folder.glob("fit-*-*.safetensors"))
        gone = [one for one in files if not keep(one.name.split("-")[2].partition(".")[0])]
        for one in gone:
            one.unlink(missing_ok=True)
        return gone

    def saved(self, name: str) -> Path:
        """The file of a name that a person gave.

        Raises:
            StorageError: when it is no name of a file.
        """
        if not name or name != Path(name).name or name in (".", ".."):
            raise StorageError(
                f"{name!r} is no name to save under", do="Use letters, digits, '-', '_' and '.'"
            )
        return (self.folder or Path()) / SAVED / f"{name}.safetensors"

    def load(self, name: str) -> Checkpoint:
        """What was saved under a name.

        Raises:
            StorageError: when there is nothing, or it is damaged.
        """
        path = self.saved(name)
        if not path.is_file():
            files = path.parent.glob("*.safetensors") if path.parent.is_dir() else ()
            known = [one.stem for one in sorted(files) if _is_newest(one)]
            do = nearest(name, known) or f"Saved were {some(known)}"
            if not known:
                do = 'Save it first: learn.save("stage-1")'
            raise StorageError(f"Nothing is saved as '{name}' in {path.parent}", do=do)
        kept = checkpoints.load(path, self.warn)
        if kept is None or OF_LEARNER not in kept.facts:
            raise StorageError(f"{path} cannot be used", do="Save it again, under another name")
        return kept

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder, so that no other kernel writes to it at the same time.

        Raises:
            StorageError: when another does, or the folder cannot be written.
        """
        if self.folder is None:
            yield
            return
        with storage(self.folder, "making the folder"):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if lock(handle) is False:
                raise StorageError(
                    f"Another kernel is training in {self.folder}",
                    do="Wait until it has ended, stop it, or name another folder",
                )
            yield
        finally:
            os.close(handle)


def settle(path: Path) -> None:
    """A fit is done: its checkpoint before the last goes."""
    checkpoints.before(path).unlink(missing_ok=True)


def _copy(kept: Checkpoint | None) -> Checkpoint | None:
    if kept is None:
        return None
    return replace(kept, tensors={name: value.clone() for name, value in kept.tensors.items()})


def _is_newest(path: Path) -> bool:
    """Whether it is not the checkpoint before the newest."""
    return not path.stem.endswith(".before")
