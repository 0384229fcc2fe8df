"""When a training is saved, where, and who may ask it to stop."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kitbox import durations
from kitbox.stopping import Stop
from kitbox.storage import whole
from kitbox.training import checkpoints
from kitbox.training.checkpoints import Checkpoint
from kitbox.training.crew import ALONE, Crew


@dataclass
class Keeper:
    """Keeps a training's checkpoints.

    Attributes:
        path: where the newest lies.
        every: epochs (a number), or a duration such as 10min.
        stop: asks the training to stop.
        copy_to: another folder that gets a copy of `path` and of `beside`, or None.
        beside: names of files in the folder of `path` that belong to it.
        warn: told when a copy fails; the next one is tried again. Also of damaged checkpoints.
        settle: called when a checkpoint was saved, before it is copied.
        may_copy: raises where `copy_to` holds what is not this run's.
        crew: the processes of the run: the main one saves, and all load what it has.
    """

    path: Path
    every: int | str
    stop: Stop
    copy_to: Path | None = None
    beside: Sequence[str] = ()
    warn: Callable[[str], None] = lambda text: None
    settle: Callable[[], None] = lambda: None
    may_copy: Callable[[Path], None] = lambda folder: None
    crew: Crew = ALONE
    _held: Checkpoint | None = field(default=None, init=False)
    _failed: str = field(default="", init=False)
    _epochs: int = field(default=0, init=False)
    _saved: float = field(default_factory=time.monotonic, init=False)

    def due(self, *, whole_epoch: bool) -> bool:
        """Whether it is time to save, after a step or after an epoch."""
        if isinstance(self.every, str):
            return time.monotonic() - self._saved >= durations.seconds(self.every)
        self._epochs += whole_epoch
        return whole_epoch and self._epochs >= self.every

    def save(self, checkpoint: Checkpoint) -> None:
        """Save, and copy.

        Raises:
            StorageError: when the disk is full; the checkpoint before is still there.
        """
        if self.crew.main:
            checkpoints.save(self.path, checkpoint)
        self._held = None
        self._epochs, self._saved = 0, time.monotonic()
        self.settle()
        if self.copy_to is not None:
            self._copy(self.copy_to)

    def hold(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in memory until the next is saved: not all it rests on is known."""
        tensors = {name: tensor.clone() for name, tensor in checkpoint.tensors.items()}
        self._held = Checkpoint(tensors, checkpoint.facts)

    def load(self) -> Checkpoint | None:
        """The newest sound checkpoint, if there is one."""
        held = self._held
        if held is not None:
            # A copy again: a fused optimizer counts its steps in what it is given.
            tensors = {name: tensor.clone() for name, tensor in held.tensors.items()}
            held = Checkpoint(tensors, held.facts)
        elif self.crew.main:
            held = checkpoints.load(self.path, self.warn)
        facts = self.crew.same(held.facts if held else None)
        if facts is None:
            return None
        return Checkpoint(dict(self.crew.deliver(held.tensors if held else {})), dict(facts))

    def finish(self, names: Sequence[str]) -> None:
        """Copy what a run has made in the end; a copy that never came is told."""
        if self.copy_to is not None:
            self._copy(self.copy_to, names)
            if self._failed:
                self.warn(f"the copy in {self.copy_to} is not complete ({self._failed})")

    def _copy(self, folder: Path, names: Sequence[str] = ()) -> None:
        """Copy what a run elsewhere needs to go on; a folder that dropped is tried again later."""
        if not self.crew.main:
            return
        try:
            self.may_copy(folder)
            there = folder / self.path.name
            if not names and there.exists():
                there.replace(checkpoints.before(there))
            # The checkpoint last: it uses the others.
            for name in names or (*self.beside, self.path.name):
                if (source := self.path.parent / name).is_file():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    with whole(folder / name) as beside:
                        shutil.copyfile(source, beside)
            self._failed = ""
        except Exception as error:  # noqa: BLE001  a mounted drive fails in many ways
            self._failed = str(error)
            self.warn(f"no copy in {folder} this time ({error})")
