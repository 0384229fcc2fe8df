"""Cached pictures on a device: the same, whether all are there or a batch is sent."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kitbox.data import resident
from kitbox.data.filling import Filling
from kitbox.data.pixels import Pixels
from kitbox.data.resident import Resident

ROWS, SIDE = 12, 8


def pixels(kept: int = ROWS) -> Pixels:
    """Noise in the corners of squares."""
    rng = np.random.default_rng(0)
    canvas = np.zeros((kept, SIDE, SIDE, 3), np.uint8)
    extents = np.full((ROWS, 2), 6)
    canvas[:, :6, :6] = rng.integers(0, 256, (kept, 6, 6, 3))
    return Pixels(canvas, extents, extents, dict.fromkeys(range(kept, ROWS), "broken"), "")


def batch(there: Resident, rows: np.ndarray) -> np.ndarray:
    return there.batch(rows, there.fetch(rows), torch.from_numpy).numpy()


def test_all_of_them() -> None:
    said: list[str] = []
    one = pixels()
    there = Resident(one, "cpu", said.append)
    rows = np.array([3, 0, 11])
    assert there.fetch(rows) is not None
    before = batch(there, rows)
    there.settle()
    assert there.fetch(rows) is None
    assert np.array_equal(batch(there, rows), before)
    assert np.array_equal(before, one.canvas[rows])
    there.settle()
    assert len(said) == 1
    assert "on the GPU too" in said[0]


@pytest.mark.parametrize("why", ["not all are kept", "too large"])
def test_batch_by_batch(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    one = pixels(7 if why == "not all are kept" else ROWS)
    if why == "too large":
        monkeypatch.setattr(resident, "_free", lambda device: 3 * one.canvas.nbytes)  # of it 30 %
    there = Resident(one, "cpu", said.append)
    there.settle()
    rows = np.array([6, 2])
    assert there.fetch(rows) is not None
    assert np.array_equal(batch(there, rows), one.canvas[rows])
    assert "batch by batch" in said[0]


def test_not_before_all_are_decoded() -> None:
    one = pixels()
    one.filling = Filling(ROWS, lambda row: None, 0)
    there = Resident(one, "cpu")
    there.settle()
    one.filling.need(range(ROWS))
    assert there.fetch(np.array([1])) is not None
    there.settle()
    assert there.fetch(np.array([1])) is None
