"""Random states of torch that are a learner's own, not the notebook's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

States = tuple[torch.Tensor, list[torch.Tensor]]


@dataclass
class Randomness:
    """A learner's random states: cells in between do not move them, nor it the notebook's.

    Args:
        seed: what they begin with.
    """

    seed: int
    _own: States | None = field(default=None, init=False)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let torch have these states; the notebook's come back afterwards."""
        theirs = _states()
        try:
            if self._own is None:
                torch.manual_seed(self.seed)
            else:
                _give(self._own)
            yield
        finally:
            self._own = _states()
            _give(theirs)


def _states() -> States:
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return torch.get_rng_state(), devices


def _give(states: States) -> None:
    cpu, devices = states
    torch.set_rng_state(cpu)
    if devices:
        torch.cuda.set_rng_state_all(devices)
