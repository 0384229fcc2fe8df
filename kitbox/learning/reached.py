"""How far a run has come, from the files that it left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kitbox.errors import WeightsError
from kitbox.models.state import read_facts
from kitbox.recipe import Recipe
from kitbox.results import folder as names
from kitbox.training.stages import Epoch


@dataclass(frozen=True)
class Reached:
    """How far a run has come.

    Attributes:
        stages: how many of its stages began.
        cut: where the last of them was cut short; '' where it was not.
        finished: all of them were made.
    """

    stages: int
    cut: str = ""
    finished: bool = False


def reached(run: Path, recipe: Recipe, log: list[Epoch]) -> Reached:
    """How far the weights of a run have come that it saved for prediction.

    Args:
        log: its epochs so far.

    Raises:
        WeightsError: when it went on after it had saved them.
    """
    state = _json(run / names.STATE).get("state")
    whole = Reached(len(recipe.stages), finished=True)
    if state == "finished":
        return whole
    if state not in (None, "stopped"):
        raise WeightsError(
            f"The run {run} went on after it had saved its model",
            found=f"it is '{state}' now",
            do="Let it end, or stop it with Ctrl-C; then take it up",
        )
    if place := _checkpoint(run):
        number, epoch, step, inside = place
        if inside and (epoch, step) != (1, 0):
            return Reached(number, f"epoch {epoch}, step {step}")
        return Reached(number - 1)
    return _by_log(recipe, log, whole if state is None else None)


def _by_log(recipe: Recipe, log: list[Epoch], whole: Reached | None) -> Reached:
    """How far a run has come whose checkpoint is not there.

    Args:
        whole: what it is where all epochs are in the log.
    """
    if not log:
        return Reached(1, "a place that is not known")
    last = log[-1]
    if last.epoch < recipe.stages[last.stage - 1].epochs:
        return Reached(last.stage, f"epoch {last.epoch + 1}")
    ended = last.stage == len(recipe.stages)
    return whole if ended and whole is not None else Reached(last.stage)


def _checkpoint(run: Path) -> tuple[int, int, int, bool] | None:
    """Stage, epoch and step of a run's newest checkpoint, and whether it is inside the stage."""
    for name in (names.CHECKPOINT, names.BEFORE):
        try:
            facts = json.loads(read_facts(run / name)["facts"])
            return facts["stage"], facts["epoch"], facts["step"], facts["cycle"] is not None
        except (KeyError, ValueError):
            continue
    return None


def read_log(log: Path, times: Path) -> list[Epoch]:
    """The epochs of a run, from its files; [] where they are not there."""
    try:
        table, took = pd.read_csv(log), pd.read_csv(times)
    except (OSError, ValueError):
        return []
    known = ("stage", "epoch", "lr", "train_loss", "valid_loss")
    return [
        Epoch(
            int(row["stage"]),
            int(row["epoch"]),
            float(row["lr"]),
            float(row["train_loss"]),
            float(row["valid_loss"]),
            {str(name): float(value) for name, value in row.items() if name not in known},
            float(seconds),
        )
        for row, seconds in zip(table.to_dict("records"), took["seconds"], strict=False)
    ]


def weights_of(run: Path) -> str | None:
    """Where the weights came from that a run began with, its sentence; None where it is lost."""
    said = _json(run / names.ENVIRONMENT).get("weights")
    return said if isinstance(said, str) else None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
