"""The schedule of a stage: one cycle of rates and momentum, or a rate that stays."""

from __future__ import annotations

import math
from typing import Any

PEAK = 0.25
"""Share of the steps after which the rate is highest."""

_START, _END = 1 / 25, 1 / 250_000
_MOMENTUM = (0.85, 0.95)


class Cycle:
    """Rates up for a quarter of the steps, then down, by cosine; momentum the other way.

    After Smith and Topin, "Super-Convergence", 2018. Each group's own rate is
    the height of its cycle. The steps that are left may change on the way: what
    is left of the cycle is then stretched over them, so that it always ends.

    Args:
        optimizer: its groups' rates are the heights.
        steps: how many steps the cycle has.
        constant: rates and momentum stay as the optimizer has them.

    Attributes:
        left: steps to go.
        edge: share of the cycle that is done, 0 to 1.
    """

    def __init__(self, optimizer: Any, steps: int, *, constant: bool = False) -> None:
        self._optimizer, self._constant = optimizer, constant
        self._heights = [float(group["lr"]) for group in optimizer.param_groups]
        self.left, self.edge = max(1, steps), 0.0
        self._set()

    def step(self) -> None:
        """An optimizer step was made: set the rates of the next."""
        self.edge += (1 - self.edge) / self.left
        self.left -= 1
        if self.left:
            self._set()

    def shorten(self, left: int) -> None:
        """Let the rest of the cycle have this many steps."""
        self.left = max(1, left)
        self._set()

    def state(self) -> dict[str, Any]:
        """What `load` goes on from, plain values."""
        return {"left": self.left, "edge": self.edge}

    def load(self, state: dict[str, Any]) -> None:
        """Go on where another cycle was, with this one's heights."""
        self.left, self.edge = int(state["left"]), float(state["edge"])
        if self.left:
            self._set()

    def _set(self) -> None:
        if self._constant:
            return
        middle = self.edge + (1 - self.edge) / self.left / 2
        rate, momentum = shape(middle)
        for group, height in zip(self._optimizer.param_groups, self._heights, strict=True):
            group["lr"] = height * rate
            group["betas"] = (momentum, group["betas"][1])


def shape(share: float) -> tuple[float, float]:
    """Rate (1 at the peak) and momentum at a share of the cycle, 0 to 1.

    >>> shape(0.0)[0], shape(PEAK)
    (0.04, (1.0, 0.85))
    """
    low, high = _MOMENTUM
    if share < PEAK:
        return _cosine(_START, 1, share / PEAK), _cosine(high, low, share / PEAK)
    rest = (share - PEAK) / (1 - PEAK)
    return _cosine(1, _END, rest), _cosine(low, high, rest)


def _cosine(begin: float, end: float, share: float) -> float:
    return end + (begin - end) * (1 + math.cos(math.pi * share)) / 2
