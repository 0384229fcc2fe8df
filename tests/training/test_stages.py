"""Stages: schedules, rates, what is frozen, and that it learns."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

from kitbox.data.targets import Fixed
from kitbox.errors import RecipeError, TrainingError
from kitbox.models.model import parameter_groups, spread
from kitbox.recipe import Stage
from kitbox.recipe import make as make_recipe
from kitbox.training import stages
from kitbox.training.stages import Epoch, Trainer, default_rate, is_best, one_cycle

from .conftest import changed, copy, make_model, together

SIZE = (16, 16)
Make = Callable[..., Trainer]


def rates_of(heights: list[float], steps: int) -> np.ndarray:
    """The rate of each group at each step (steps, groups)."""
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": h} for h in heights]
    optimizer = torch.optim.AdamW(groups)
    schedule = one_cycle(optimizer, steps)
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return np.array(seen)


def test_one_cycle_peaks_at_a_quarter_and_ends_low() -> None:
    rates = rates_of([1e-3], 100)[:, 0]
    top = int(rates.argmax())
    assert 23 <= top <= 26
    assert rates[top] == pytest.approx(1e-3, rel=1e-3)
    assert rates[0] < 1e-3 / 20
    assert rates[-1] < 1e-3 / 1000
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()


def test_one_cycle_keeps_the_heights_of_the_groups() -> None:
    rates = rates_of([1e-5, 1e-4, 1e-2], 40)
    np.testing.assert_allclose(rates.max(0), [1e-5, 1e-4, 1e-2], rtol=1e-2)
    np.testing.assert_allclose(rates / rates[:, :1], np.full((40, 3), [1.0, 10, 1000]))


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_one_cycle_of_very_few_steps(steps: int) -> None:
    rates = rates_of([1e-3], steps)
    assert rates.shape == (steps, 1)
    assert ((rates > 0) & (rates <= 1e-3)).all()


@pytest.mark.parametrize(
    ("values", "better", "best"),
    [
        ([0.5], "min", True),
        ([0.5, 0.4], "min", True),
        ([0.5, 0.6], "min", False),
        ([0.5, 0.6], "max", True),
        ([0.6, 0.5], "max", False),
        ([0.5, 0.4, 0.4], "min", True),
        ([0.6, 0.5, 0.6], "max", True),
        ([math.nan], "min", True),
        ([math.nan, math.nan], "max", True),
        ([0.5, math.nan], "min", False),
        ([0.5, math.nan], "max", False),
        ([math.nan, 0.9], "min", True),
        ([0.5, math.nan, 0.6], "min", False),
    ],
)
def test_is_best(values: list[float], better: str, best: bool) -> None:
    assert is_best(values, better) is best


def test_default_rates() -> None:
    frozen, full = Stage(epochs=1, freeze=True), Stage(epochs=1)
    assert default_rate(frozen, True) == default_rate(frozen, False) == stages.FROZEN_RATE
    low, high = default_rate(full, True)
    assert 0 < low < high
    assert default_rate(full, False) == stages.SCRATCH_RATE


def test_a_pair_of_rates_is_spread_geometrically_to_the_head() -> None:
    np.testing.assert_allclose(spread((1e-5, 1e-2), 7), np.geomspace(1e-5, 1e-2, 7))
    model = make_model()
    groups = parameter_groups(model, (1e-5, 1e-3), 0.01)
    rate = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert rate[id(model.body.first[0].weight)] == pytest.approx(1e-5)
    assert rate[id(model.body.second[0].weight)] == pytest.approx(1e-4)
    assert rate[id(model.head[-1].weight)] == pytest.approx(1e-3)
    assert len(rate) == len(list(model.parameters()))


def test_training_lowers_the_loss_and_learns(trainer: Make) -> None:
    run = trainer()
    first, _ = run.validate(SIZE)
    epochs = list(run.stage(1, Stage(epochs=8, lr=3e-2), SIZE))
    assert [e.epoch for e in epochs] == list(range(1, 9))
    assert epochs[-1].train_loss < epochs[0].train_loss * 0.8
    assert epochs[-1].valid_loss < first * 0.8
    outputs, _ = together(run.predict(run.valid, SIZE))
    assert isinstance(run.loader.targets, Fixed)
    accuracy = accuracy_score(run.loader.targets.values[run.valid], outputs.argmax(1))
    assert epochs[-1].scores["accuracy"] == pytest.approx(accuracy)
    assert accuracy > 0.8
    assert epochs[-1].lr == 3e-2


def test_the_same_seed_gives_the_same_weights_byte_for_byte(trainer: Make) -> None:
    def train(seed: int) -> dict[str, torch.Tensor]:
        run = trainer(seed=seed)
        list(run.stage(1, Stage(epochs=2), SIZE))
        return copy(run.model)

    one, again, other = train(3), train(3), train(4)
    raw = {name: value.numpy().tobytes() for name, value in one.items()}
    assert raw == {name: value.numpy().tobytes() for name, value in again.items()}
    assert raw != {name: value.numpy().tobytes() for name, value in other.items()}


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_frozen_stage_trains_the_head_alone(trainer: Make, pretrained: bool) -> None:
    run = trainer(pretrained=pretrained)
    body, head = copy(run.model.body), copy(run.model.head)
    list(run.stage(1, Stage(epochs=1, freeze=True), SIZE))
    assert changed(run.model.body, body) == set()
    assert changed(run.model.head, head) == set(head)
    list(run.stage(2, Stage(epochs=1), SIZE))
    assert "first.0.weight" in changed(run.model.body, body)


@pytest.mark.parametrize("freeze", [1, -1, "second"])
def test_a_stage_frozen_up_to_a_layer_trains_the_rest(trainer: Make, freeze: int | str) -> None:
    run = trainer()
    before = copy(run.model)
    list(run.stage(1, Stage(epochs=1, freeze=freeze), SIZE))
    learned = {name for name in before if not name.startswith("body.first.")}
    assert changed(run.model, before) == learned  # the statistics of the second layer too
    list(run.stage(2, Stage(epochs=1), SIZE))
    assert changed(run.model, before) == set(before)


def test_a_stage_frozen_up_to_a_layer_that_is_not_there(trainer: Make) -> None:
    with pytest.raises(RecipeError, match=r"no layer 'secnd'.*'second'"):
        next(trainer().stage(1, Stage(epochs=1, freeze="secnd"), SIZE))


def test_rates_and_words_of_a_stage_frozen_up_to_a_layer() -> None:
    assert default_rate(Stage(epochs=1, freeze=2), True) == stages.FULL_RATES
    assert default_rate(Stage(epochs=1, freeze="layer3"), False) == stages.SCRATCH_RATE
    given = [{"epochs": 1, "freeze": freeze} for freeze in (True, False, "layer3", 2)]
    plan = make_recipe(
        {"source": "digits", "labeler": "folder", "task": "single-label", "stages": given}
    )
    said = [stages.describe(plan, number).partition(": ")[2] for number in (1, 2, 3, 4)]
    assert [text.partition(", 224")[0] for text in said] == [
        "head alone, body frozen",
        "all layers",
        "body frozen up to layer3",
        "body frozen up to 2",
    ]


def test_weights_of_rows_decide_what_is_drawn(trainer: Make) -> None:
    run = trainer(weights=np.array([1.0] + [1e-9] * 23))
    drawn = [rows for _, _, rows in run._varied(1, 1, SIZE)]
    assert np.concatenate(drawn).tolist() == [0] * 24


@pytest.mark.parametrize("pretrained", [True, False])
@pytest.mark.parametrize("hold", [None, True, False])
def test_statistics_are_held_by_default_for_pretrained_weights(
    trainer: Make, pretrained: bool, hold: bool | None
) -> None:
    run = trainer(pretrained=pretrained)
    before = copy(run.model.body)
    list(run.stage(1, Stage(epochs=1, hold_norm=hold), SIZE))
    statistics = {name for name in before if "running_" in name}
    moved = changed(run.model.body, before) & statistics
    assert moved == (set() if (pretrained if hold is None else hold) else statistics)


def test_the_outputs_keep_the_order_of_the_rows(trainer: Make) -> None:
    run = trainer()
    rows = np.array([35, 0, 20, 7, 7, 1, 2, 3, 4, 5])
    forward, frames = together(run.predict(rows, SIZE))
    backward, _ = together(run.predict(rows[::-1], SIZE))
    assert len(forward) == sum(map(len, frames)) == len(rows)
    np.testing.assert_allclose(backward, forward[::-1], atol=1e-6)
    assert np.abs(forward[0] - forward[1]).max() > 0


def test_try_batch_changes_nothing(trainer: Make) -> None:
    run = trainer()
    before, random = copy(run.model), torch.get_rng_state()
    stage = Stage(epochs=1)
    assert run.try_batch(1, stage, SIZE) == pytest.approx(math.log(3), abs=0.3)
    assert changed(run.model, before) == set()
    assert torch.equal(torch.get_rng_state(), random)
    assert all(p.grad is None for p in run.model.parameters())


def test_try_batch_refuses_a_loss_that_is_not_finite(trainer: Make) -> None:
    run = trainer()
    with torch.no_grad():
        run.model.head[-1].weight.fill_(math.inf)
    with pytest.raises(TrainingError, match="stage 1"):
        run.try_batch(1, Stage(epochs=1), SIZE)


def test_the_finder_gives_a_stage_its_rate(trainer: Make) -> None:
    run = trainer()
    (epoch,) = run.stage(1, Stage(epochs=1, freeze=True, lr="find"), SIZE)
    assert run.rate == epoch.lr
    assert 1e-7 < epoch.lr < 10
    first = epoch.lr
    (epoch,) = run.stage(2, Stage(epochs=1, lr="find"), SIZE)
    assert epoch.lr == pytest.approx(first / 5)


def test_a_found_rate_trains_as_the_same_rate_given(trainer: Make) -> None:
    found = trainer()
    (epoch,) = found.stage(1, Stage(epochs=1, lr="find"), SIZE)
    given = trainer()
    list(given.stage(1, Stage(epochs=1, lr=epoch.lr), SIZE))
    assert changed(found.model, copy(given.model)) == set()


def test_an_epoch_as_a_row_and_as_cells() -> None:
    epoch = Epoch(2, 3, 1e-3, 0.5, 0.25, {"accuracy": 0.75}, 75.0)
    assert list(epoch.row()) == [
        *("stage", "epoch", "lr", "train_loss", "valid_loss", "accuracy", "seconds"),
    ]
    cells = epoch.cells()
    assert (cells["lr"], cells["accuracy"], cells["time"]) == ("1.0e-03", "0.7500", "1:15")
