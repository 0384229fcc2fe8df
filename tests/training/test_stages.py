"""Stages: rates, the best epoch, and how an epoch is told."""

from __future__ import annotations

import math

import pytest

from kitbox.recipe import Stage
from kitbox.training import stages
from kitbox.training.stages import Epoch, default_rate, place_of_best


@pytest.mark.parametrize(
    ("values", "better", "place"),
    [
        ([0.5], "min", 0),
        ([0.5, 0.4], "min", 1),
        ([0.5, 0.6], "min", 0),
        ([0.5, 0.6], "max", 1),
        ([0.6, 0.5], "max", 0),
        ([0.5, 0.4, 0.4, 0.5], "min", 2),
        ([0.6, 0.5, 0.6], "max", 2),
        ([math.nan], "min", 0),
        ([math.nan, math.nan], "max", 1),
        ([0.5, math.nan], "min", 0),
        ([math.nan, 0.9], "min", 1),
        ([0.5, math.nan, 0.6], "min", 0),
    ],
)
def test_place_of_best(values: list[float], better: str, place: int) -> None:
    assert place_of_best(values, better) == place


def test_default_rates() -> None:
    frozen, full = Stage(epochs=1, freeze=True), Stage(epochs=1)
    assert default_rate(frozen, True) == default_rate(frozen, False) == stages.FROZEN_RATE
    low, high = default_rate(full, True)
    assert 0 < low < high
    assert default_rate(full, False) == stages.SCRATCH_RATE


def test_rates_and_words_of_a_stage_frozen_up_to_a_layer() -> None:
    assert default_rate(Stage(epochs=1, freeze=2), True) == stages.FULL_RATES
    assert default_rate(Stage(epochs=1, freeze="layer3"), False) == stages.SCRATCH_RATE
    given = [Stage(epochs=1, freeze=freeze) for freeze in (True, False, "layer3", 2)]
    assert [stages.describe(stage, 1, 4, (20, 30)) for stage in given] == [
        "stage 1 of 4: head alone, body frozen, 20x30 pixels",
        "stage 1 of 4: all layers, 20x30 pixels",
        "stage 1 of 4: body frozen up to layer3, 20x30 pixels",
        "stage 1 of 4: body's first 2 layers frozen, 20x30 pixels",
    ]


def test_words_of_a_constant_rate() -> None:
    said = stages.describe(Stage(epochs=1, schedule="constant"), 2, 2, (20, 30))
    assert said == "stage 2 of 2: all layers, constant rate, 20x30 pixels"


def test_an_epoch_as_a_row_and_as_cells() -> None:
    epoch = Epoch(2, 3, 1e-3, 0.5, 0.25, {"accuracy": 0.75}, 75.0)
    assert list(epoch.row()) == [
        *("stage", "epoch", "lr", "train_loss", "valid_loss", "accuracy"),
    ]
    others = dict.fromkeys(("validating", "waited", "made"), 0.0)
    assert epoch.time() == {"stage": 2, "epoch": 3, "seconds": 75.0, **others}
    cells = epoch.cells()
    assert (cells["lr"], cells["accuracy"], cells["time"]) == ("1.0e-03", "0.7500", "1:15")
