"""Where steps and epochs lie, and that what is drawn is there."""

from __future__ import annotations

import numpy as np

from kitbox.ink import LINES
from kitbox.learning import curves
from kitbox.learning.recorder import Steps
from kitbox.training.finder import read
from kitbox.training.stages import Epoch


def epochs(*numbers: tuple[int, int]) -> list[Epoch]:
    return [Epoch(fit, n, 1e-3, 2.0, 2.0, {"accuracy": 0.5}, 1.0) for fit, n in numbers]


def test_places_of_steps_and_epochs() -> None:
    steps = {1: Steps(1, [1, 1, 2, 2], [4, 3, 2, 1], [1, 2, 3, 4]), 3: Steps(3, [1], [9], [5])}
    places = curves.Places(epochs((1, 1), (1, 2), (2, 1), (3, 1)), steps)
    assert places.ends == [2, 4, 6, 7]  # the steps of fit 2 are not known: as wide as most
    assert places.fits == [4, 6, 7]
    (first, losses, rates), (last, _, _) = places.lines
    assert (list(first), list(losses), list(rates)) == ([1, 2, 3, 4], [4, 3, 2, 1], [1, 2, 3, 4])
    assert list(last) == [7]


def test_steps_of_an_epoch_that_was_not_finished_are_left_out() -> None:
    places = curves.Places(epochs((1, 1)), {1: Steps(1, [1, 1, 2], [3, 2, 1], [1, 1, 1])})
    assert places.ends == [2]
    assert list(places.lines[0][1]) == [3, 2]


def test_panels_without_any_steps() -> None:
    made = curves.panels(epochs((1, 1), (1, 2)), {}, ("losses", "rates", "metrics"))
    assert made.mode == "RGB"
    pixels = np.asarray(made)
    third = pixels.shape[1] // 3
    for number in range(3):  # something is drawn in each, in colour
        part = pixels[:, number * third : (number + 1) * third].astype(int)
        assert (np.ptp(part, axis=2) > 60).sum() > 20


def test_what_shoots_up_does_not_press_the_rest_flat() -> None:
    rates = np.geomspace(1e-7, 10, 100)
    losses = np.where(np.arange(100) < 90, 2.0, 100.0)
    losses[40:90] = 1.0
    made = np.asarray(curves.sweep(read(list(rates), list(losses)), {"falls": 1e-3})).astype(int)
    color = [int(LINES[0][place : place + 2], 16) for place in (1, 3, 5)]
    blue = np.abs(made - color).sum(axis=2) < 60
    rows = np.flatnonzero(blue.any(axis=1))
    assert np.ptp(rows) > 0.5 * made.shape[0]


def test_the_smoothed_line_begins_at_its_values() -> None:
    values = np.full(200, 3.0)
    np.testing.assert_allclose(curves._smoothed(values), values)


def test_metrics_that_go_on_one_axis() -> None:
    def log(**scores: list[float]) -> list[Epoch]:
        rows = [dict(zip(scores, one, strict=True)) for one in zip(*scores.values(), strict=True)]
        return [Epoch(1, n, 1e-3, 2.0, 2.0, row, 1.0) for n, row in enumerate(rows, 1)]

    error, f1 = [0.4, 0.2], [0.5, float("nan")]
    assert list(curves.comparable(log(error_rate=error, accuracy=[0.6, 0.8], f1=f1))) == [
        "error_rate",
        "f1",
    ]
    assert list(curves.comparable(log(rmse=[3.0, 2.0], r2=[0.1, 0.5], mae=[2.0, 1.0]))) == ["rmse"]
    assert list(curves.comparable(log(f_beta_2=f1, threshold=[0.2, 0.3]))) == ["f_beta_2"]
    assert curves.comparable(log()) == {}
