"""What is recorded of steps and epochs, and when the device is asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kitbox.errors import TrainingError
from kitbox.learning.recorder import Recorder
from kitbox.learning.suggestion import Suggestion
from kitbox.training.finder import read
from kitbox.training.stages import Epoch
from kitbox.training.step import Part


def record(recorder: Recorder, fit: int, epochs: int) -> list[float]:
    """Three steps an epoch, of batches of 2; the losses."""
    group = {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.5}
    optimizer = torch.optim.AdamW([group])
    part, told = Part(torch.zeros((), dtype=torch.float64)), []
    recorder.watch(fit, 0, part, optimizer)
    for epoch in range(1, epochs + 1):
        part = Part(torch.zeros((), dtype=torch.float64))
        for step in range(1, 4):
            loss = fit * 10 + epoch + step / 10
            part.total += 2 * loss
            part.pictures, part.step = part.pictures + 2, step
            optimizer.param_groups[-1]["lr"] = loss
            recorder.watch(fit, epoch, part, optimizer)
            told.append(loss)
    return told


def test_losses_and_rates_of_each_step() -> None:
    recorder = Recorder(list)
    first, second = record(recorder, 1, 2), record(recorder, 2, 1)
    one, two = recorder.steps(1), recorder.steps(2)
    assert one.losses == pytest.approx(first)
    assert two.losses == pytest.approx(second)
    assert one.epochs == [1, 1, 1, 2, 2, 2]
    assert one.rates == pytest.approx([0.5, *first[:-1]])  # what the step was made with


def test_a_fit_that_goes_on_within_an_epoch() -> None:
    recorder = Recorder(list)
    group = {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.5}
    optimizer = torch.optim.AdamW([group])
    recorder.give(3, {"epochs": [1], "losses": [4.0], "rates": [0.1]})
    part = Part(torch.tensor(8.0, dtype=torch.float64), step=1, pictures=2)
    recorder.watch(3, 0, part, optimizer)
    part.total += 6
    part.step, part.pictures = 2, 4
    recorder.watch(3, 1, part, optimizer)
    assert recorder.plain(3) == {"epochs": [1, 1], "losses": [4.0, 3.0], "rates": [0.1, 0.5]}
    part = Part(torch.tensor(8.0, dtype=torch.float64), step=1, pictures=2)
    recorder.watch(3, 0, part, optimizer)  # back to the last good state
    part.total += 4
    part.step, part.pictures = 2, 4
    recorder.watch(3, 1, part, optimizer)
    assert recorder.plain(3) == {"epochs": [1, 1], "losses": [4.0, 2.0], "rates": [0.1, 0.5]}
    recorder.give(2, None)
    assert recorder.steps(3).losses == []


def test_back_to_the_fits_that_were_kept() -> None:
    recorder, other = Recorder(list), Recorder(list)
    record(recorder, 1, 2)
    kept = [recorder.plain(1)]
    record(recorder, 2, 1)
    kept.append(recorder.plain(2))
    for fit in (1, 2, 3):
        record(other, fit, 3)
    other.back(kept)
    assert [other.plain(fit) for fit in (1, 2)] == kept
    assert other.steps(3).losses == []
    record(other, 3, 1)
    assert len(other.steps(3).losses) == 3
    assert [other.plain(fit) for fit in (1, 2)] == kept
    other.back([])
    assert other.steps(1).losses == []


def test_the_device_is_asked_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, item = [], torch.Tensor.item
    monkeypatch.setattr(torch.Tensor, "item", lambda self: (asked.append(1), item(self))[1])
    recorder = Recorder(list)
    record(recorder, 1, 1)
    assert not asked
    recorder.steps(1)
    assert asked


def test_plots_of_what_there_is() -> None:
    log: list[Epoch] = []
    recorder = Recorder(lambda: log)
    with pytest.raises(TrainingError, match="No epoch was trained yet"):
        recorder.plot_lr()
    record(recorder, 1, 2)
    log += [Epoch(1, n, 0.1, 2.0 / n, 2.1 / n, {"accuracy": n / 3}, 1.5) for n in (1, 2)]
    wide = recorder.plot()
    # As wide as a notebook's cell; letters keep their size.
    assert wide.width == 960
    for plot in (recorder.plot_losses, recorder.plot_lr, recorder.plot_metrics):
        assert plot().width == 520
    curve = read(list(np.geomspace(1e-7, 10, 50)), list(np.linspace(3, 1, 50)))
    recorder.found = Suggestion(1e-3, curve)
    assert recorder.plot().width == 520  # the finder's
    assert list(recorder.table.columns) == [
        *("fit", "epoch", "lr", "train_loss", "valid_loss", "accuracy", "seconds")
    ]
