"""One cycle: its shape against PyTorch's, and cycles whose steps change on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kitbox.training.cycle import PEAK, Cycle, shape


def optimizer(*heights: float) -> torch.optim.Optimizer:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in heights]
    return torch.optim.AdamW(groups)


def rates(heights: list[float], steps: int) -> np.ndarray:
    """The rates (steps, groups) that every step is made with."""
    made = optimizer(*heights)
    cycle, seen = Cycle(made, steps), []
    while cycle.left:
        seen.append([group["lr"] for group in made.param_groups])
        cycle.step()
    return np.array(seen)


def test_up_for_a_quarter_then_down() -> None:
    seen = rates([1e-3], 400)[:, 0]
    top = int(seen.argmax())
    assert top in (99, 100)
    assert (np.diff(seen[: top + 1]) > 0).all()
    assert (np.diff(seen[top + 1 :]) < 0).all()
    assert seen.max() == pytest.approx(1e-3, rel=1e-4)


def test_the_shape_is_pytorch_s() -> None:
    """OneCycleLR, sampled finely, is the same curve."""
    made = optimizer(2e-3)
    steps = 20_000
    theirs = torch.optim.lr_scheduler.OneCycleLR(made, 2e-3, total_steps=steps, pct_start=PEAK)
    rate, momentum = [], []
    for _ in range(steps - 1):
        rate.append(made.param_groups[0]["lr"])
        momentum.append(made.param_groups[0]["betas"][0])
        made.step()
        theirs.step()
    shares = np.arange(steps - 1) / (steps - 1)
    ours = np.array([shape(share) for share in shares])
    np.testing.assert_allclose(ours[:, 0] * 2e-3, rate, atol=2e-3 * 3e-4)
    np.testing.assert_allclose(ours[:, 1], momentum, atol=1e-4)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 7])
def test_very_few_steps(steps: int) -> None:
    seen = rates([1e-3], steps)
    assert len(seen) == steps
    assert ((seen > 0) & (seen <= 1e-3)).all()


def test_groups_keep_their_heights() -> None:
    seen = rates([1e-5, 1e-4, 1e-2], 40)
    np.testing.assert_allclose(seen / seen[:, :1], np.tile([1.0, 10, 1000], (40, 1)))


@pytest.mark.parametrize(("after", "left"), [(0, 5), (10, 3), (50, 1), (30, 200)])
def test_a_changed_number_of_steps_still_ends(after: int, left: int) -> None:
    made = optimizer(1.0)
    cycle = Cycle(made, 100)
    for _ in range(after):
        cycle.step()
    before = made.param_groups[0]["lr"]
    cycle.shorten(left)
    assert cycle.left == left
    seen = []
    while cycle.left:
        seen.append(made.param_groups[0]["lr"])
        cycle.step()
    assert len(seen) == left
    assert cycle.edge == pytest.approx(1)
    if after > 25:
        assert seen[0] <= before * 1.01
        assert sorted(seen, reverse=True) == seen
    if left > 2:
        assert seen[-1] < 0.3


def test_goes_on_where_another_was() -> None:
    whole = rates([1e-3, 1e-2], 50)
    one = Cycle(optimizer(1e-3, 1e-2), 50)
    for _ in range(20):
        one.step()
    made = optimizer(1e-3, 1e-2)
    other = Cycle(made, 50)
    other.load(one.state())
    for wanted in whole[20:]:
        assert [group["lr"] for group in made.param_groups] == wanted.tolist()
        other.step()
    assert other.left == 0


def test_a_constant_rate_stays_as_the_optimizer_has_it() -> None:
    made = optimizer(1e-3, 1e-2)
    before = [dict(group) for group in made.param_groups]
    cycle = Cycle(made, 3, constant=True)
    assert cycle.left == 3
    cycle.step()
    cycle.shorten(1)
    cycle.load(cycle.state())
    cycle.step()
    assert cycle.left == 0
    assert [dict(group) for group in made.param_groups] == before
