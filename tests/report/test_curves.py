"""Curves of the training."""

from __future__ import annotations

import pandas as pd

from kitbox.report import curves


def test_curves_mark_where_a_stage_begins() -> None:
    log = pd.DataFrame(
        {
            "stage": [1, 1, 2],
            "epoch": [1, 2, 1],
            "lr": [0.1, 0.1, 0.01],
            "train_loss": [3.0, 2.0, 1.0],
            "valid_loss": [3.0, 2.5, 2.0],
            "accuracy": [0.1, float("nan"), 0.3],
        }
    )
    part = curves.curves(log, "last weights")
    assert "a stage begins" in part.lines[-1]
    titles = ["loss", "accuracy", "highest learning rate"]
    assert all(t in one.markup for t, one in zip(titles, part.figures, strict=True))
    assert len(part.tables["epochs"]) == 3
    assert "stopped" in curves.curves(log.head(0), "none").lines[0]
