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


@dataclass
class Keeper:
    """Keeps a training's checkpoints.

    Attributes:
        path: where the newest lies.
        every: epochs (a number), or a duration such as 10min.
        stop: asks the training to stop.
        copy_to: another folder that gets a copy of `path` and of `beside`, or None.
        beside: names of files in the folder of `path` that belong to it.
        warn: told when a copy fails; the next one is tried again.
    """

    path: Path
    every: int | str
    stop: Stop
    copy_to: Path | None = None
    beside: Sequence[str] = ()
    warn: Callable[[str], None] = lambda text: None
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
        checkpoints.save(self.path, checkpoint)
        self._epochs, self._saved = 0, time.monotonic()
        if self.copy_to is not None:
            self._copy(self.copy_to)

    def load(self) -> Checkpoint | None:
        """The newest sound checkpoint, if there is one."""
        return checkpoints.load(self.path)

    def _copy(self, folder: Path) -> None:
        """Copy what a run elsewhere needs to go on; a folder that dropped is tried again later."""
        try:
            for name in (*self.beside, self.path.name):  # the checkpoint last: it uses the others
                if (source := self.path.with_name(name)).is_file():
                    with whole(folder / name) as beside:
                        shutil.copyfile(source, beside)
        except Exception as error:  # noqa: BLE001  a mounted drive fails in many ways
            self.warn(f"no copy of the checkpoint in {folder} this time ({error})")
