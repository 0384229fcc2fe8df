"""The training in curves and in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.report import charts
from kitbox.report.page import Part

if TYPE_CHECKING:
    import pandas as pd

LOSSES = {"train_loss": "training", "valid_loss": "validation"}
FIXED = ("stage", "epoch", "lr", *LOSSES)


def curves(log: pd.DataFrame, kept: str) -> Part:
    """Losses, rates and metrics by epoch.

    Args:
        log: a row an epoch, as in `log.csv`.
        kept: which weights predict, in words.
    """
    if not len(log):
        return Part("Training", ["It was stopped before the end of the first epoch."])
    through = [float(n) for n in range(1, len(log) + 1)]
    panels = {
        "loss": {words: (through, log[name].tolist()) for name, words in LOSSES.items()},
        **{
            name: {name: (through, log[name].tolist())} for name in log.columns if name not in FIXED
        },
        "highest learning rate of the head": {"lr": (through, log["lr"].tolist())},
    }
    stages = log["stage"].tolist()
    begins = [n + 0.5 for n in range(1, len(stages)) if stages[n] != stages[n - 1]]
    figures = [
        charts.lines(shown, title=name, x="epochs in all", marks=begins)
        for name, shown in panels.items()
    ]
    lines = [f"Predicted with: {kept}."] if kept else []
    if begins:
        lines.append("Dotted lines are where a stage begins.")
    return Part("Training", lines, figures=figures, tables={"epochs": log})
