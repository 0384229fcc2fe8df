"""Advice from the log: where it speaks, and where it is silent."""

from __future__ import annotations

import pandas as pd
import pytest

from interpretation.made import log, recipe
from kitbox.interpretation import log_rules
from kitbox.interpretation.advice import Advice
from kitbox.recipe import Recipe

FROZEN = [(2.0, 1.5), (1.2, 1.0), (0.84, 0.83), (0.8, 0.8)]
HEALTHY = [(0.7, 0.7), (0.6, 0.66), (0.55, 0.64), (0.53, 0.63)]
"""Each epoch takes less than the one before, as a cycle that ends does."""


def test_a_healthy_log_is_silent() -> None:
    for stages in ([FROZEN, HEALTHY], [FROZEN, HEALTHY[:2]], [FROZEN], [HEALTHY[:1]]):
        table = log(*stages)
        assert log_rules.overfitting(table, recipe(), 10) is None
        assert log_rules.underfitting(table, recipe()) is None
        assert log_rules.too_high(table, recipe()) is None


def applied(advice: Advice | None, about: str, **changes: object) -> Recipe:
    assert advice is not None
    assert advice.about == about
    return advice.apply(recipe(**changes))


def overfit() -> pd.DataFrame:
    return log(FROZEN, [(0.6, 0.7), (0.4, 0.75), (0.2, 0.85), (0.1, 0.95)])


def test_overfitting_asks_for_mixed_pictures_first() -> None:
    advice = log_rules.overfitting(overfit(), recipe(), 10)
    made = applied(advice, "overfitting")
    assert made.mix is not None
    assert made.mix.mixup == 0.2
    assert advice is not None
    assert "rose from 0.7 in epoch 1 to 0.95 in epoch 4" in advice.seen


def test_then_for_fewer_layers_then_for_decay() -> None:
    mixed = {"mix": {"mixup": 0.2}}
    made = applied(log_rules.overfitting(overfit(), recipe(**mixed), 10), "overfitting", **mixed)
    assert made.stages[1].freeze == 5
    frozen = {**mixed, "stages": [{"epochs": 4, "freeze": True}, {"epochs": 4, "freeze": True}]}
    advice = log_rules.overfitting(overfit(), recipe(**frozen), 10)
    made = applied(advice, "overfitting", **frozen)
    assert made.weight_decay == 0.05
    assert made.stages[1].epochs == 1


@pytest.mark.parametrize(
    "epochs",
    [
        [(0.6, 0.7), (0.4, 0.75), (0.2, 0.76), (0.1, 0.78)],  # it hardly rose
        [(0.6, 0.7), (0.4, 0.65), (0.2, 0.6), (0.1, 0.95)],  # once, at the end
        [(0.6, 0.7), (0.62, 0.8), (0.6, 0.85), (0.59, 0.9)],  # training did not get better
        [(0.1, 0.7), (0.09, 0.69), (0.08, 0.68), (0.07, 0.68)],  # a gap alone
    ],
)
def test_what_is_no_overfitting(epochs: list[tuple[float, float]]) -> None:
    assert log_rules.overfitting(log(FROZEN, epochs), recipe(), 10) is None


def test_underfitting_asks_for_epochs() -> None:
    table = log(FROZEN, [(0.8, 0.8), (0.7, 0.7), (0.6, 0.6), (0.5, 0.5)])
    assert applied(log_rules.underfitting(table, recipe()), "underfitting").stages[1].epochs == 8


def test_two_epochs_tell_it_with_the_stage_before_at_the_same_size() -> None:
    table = log(FROZEN, [(0.7, 0.7), (0.5, 0.5)])
    assert log_rules.underfitting(table, recipe()) is not None
    larger = recipe(stages=[{"epochs": 4, "freeze": True, "size": 32}, {"epochs": 2}])
    assert log_rules.underfitting(table, larger) is None
    alone = recipe(stages=[{"epochs": 2}])
    assert log_rules.underfitting(log([(0.7, 0.7), (0.5, 0.5)]), alone) is None


def test_negative_losses_are_no_trouble() -> None:
    table = log([(-1.0, -1.0), (-1.5, -1.4), (-2.0, -1.9)])
    assert log_rules.underfitting(table, recipe(stages=[{"epochs": 3}])) is not None
    assert log_rules.too_high(table, recipe(stages=[{"epochs": 3}])) is None


@pytest.mark.parametrize(
    ("asked", "advised"),
    [
        (None, [1e-4, 1e-2]),
        ("find", [1e-4, 1e-2]),
        (0.03, 1e-2),
        ([3e-6, 0.03], [1e-6, 1e-2]),
    ],
)
def test_a_jump_asks_for_a_third_of_every_layers_rate(asked: object, advised: object) -> None:
    table = log(FROZEN, [(0.8, 0.8), (2.4, 2.0), (1.5, 1.4)], lr=0.03)
    given = {"stages": [{"epochs": 4, "freeze": True}, {"epochs": 3, "lr": asked}]}
    made = applied(log_rules.too_high(table, recipe(**given)), "rate too high", **given)
    assert made.stages[1].lr == pytest.approx(advised)


def test_a_head_alone_and_random_weights_have_one_rate() -> None:
    table = log([(0.8, 0.8), (2.4, 2.0), (1.5, 1.4)], lr=0.03)
    for pretrained, freeze in ((True, True), (False, False)):
        given = {"stages": [{"epochs": 3, "freeze": freeze}]}
        advice = log_rules.too_high(table, recipe(**given), pretrained=pretrained)
        made = applied(advice, "rate too high", **given)
        assert made.stages[0].lr == pytest.approx(0.01)


def test_a_stage_that_loses_what_the_one_before_had() -> None:
    table = log(FROZEN, [(1.5, 1.6), (1.2, 1.3), (1.0, 1.1)])
    assert log_rules.too_high(table, recipe()) is not None
    recovered = log(FROZEN, [(1.5, 1.6), (0.9, 1.0), (0.7, 0.75)])
    assert log_rules.too_high(recovered, recipe()) is None
    larger = recipe(stages=[{"epochs": 4, "freeze": True, "size": 32}, {"epochs": 3}])
    assert log_rules.too_high(table, larger) is None  # losses of other sizes do not compare


def test_a_loss_that_was_not_finite() -> None:
    advice = log_rules.too_high(log(FROZEN, HEALTHY, lr=0.0003), recipe(), calmed=True)
    made = applied(advice, "rate too high")
    assert made.stages[1].lr == pytest.approx([3e-6, 3e-4])
    pair = {"stages": [{"epochs": 4, "freeze": True}, {"epochs": 3, "lr": [1e-6, 1e-3]}]}
    advice = log_rules.too_high(log(FROZEN, HEALTHY, lr=0.0003), recipe(**pair), calmed=True)
    made = applied(advice, "rate too high", **pair)
    assert made.stages[1].lr == pytest.approx([3e-7, 3e-4])
