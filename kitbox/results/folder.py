"""A run's folder: all that a run makes, under fixed names."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox.data import table_file
from kitbox.errors import KitboxError, StorageError, some, storage
from kitbox.results import presence
from kitbox.storage import lock, whole, write, write_json

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.recipe import Recipe

RECIPE, TABLE, LOG, ENVIRONMENT = "recipe.yaml", "table.csv", "log.csv", "environment.json"
BATCH, MODEL, SUBMISSION, STATE = "batch.png", "model", "submission.csv", "run.json"
REPORT = "report.html"
BEST, LAST, LOCK = "best.safetensors", "last.safetensors", ".lock"
CANDIDATE = ".best.safetensors"
"""Weights that will be the best ones when the next checkpoint is saved."""
TIMES, CHECKPOINT = "times.csv", "checkpoint.safetensors"
BEFORE = "checkpoint.before.safetensors"
TRACEBACK = "traceback.txt"
"""Of a plugin that failed; the next run removes it."""
PREDICTIONS = "predictions_{part}.csv"
OUTPUTS = "outputs_{part}.npy"
MADE = (
    *(TABLE, LOG, TIMES, ENVIRONMENT, BATCH, REPORT, SUBMISSION, BEST, LAST),
    *(CHECKPOINT, BEFORE, CANDIDATE),
    *(name.format(part=part) for name in (PREDICTIONS, OUTPUTS) for part in ("valid", "test")),
)
"""The files that a run makes beside its recipe, its state and its model."""

COPIED = (RECIPE, TABLE, LOG, TIMES, BEST, STATE)
"""What goes on with a checkpoint to another machine; the state last: with it, all is there."""


RESULTS = (
    *(RECIPE, TABLE, LOG, TIMES, BEST, LAST, ENVIRONMENT, BATCH, REPORT, SUBMISSION),
    *(f"{MODEL}/model.safetensors", f"{MODEL}/model.json"),
    *(PREDICTIONS.format(part=part) for part in ("valid", "test")),
    STATE,
)
"""What `copy_to` gets in the end."""


@dataclass(frozen=True)
class RunFolder:
    """A run's folder.

    Attributes:
        path: where it is.
    """

    path: Path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def finished(self, recipe: Recipe) -> dict[str, Any] | None:
        """What a finished run of the same recipe left in `run.json`; None where there is none.

        Raises:
            StorageError: when the folder holds a finished run of another recipe.
        """
        state = self._state()
        if state is None or state.get("state") != "finished":
            return None
        if state.get("recipe") != fingerprint(recipe):
            raise StorageError(
                f"{self.path} holds a finished run of another recipe",
                found=f"'{state.get('name')}', finished {state.get('at')}",
                do="Choose another folder with --out, or delete that one",
            )
        with suppress(OSError):  # killed before it could, or the folder is read-only
            self._remove_checkpoints()
        return state

    def ended(self) -> dict[str, Any]:
        """What a run left in `run.json` that has ended, finished or stopped.

        Raises:
            StorageError: when there is none.
        """
        presence.check(self.path)
        state = self._state()
        if state is None:
            raise StorageError(
                f"{self.path} holds no run: it has no {STATE} that can be read",
                do="Give the folder of a finished run",
            )
        if state.get("state") not in ("finished", "stopped"):
            raise StorageError(
                f"{self.path} holds no finished run",
                found=f"'{state.get('name')}', {state.get('state')}, {state.get('at')}",
                do="Give the command that began it again: it goes on",
            )
        return state

    @contextmanager
    def held(self, recipe: Recipe, *, bringing: bool = False) -> Iterator[None]:
        """Hold the folder for a run of the recipe, so that no other run writes to it.

        Nothing that was there is changed. The lock is the operating system's and
        ends with its holder, however that dies.

        Args:
            bringing: `bring` comes next.

        Raises:
            StorageError: when it cannot be written, holds files that no run made or a
                cut-short run of another recipe, or when another run is at work there.
        """
        if self.path.exists() and not self.path.is_dir():
            raise StorageError(f"{self.path} is a file", do="Choose another folder with --out")
        self.allow(recipe)
        if not bringing and (self._state() or {}).get("state") == "copying":
            raise StorageError(
                f"{self.path} holds part of a run that was being copied there",
                do="Give the same --resume-from again, or delete the folder",
            )
        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        with storage(self.path, "making the folder"):
            self.path.mkdir(parents=True, exist_ok=True)
            handle = self._locked()
        try:
            yield
        finally:
            (self / LOCK).unlink(missing_ok=True)
            os.close(handle)
            for folder in made:  # of a run that did not get as far as to write
                with suppress(OSError):
                    folder.rmdir()

    def _locked(self) -> int:
        """The lock's handle.

        Raises:
            StorageError: when another run holds it.
        """
        while True:
            handle = os.open(self / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            if lock(handle) is False:
                os.close(handle)
                raise StorageError(
                    f"Another run is at work in {self.path}",
                    do="Wait until it has ended, or choose another folder with --out",
                )
            # Its holder may have removed the file between the two calls.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), (self / LOCK).stat()):
                    return handle
            os.close(handle)

    def allow(self, recipe: Recipe) -> None:
        """Look whether a run of the recipe may write here.

        Raises:
            StorageError: when there are files that no run made, or another recipe's run.
        """
        state = self._state()
        if state is None:
            self._refuse_to_overwrite()
        elif state.get("recipe") != fingerprint(recipe):
            raise StorageError(
                f"{self.path} holds a run of another recipe",
                found=f"'{state.get('name')}', {state.get('state')}, {state.get('at')}"
                + self._differences(recipe),
                do="Give that recipe again, choose another folder, or delete that one",
            )

    def _differences(self, recipe: Recipe) -> str:
        """Which keys the recipe in the folder has otherwise, for a message."""
        from kitbox import document

        try:
            there = document.flat((self / RECIPE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        here = document.flat(recipe.text())
        other = [key for key in {**there, **here} if there.get(key) != here.get(key)]
        told = [f"{key} {there.get(key)} there, {here.get(key)} here" for key in other]
        return f"; {some(told, 3)}" if told else ""

    def start(self, recipe: Recipe, rows: pd.DataFrame, data: str = "") -> None:
        """Make the folder ready for a run of the recipe on the table's rows.

        What a run that was cut short left stays, so that it goes on, unless it had
        not come as far as a checkpoint.

        Args:
            data: a digest of the files that the rows name.

        Raises:
            StorageError: when it cannot be written, or when the data is no longer
                what the run that was cut short had.
        """
        state = self._state()
        known = (state or {}).get("data", data)
        if state is None:
            self._mark("running", recipe, data=data)  # what is written from here on is this run's
        (self / TRACEBACK).unlink(missing_ok=True)
        new = self / f"new-{TABLE}"
        table_file.save(rows, new)
        if checkpoints_in(self.path):
            same = new.read_bytes() == _bytes(self / TABLE) and known == data
            new.unlink()
            if not same:
                raise StorageError(
                    f"{self.path} holds a run that was cut short, on other data",
                    found="the pictures, their labels or their parts have changed since",
                    do="Choose another folder with --out, or delete that one",
                )
        else:
            for name in MADE:
                (self / name).unlink(missing_ok=True)
            shutil.rmtree(self / MODEL, ignore_errors=True)
            new.replace(self / TABLE)
        self._mark("running", recipe, data=data)
        write(self / RECIPE, recipe.text())

    def bring(self, other: Path, recipe: Recipe) -> bool:
        """Copy here what a run of the recipe left elsewhere, to go on from.

        Returns:
            False when a run is here already: it goes on from where it is.

        Raises:
            StorageError: when nothing can be gone on from there, or files are here
                that no run made.
        """
        state = self._state()
        if state is not None and state.get("state") != "copying":
            return False
        if state is None:
            self._refuse_to_overwrite()
        there = RunFolder(other)._state()
        if there is not None and there.get("state") == "finished":
            raise StorageError(
                f"{other} is a finished run", do="There is nothing to go on from; use it as it is"
            )
        if there is None or not checkpoints_in(other):
            raise StorageError(
                f"There is no run with a checkpoint in {other}",
                do="Give the run's folder, or the one that `copy_to` named",
            )
        if there.get("recipe") != fingerprint(recipe):
            raise StorageError(
                f"{other} holds a run of another recipe",
                found=f"'{there.get('name')}', begun {there.get('at')}",
                do="Give the recipe that it was begun with",
            )
        self._mark("copying", recipe)
        with storage(self.path, "copying to"):
            for name in (CHECKPOINT, BEFORE, *COPIED):
                if (other / name).is_file():
                    with whole(self / name) as beside:
                        shutil.copyfile(other / name, beside)
        return True

    def finish(
        self, recipe: Recipe, ended: Mapping[str, Any], *, stopped: bool = False
    ) -> dict[str, Any]:
        """Say in `run.json` that the run is whole, or was stopped; returns what it says.

        Args:
            ended: what there is to say of it: `scores`, `submission` (a name, or None), ...
        """
        data = (self._state() or {}).get("data", "")
        state = self._mark("stopped" if stopped else "finished", recipe, data=data, **ended)
        if not stopped:
            self._remove_checkpoints()
        return state

    def failed(self, recipe: Recipe, error: KitboxError) -> None:
        """Say in `run.json` why a run that had begun ended; what it wrote stays."""
        with suppress(StorageError):  # the disk may be what failed
            if (state := self._state()) is not None and state.get("state") == "running":
                self._mark("failed", recipe, reason=str(error), data=state.get("data", ""))

    def log(self, rows: Sequence[Mapping[str, int | float]], name: str = LOG) -> None:
        """Write `log.csv` (or `times.csv`), a row an epoch."""
        text = io.StringIO()
        table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
        write(self / name, text.getvalue())

    def json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file that a person can read too; NaN becomes null."""
        write_json(self / name, _without_nan(content))

    def _remove_checkpoints(self) -> None:
        for name in (CHECKPOINT, BEFORE, CANDIDATE):
            (self / name).unlink(missing_ok=True)

    def _refuse_to_overwrite(self) -> None:
        if taken := [name for name in (RECIPE, *MADE, MODEL) if (self / name).exists()]:
            raise StorageError(
                f"{self.path} holds files that would be overwritten",
                found=", ".join(taken),
                do="Choose another folder with --out",
            )

    def _state(self) -> dict[str, Any] | None:
        try:
            state = json.loads((self / STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def _mark(self, state: str, recipe: Recipe, **facts: Any) -> dict[str, Any]:
        content = {
            "state": state,
            "name": recipe.name,
            "at": time.strftime("%Y-%m-%d %H:%M:%S"),
            "recipe": fingerprint(recipe),
            **facts,
        }
        self.json(STATE, content)
        return content


def fingerprint(recipe: Recipe) -> str:
    """A hash of all of the recipe that its result depends on."""
    whatever = {"time_budget": None, "checkpoint_every": 1, "copy_to": None, "processes": 1}
    asked = recipe.model_copy(update=whatever)
    return hashlib.sha256(asked.text().encode()).hexdigest()


def checkpoints_in(folder: Path) -> bool:
    """Whether a folder holds a checkpoint."""
    return any((folder / name).is_file() for name in (CHECKPOINT, BEFORE))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(one) for key, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
