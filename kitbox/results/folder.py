"""A run's folder: all that a run makes, under fixed names."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox.errors import StorageError
from kitbox.storage import write

if TYPE_CHECKING:
    from kitbox.recipe import Recipe

RECIPE, TABLE, LOG, ENVIRONMENT = "recipe.yaml", "table.csv", "log.csv", "environment.json"
BATCH, MODEL, SUBMISSION, STATE = "batch.png", "model", "submission.csv", "run.json"
BEST, LAST = "best.safetensors", "last.safetensors"
PREDICTIONS = "predictions_{part}.csv"
OUTPUTS = "outputs_{part}.npy"
MADE = (
    *(TABLE, LOG, ENVIRONMENT, BATCH, SUBMISSION, BEST, LAST),
    *(name.format(part=part) for name in (PREDICTIONS, OUTPUTS) for part in ("valid", "test")),
)
"""The files that a run makes beside its recipe, its state and its model."""


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
        return state

    def start(self, recipe: Recipe) -> None:
        """Make the folder ready for a run of the recipe; what a cut-short run left goes.

        Raises:
            StorageError: when it cannot be written, or holds files that no run made.
        """
        if self.path.exists() and not self.path.is_dir():
            raise StorageError(f"{self.path} is a file", do="Choose another folder with --out")
        ours = [RECIPE, *MADE, MODEL]
        if self._state() is None and (taken := [n for n in ours if (self / n).exists()]):
            raise StorageError(
                f"{self.path} holds files that would be overwritten",
                found=", ".join(taken),
                do="Choose another folder with --out",
            )
        self._mark("running", recipe)
        for name in MADE:  # by a run that was cut short
            (self / name).unlink(missing_ok=True)
        shutil.rmtree(self / MODEL, ignore_errors=True)
        write(self / RECIPE, recipe.save())

    def finish(
        self,
        recipe: Recipe,
        scores: Mapping[str, float],
        submission: Path | None,
        epochs: int,
        seconds: float,
    ) -> dict[str, Any]:
        """Say in `run.json` that the run is whole; returns what it says."""
        return self._mark(
            "finished",
            recipe,
            scores=dict(scores),
            submission=submission.name if submission else None,
            epochs=epochs,
            seconds=round(seconds, 1),
        )

    def log(self, rows: Sequence[Mapping[str, int | float]]) -> None:
        """Write `log.csv`, a row an epoch."""
        text = io.StringIO()
        table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
        write(self / LOG, text.getvalue())

    def json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file that a person can read too."""
        write(self / name, json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n")

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
    """A hash of the whole recipe."""
    return hashlib.sha256(recipe.save().encode()).hexdigest()
