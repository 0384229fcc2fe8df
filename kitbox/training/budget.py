"""A time budget: how many steps still fit, so that the schedule ends before the time does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MARGIN = 0.03
"""Share of the budget that is kept for what nobody measured."""

_SMOOTHING = 0.9
_UNFROZEN = 3.0
"""A full step takes about three times a forward pass; used until one was measured."""


@dataclass
class Budget:
    """Time that a run may take.

    Attributes:
        seconds: from `began` on.
        began: on the clock `now`.
        now: seconds, monotonic.
    """

    seconds: float
    began: float
    now: Callable[[], float] = time.monotonic
    _step: dict[int, float] = field(default_factory=dict)
    _forward: float | None = None

    @property
    def left(self) -> float:
        """Seconds left, a margin kept."""
        return self.began + self.seconds * (1 - MARGIN) - self.now()

    def stepped(self, stage: int, seconds: float) -> None:
        """An optimizer step of a stage took so long."""
        mean = self._step.get(stage)
        self._step[stage] = (
            seconds if mean is None else _SMOOTHING * mean + (1 - _SMOOTHING) * seconds
        )

    def passed(self, seconds: float, batches: int) -> None:
        """A pass without training over so many batches took so long."""
        if batches:
            self._forward = seconds / batches

    def fitting(self, plan: Plan) -> int:
        """How many of the steps that are left in the plan's stage fit, at least 1.

        Later stages are shortened by the same share.
        """
        step = self._step.get(plan.stage)
        if step is None:
            return plan.left
        forward = self._forward if self._forward is not None else step
        epochs = -(-plan.left // max(1, plan.steps))
        later = sum(count * self._guess(plan, frozen, size) for count, frozen, size in plan.later)
        later_passes = sum(-(-count // max(1, plan.steps)) for count, _, _ in plan.later)
        passes = forward * ((epochs + later_passes + 1) * plan.valid_batches + plan.predict_batches)
        training = plan.left * step + later
        available = self.left - passes
        if training <= available:
            return plan.left
        # Fewer epochs need fewer passes too; what counts is that the last ones fit.
        available = max(
            available, self.left - forward * (plan.predict_batches + 2 * plan.valid_batches)
        )
        return max(1, min(plan.left, int(plan.left * max(0.0, available) / training)))

    def _guess(self, plan: Plan, frozen: bool, size: float) -> float:
        """Seconds a step of a later stage: `size` is its pixels relative to this stage's."""
        step = self._step[plan.stage]
        if plan.frozen and not frozen:
            # A frozen stage's steps may not even go through the body: see `training.features`.
            step = _UNFROZEN * max(step, self._forward or 0.0)
        return step * size


@dataclass(frozen=True)
class Plan:
    """What is still to be done.

    Attributes:
        stage: the number of the stage at work.
        frozen: whether its body runs forward only.
        left: its steps to go.
        steps: of an epoch.
        valid_batches, predict_batches: of a validation pass, and of the predictions at the end.
        later: of each later stage its steps, whether it is frozen, and the pixels of its
            pictures relative to those of this stage.
    """

    stage: int
    frozen: bool
    left: int
    steps: int
    valid_batches: int
    predict_batches: int
    later: tuple[tuple[int, bool, float], ...] = ()

    @staticmethod
    def of(
        stage: int,
        left: int,
        steps: int,
        stages: Sequence[tuple[int, bool, int]],
        valid_batches: int,
        predict_batches: int,
    ) -> Plan:
        """The plan of a run that is in the stage of number `stage`.

        Args:
            left, steps, valid_batches, predict_batches: as in a plan.
            stages: of each its epochs, whether it is frozen, and the pixels of its pictures.
        """
        _, frozen, pixels = stages[stage - 1]
        later = tuple((epochs * steps, fix, size / pixels) for epochs, fix, size in stages[stage:])
        return Plan(stage, frozen, left, steps, valid_batches, predict_batches, later)
