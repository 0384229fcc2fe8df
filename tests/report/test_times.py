"""Where the time went."""

from __future__ import annotations

import pandas as pd
import pytest

from kitbox.report import times


def test_times_add_up_to_the_whole() -> None:
    epochs = pd.DataFrame(
        {
            "stage": [1, 2],
            "epoch": [1, 1],
            "seconds": [10.0, 20.0],
            "validating": [1.0, 2.0],
            "waited": [0.5, 1.5],
            "made": [6.0, 7.0],
        }
    )
    spent = {"decoding": 5.0, "stage 1, learning-rate finder": 2.0, "validating": 1.0}
    spent |= {"stage 2, learning-rate finder": 3.0, "predicting: test": 1.0, "predicting: valid": 1}
    part = times.timings(epochs, spent, 50.0)
    went = part.tables["where the time went"]["seconds"]
    assert went.sum() == pytest.approx(50.0)
    assert went.to_dict() == pytest.approx(
        {
            "decoding": 5.0,
            "learning-rate finder": 5.0,
            "predicting": 2.0,
            "training steps": 25.0,
            "waiting for pictures": 2.0,
            "validating": 4.0,
            "start, tables, files": 7.0,
        }
    )


def test_epochs_of_an_earlier_session_are_no_part_of_this_one() -> None:
    epochs = pd.DataFrame([[1, 1, 100.0, 1.0, 1.0, 1.0]])
    epochs.columns = ["stage", "epoch", "seconds", "validating", "waited", "made"]
    part = times.timings(epochs, {}, 50.0)
    assert "earlier session" in part.lines[1]
