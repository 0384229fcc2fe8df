"""Tests of what the tests of tasks are given; those of tasks use all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from kitbox.tasks.points import Points
from kitbox.testing import labelled
from kitbox.testing.rehearsal import MIRROR, SHIFT, SIZE, RehearsalTests, Seen


class TestPoints(RehearsalTests):
    @pytest.fixture
    def plugin(self) -> Points:
        return Points(pairs=[("0", "1")])

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        rng = np.random.default_rng(0)
        names = ("x0", "y0", "x1", "y1")
        return labelled(folder, {name: rng.uniform(4, 36, 6) for name in names})

    def test_outputs_fit(self, seen: Seen) -> None:
        assert seen.loss(seen.fitted(), seen.targets) < 0.2 * seen.loss(seen.outputs, seen.targets)
        zeros = torch.zeros_like(seen.targets)
        assert seen.loss(seen.fitted(zeros), zeros) < 0.05

    def test_targets_move(self, seen: Seen) -> None:
        """A fifth to the right, and mirrored: x the other way, the pair exchanged."""
        torch.testing.assert_close(seen.moved(np.eye(3)), seen.targets)
        right = seen.targets + torch.tensor([0.4, 0.0])
        torch.testing.assert_close(seen.moved(SHIFT), right)
        left = right.flip(1) * torch.tensor([-1.0, 1.0])
        torch.testing.assert_close(seen.moved(SHIFT @ MIRROR), left)

    def test_a_saved_task_is_the_same(self, seen: Seen) -> None:
        assert seen.again() == seen.task
        assert seen.taught(seen.outputs) == seen.task

    def test_tallies_hold_all(self, seen: Seen) -> None:
        tally = seen.tally(seen.outputs, 4)
        assert np.array_equal(tally.outputs, seen.outputs.numpy())
        assert len(tally.frames) == len(seen.frames) == 6
        assert seen.frames.size == SIZE
