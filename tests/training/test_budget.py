"""A time budget, on a clock of its own: simulated stages end in time and use what there is."""

from __future__ import annotations

import pytest

from kitbox.training.budget import MARGIN, Budget, Plan


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def simulate(
    seconds: float, stages: list[tuple[int, float, bool]], *, forward: float = 0.1
) -> tuple[list[int], float]:
    """Steps made in each stage (epochs of 20 steps), and the time when all is predicted.

    Args:
        stages: epochs, seconds a step, frozen.
    """
    clock = Clock()
    budget = Budget(seconds, 0.0, clock)
    made = []
    for number, (epochs, step, frozen) in enumerate(stages, 1):
        left, done = epochs * 20, 0
        while left:
            clock.time += step
            budget.stepped(number, step)
            left, done = left - 1, done + 1
            if done % 10 == 0 and left:
                later = tuple((e * 20, f, 1.0) for e, _, f in stages[number:])
                left = min(left, budget.fitting(Plan(number, frozen, left, 20, 5, 10, later)))
            if done % 20 == 0 or not left:
                clock.time += 5 * forward
                budget.passed(5 * forward, 5)
        made.append(done)
    return made, clock.time + 10 * forward + 5 * forward


def test_enough_time_changes_nothing() -> None:
    made, end = simulate(1000, [(4, 0.5, True), (2, 1.5, False)])
    assert made == [80, 40]
    assert end < 1000


@pytest.mark.parametrize("seconds", [30, 50, 70, 90])
def test_too_little_time_is_kept_and_used(seconds: float) -> None:
    made, end = simulate(seconds, [(4, 0.5, True), (2, 1.5, False)])
    assert made[0] < 80
    assert made[1] < 40
    assert 0.75 * seconds < end <= seconds


def test_a_slow_later_stage_is_guessed_and_then_measured() -> None:
    made, end = simulate(100, [(4, 0.2, True), (4, 2.0, False)])
    assert made[1] < 80
    assert end <= 100


def test_no_time_at_all_makes_a_step_a_look() -> None:
    made, _ = simulate(1, [(4, 0.5, True)])
    assert made[0] == 11  # one look after ten steps


def test_a_margin_is_kept() -> None:
    clock = Clock()
    budget = Budget(100, 0.0, clock)
    assert budget.left == pytest.approx(100 * (1 - MARGIN))
    clock.time = 40
    assert budget.left == pytest.approx(100 * (1 - MARGIN) - 40)


def test_nothing_is_said_before_something_was_measured() -> None:
    assert Budget(1, 0.0, Clock()).fitting(Plan(1, True, 70, 20, 5, 10)) == 70
