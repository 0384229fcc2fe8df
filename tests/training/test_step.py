"""One epoch of steps, and evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch.nn import functional as F

from kitbox.errors import PluginError
from kitbox.models.forward import predict
from kitbox.tasks.tally import Gathered
from kitbox.training.step import NotFiniteError, Part, Slices, evaluate, losses_of, train_epoch

from .conftest import changed, copy, make_loader, make_model, make_task, together

SIZE = (16, 16)


class Count:
    """A cycle that only counts."""

    def __init__(self, left: int = 1000) -> None:
        self.left, self.steps = left, 0

    def step(self) -> None:
        self.steps += 1
        self.left -= 1


def part() -> Part:
    return Part(torch.zeros((), dtype=torch.float64))


def test_an_epoch_is_plain_gradient_descent(accelerator: Accelerator) -> None:
    """The same losses and weights as a loop written down here."""
    rows = np.arange(20)  # batches of 7, 7 and 6
    ours, theirs = make_model(), make_model()
    task, loader, count = make_task(smoothing=0.0), make_loader(), Count()
    optimizer = accelerator.prepare(torch.optim.SGD(ours.parameters(), 0.1))
    shown: list[int] = []
    found = train_epoch(
        accelerator.prepare(ours),
        task,
        loader.fixed(rows, SIZE),
        optimizer,
        count,
        accelerator,
        part(),
        Slices(),
        lambda note: shown.append(1),
    )
    theirs.train()
    plain, total = torch.optim.SGD(theirs.parameters(), 0.1), 0.0
    for images, targets, here in loader.fixed(rows, SIZE):
        loss = F.cross_entropy(theirs(images), targets)
        plain.zero_grad()
        loss.backward()
        plain.step()
        total += loss.item() * len(here)
    assert found == pytest.approx(total / 20, rel=1e-5)
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value)
    assert count.steps == sum(shown) == 3
    assert all(p.grad is None for p in ours.parameters())


def test_a_loss_that_is_not_finite_stops_the_run(accelerator: Accelerator) -> None:
    model = make_model()
    with torch.no_grad():
        model.head[-1].bias.fill_(float("nan"))
    optimizer = accelerator.prepare(torch.optim.SGD(model.parameters(), 0.1))
    batches = make_loader().fixed(np.arange(8), SIZE)
    with pytest.raises(NotFiniteError) as caught:
        train_epoch(model, make_task(), batches, optimizer, Count(), accelerator, part(), Slices())
    assert caught.value.rows.tolist() == list(range(8))


def test_an_epoch_ends_with_the_cycle(accelerator: Accelerator) -> None:
    model, count, far = make_model(), Count(left=2), part()
    optimizer = accelerator.prepare(torch.optim.SGD(model.parameters(), 0.1))
    batches = make_loader().fixed(np.arange(20), SIZE)  # 7, 7 and 6
    train_epoch(model, make_task(), batches, optimizer, count, accelerator, far, Slices())
    assert (count.steps, far.step, far.pictures) == (2, 2, 14)


def test_a_part_is_counted_on(accelerator: Accelerator) -> None:
    """The mean of an epoch is that of all of its pictures, also those of before."""
    model, far = make_model(), Part(torch.tensor(70.0, dtype=torch.float64), 3, 100)
    optimizer = accelerator.prepare(torch.optim.SGD(model.parameters(), 0.0))
    batches = list(make_loader().fixed(np.arange(8), SIZE))
    model.train()
    alone = sum(make_task().loss(model(i), t).sum().item() for i, t, _ in batches)
    mean = train_epoch(
        model, make_task(), iter(batches), optimizer, Count(), accelerator, far, Slices()
    )
    assert mean == pytest.approx((70 + alone) / 108, rel=1e-4)
    assert (far.step, far.pictures) == (4, 108)


ROWS = np.array([30, 2, 17, 5, 9, 1, 33, 12, 0, 8, 22])


def test_evaluate_gives_the_mean_loss_and_a_tally_in_the_rows_order() -> None:
    """The loss and the outputs of the predictions, in batches of unequal size."""
    model, loader, task = make_model().train(), make_loader(), make_task()
    before, shown = copy(model), []
    loss, tally = evaluate(model, task, loader, ROWS, SIZE, lambda n=1, note="": shown.append(n))
    assert isinstance(tally, Gathered)
    outputs, _ = together(predict(model, loader, ROWS, SIZE))
    np.testing.assert_allclose(tally.outputs, outputs, atol=1e-6)
    assert tally.targets.tolist() == (ROWS % 3).tolist()
    assert len(tally.frames) == 11
    expected = F.cross_entropy(
        torch.from_numpy(outputs), torch.from_numpy(ROWS % 3), label_smoothing=0.1
    )
    assert loss == pytest.approx(float(expected))
    assert sum(shown) == loader.count(11)
    assert changed(model, before) == set()


def test_evaluate_of_nothing() -> None:
    loss, _ = evaluate(make_model(), make_task(), make_loader(), np.array([], int), SIZE)
    assert loss == 0


def test_a_mixed_batch_has_the_losses_of_both(accelerator: Accelerator) -> None:
    """Also in slices: the partner of a picture is in another one."""
    images, targets, _ = next(iter(make_loader().fixed(np.arange(8), SIZE)))
    task = make_task(smoothing=0.0)
    found = []
    for count in (1, 3):
        model = make_model(pretrained=True)
        model.freeze(False, hold_norm=True)
        model.train()
        slices = Slices()
        slices.count = count
        losses = slices.backward(model, task, images, targets, accelerator.backward, 0.7)
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        outputs = model(images)
        expected = 0.7 * task.loss(outputs, targets) + 0.3 * task.loss(outputs, targets.flip(0))
        torch.testing.assert_close(losses, expected.detach())
        found.append(gradients)
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(), (3, 2), (3, 1), (2,)])
def test_a_loss_is_one_number_for_each_picture(shape: tuple[int, ...]) -> None:
    class Odd:
        def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return torch.zeros(shape)

    with pytest.raises(PluginError, match=r"expected \(3,\)"):
        losses_of(Odd(), torch.zeros(3, 2), torch.zeros(3))  # type: ignore[arg-type]
