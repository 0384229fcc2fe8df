"""Reliability and the expected calibration error, against a second way of computing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from kitbox.interpretation import calibration


def test_bins_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(500)
    right = rng.random(500) < confidence**2
    table = calibration.reliability(confidence, right)
    shares, means = calibration_curve(right, confidence, n_bins=10)
    assert table["right"].to_numpy() == pytest.approx(shares)
    assert table["confidence"].to_numpy() == pytest.approx(means)
    assert table["count"].sum() == 500
    apart = sum(
        abs(confidence[here].sum() - right[here].sum())
        for n in range(10)
        if (here := (confidence * 10).astype(int) == n).any()
    )
    assert calibration.error(table) == pytest.approx(apart / 500)


def test_the_ends_and_nothing() -> None:
    table = calibration.reliability(np.array([0.0, 1.0]), np.array([0, 1]))
    assert table["from"].tolist() == [0.0, 0.9]
    assert calibration.error(table) == 0
    empty = calibration.reliability(np.empty(0), np.empty(0))
    assert len(empty) == 0
    assert calibration.error(empty) == 0


def test_it_is_drawn() -> None:
    table = calibration.reliability(np.array([0.2, 0.25, 0.9]), np.array([0, 1, 1]))
    plot = calibration.draw(table)
    assert "0.217" in plot.axes[0].get_title(loc="left")
    assert plot.png()[:4] == b"\x89PNG"
