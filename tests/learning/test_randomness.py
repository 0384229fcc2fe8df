"""A learner's random states are its own."""

from __future__ import annotations

import pytest
import torch

from kitbox.learning.randomness import Randomness


def test_neither_moves_the_other() -> None:
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(9)
    theirs = torch.rand(2)

    torch.manual_seed(9)
    own = Randomness(5)
    with own.entered():
        first = torch.rand(2)
    between = torch.rand(1)

    def fail() -> None:
        drawn.append(torch.rand(1))
        raise ValueError("stopped")

    drawn: list[torch.Tensor] = []
    with pytest.raises(ValueError, match="stopped"), own.entered():
        fail()
    between = torch.cat([between, torch.rand(1)])
    with own.entered():
        third = torch.rand(1)
    assert torch.equal(torch.cat([first, *drawn, third]), expected)
    assert torch.equal(between, theirs)
