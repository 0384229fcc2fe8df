"""What is kept of a pass: everything, in its order, and on the device until it is read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kitbox.contracts import Tally
from kitbox.data.frames import Frames
from kitbox.tasks.tally import Gathered


def frames(count: int, start: int) -> Frames:
    number = np.arange(start, start + count)[:, None]
    return Frames((8, 12), np.tile(number, 2) + 5, np.tile(number, 2) + 0.5, -np.tile(number, 2))


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=5), wide=st.integers(1, 4))
def test_all_of_a_pass_in_its_order(counts: list[int], wide: int) -> None:
    total = sum(counts)
    outputs, targets = torch.randn(total, wide), torch.arange(total) * 3
    tally: Tally = Gathered()
    start = 0
    for count in counts:
        part = slice(start, start + count)
        tally.add(outputs[part], targets[part], frames(count, start))
        start += count
    assert isinstance(tally, Gathered)
    np.testing.assert_array_equal(tally.outputs, outputs.numpy())
    np.testing.assert_array_equal(tally.targets, targets.numpy())
    together, whole = tally.frames, frames(total, 0)
    assert (len(together), together.size) == (total, (8, 12))
    for name in ("sizes", "scale", "shift"):
        np.testing.assert_array_equal(getattr(together, name), getattr(whole, name))


def test_tallies_share_nothing() -> None:
    one, other = Gathered(), Gathered()
    one.add(torch.zeros(2, 3), torch.zeros(2), frames(2, 0))
    other.add(torch.ones(1, 3), torch.ones(1), frames(1, 0))
    assert (len(one.outputs), len(other.outputs)) == (2, 1)


def test_types_are_kept() -> None:
    tally = Gathered()
    tally.add(torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), frames(2, 0))
    assert (tally.outputs.dtype, tally.targets.dtype) == (np.float32, np.int64)


def test_add_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read would wait for the device."""

    def wait(*args: object) -> None:
        raise AssertionError("add waits for the device")

    tally, outputs = Gathered(), torch.zeros(2, 3)
    with monkeypatch.context() as patch:
        for name in ("cpu", "numpy", "item", "tolist", "__array__"):
            patch.setattr(torch.Tensor, name, wait)
        tally.add(outputs, outputs, frames(2, 0))
    assert tally.outputs.shape == (2, 3)
