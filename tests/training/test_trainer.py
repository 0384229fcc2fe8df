"""The trainer: what learns, what stays, and runs that are cut short and go on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score

from kitbox.data.mixing import Mix
from kitbox.data.targets import Fixed
from kitbox.errors import RecipeError, TrainingError
from kitbox.models.model import parameter_groups, spread
from kitbox.progress import Progress
from kitbox.recipe import Stage
from kitbox.stopping import Stop, Stopped
from kitbox.tasks.single_label import SingleLabel
from kitbox.training.budget import Budget
from kitbox.training.checkpoints import Checkpoint
from kitbox.training.keeper import Keeper
from kitbox.training.stages import Epoch
from kitbox.training.step import Slices
from kitbox.training.trainer import Trainer

from .conftest import changed, copy, make_model, together

SIZE = (16, 16)
Make = Callable[..., Trainer]


def train(run: Trainer, *stages: Stage) -> list[Epoch]:
    return list(run.stages(stages, lambda stage: SIZE))


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
    epochs = train(run, Stage(epochs=8, lr=3e-2))
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
    def weights(seed: int) -> dict[str, torch.Tensor]:
        run = trainer(seed=seed)
        train(run, Stage(epochs=2))
        return copy(run.model)

    one, again, other = weights(3), weights(3), weights(4)
    raw = {name: value.numpy().tobytes() for name, value in one.items()}
    assert raw == {name: value.numpy().tobytes() for name, value in again.items()}
    assert raw != {name: value.numpy().tobytes() for name, value in other.items()}


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_frozen_stage_trains_the_head_alone(trainer: Make, pretrained: bool) -> None:
    run = trainer(pretrained=pretrained)
    body, head = copy(run.model.body), copy(run.model.head)
    train(run, Stage(epochs=1, freeze=True))
    assert changed(run.model.body, body) == set()
    assert changed(run.model.head, head) == set(head)
    other = trainer(pretrained=pretrained)
    body = copy(other.model.body)
    train(other, Stage(epochs=1, freeze=True), Stage(epochs=1))
    assert "first.0.weight" in changed(other.model.body, body)


@pytest.mark.parametrize("freeze", [1, -1, "second"])
def test_a_stage_frozen_up_to_a_layer_trains_the_rest(trainer: Make, freeze: int | str) -> None:
    run = trainer()
    before = copy(run.model)
    train(run, Stage(epochs=1, freeze=freeze))
    learned = {name for name in before if not name.startswith("body.first.")}
    assert changed(run.model, before) == learned  # the statistics of the second layer too
    train(run, Stage(epochs=1))
    assert changed(run.model, before) == set(before)


def test_a_stage_frozen_up_to_a_layer_that_is_not_there(trainer: Make) -> None:
    with pytest.raises(RecipeError, match=r"no layer 'secnd'.*'second'"):
        train(trainer(), Stage(epochs=1, freeze="secnd"))


def test_weights_of_rows_decide_what_is_drawn(trainer: Make) -> None:
    run = trainer(weights=np.array([1.0] + [1e-9] * 23))
    drawn = [rows for _, _, rows in run.feed.varied(1, 1, SIZE)]
    assert np.concatenate(drawn).tolist() == [0] * 24


@pytest.mark.parametrize("pretrained", [True, False])
@pytest.mark.parametrize("hold", [None, True, False])
def test_statistics_are_held_by_default_for_pretrained_weights(
    trainer: Make, pretrained: bool, hold: bool | None
) -> None:
    run = trainer(pretrained=pretrained)
    before = copy(run.model.body)
    train(run, Stage(epochs=1, hold_norm=hold))
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
    full = Stage(epochs=1, lr="find")
    first, *later = train(run, Stage(epochs=1, freeze=True, lr="find"), full, full)
    assert 1e-7 < first.lr < 10
    assert run.rate == first.lr  # of the frozen stage: a fifth of a fifth would come to nothing
    assert max(one.lr for one in later) <= first.lr / 5 + 1e-12


def test_a_found_rate_trains_as_the_same_rate_given(trainer: Make) -> None:
    found = trainer()
    (epoch,) = train(found, Stage(epochs=1, lr="find"))
    given = trainer()
    train(given, Stage(epochs=1, lr=epoch.lr))
    assert changed(found.model, copy(given.model)) == set()


class Killed(BaseException):
    """What kill -9 would do, at a place of the test's choosing."""


TWO = (Stage(epochs=2, freeze=True, lr="find"), Stage(epochs=2))


class FailingKeeper(Keeper):
    """Dies at the n-th time that it is asked whether to save, or that it has saved."""

    dies_at = -1
    saved = False
    asked = 0

    def due(self, *, whole_epoch: bool) -> bool:
        self._count(not self.saved)
        return super().due(whole_epoch=whole_epoch)

    def save(self, checkpoint: Checkpoint) -> None:
        super().save(checkpoint)
        self._count(self.saved)

    def _count(self, counts: bool) -> None:
        self.asked += counts
        if counts and self.asked == self.dies_at:
            raise Killed


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("mix", [None, Mix(mixup=0.4, cutmix=1.0)])
@pytest.mark.parametrize("every", [1, 2, "0.0001s"])
def test_a_killed_training_goes_on_and_ends_the_same(
    trainer: Make, tmp_path: Path, every: int | str, mix: Mix | None, saved: bool
) -> None:
    """Killed once before each time that it might save, or after each time that it did."""
    trainer = partial(trainer, mix=mix)
    whole = trainer()
    train(whole, *TWO)
    deaths = 0
    for dies_at in range(1, 40):  # each lives a little longer than the one before it
        run = trainer()
        run.keeper = FailingKeeper(tmp_path / "c.safetensors", every, Stop())
        run.keeper.dies_at, run.keeper.saved = dies_at, saved
        try:
            train(run, *TWO)
            break
        except Killed:
            deaths += 1
            torch.manual_seed(deaths)  # a new process has other random states
    assert deaths >= 2
    assert changed(run.model, copy(whole.model)) == set()
    assert [one.row() for one in run.log] == [one.row() for one in whole.log]


def test_a_stop_is_saved_and_gone_on_from(trainer: Make, tmp_path: Path) -> None:
    whole = trainer()
    train(whole, *TWO)
    stop = Stop()
    run = trainer()
    run.keeper = Keeper(tmp_path / "c.safetensors", "1h", stop)
    epochs = run.stages(TWO, lambda stage: SIZE)
    next(epochs)
    stop.asked = True
    with pytest.raises(Stopped):
        list(epochs)
    again = trainer()
    again.keeper = Keeper(tmp_path / "c.safetensors", "1h", Stop())
    assert len(train(again, *TWO)) == 3  # the first epoch was done
    assert changed(again.model, copy(whole.model)) == set()
    assert [e.row() for e in again.log] == [e.row() for e in whole.log]


class Sick(SingleLabel):
    """Its loss is NaN from call `at` on, `times` times."""

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        losses = super().loss(outputs, targets)
        if outputs.requires_grad:
            STATE["calls"] += 1
            if STATE["at"] <= STATE["calls"] < STATE["at"] + STATE["times"]:
                return losses * math.nan
        return losses


STATE = {"calls": 0, "at": 0, "times": 0}


def sick(run: Trainer, at: int, times: int) -> Trainer:
    STATE.update(calls=0, at=at, times=times)
    run.task = Sick(**run.task.model_dump())  # type: ignore[attr-defined]
    return run


def test_a_loss_that_is_not_finite_is_tried_again_with_lower_rates(
    trainer: Make, tmp_path: Path
) -> None:
    run = sick(trainer(), at=5, times=1)
    run.keeper = Keeper(tmp_path / "c.safetensors", 1, Stop())
    epochs = train(run, Stage(epochs=3, lr=1e-2))
    assert [e.epoch for e in run.log] == [1, 2, 3]
    assert len(epochs) == 3
    assert [e.lr for e in run.log] == pytest.approx([1e-2, 3e-3, 3e-3])  # what it was
    assert run.calmed
    run.fresh_rates()
    assert not run.calmed
    assert all(math.isfinite(e.train_loss) for e in run.log)
    assert all(torch.isfinite(value).all() for value in run.model.state_dict().values())


def test_a_loss_that_stays_not_finite_names_the_pictures(trainer: Make, tmp_path: Path) -> None:
    run = sick(trainer(), at=5, times=100)
    run.keeper = Keeper(tmp_path / "c.safetensors", 1, Stop())
    with pytest.raises(TrainingError, match=r"also with a lower.*pictures picture-\d+"):
        train(run, Stage(epochs=3))
    alone = sick(trainer(), at=2, times=100)
    with pytest.raises(TrainingError, match=r"not a finite number.*pictures picture-\d+"):
        train(alone, Stage(epochs=1))


def test_a_full_device_slices_the_batches(trainer: Make) -> None:
    """A body that has memory for three pictures only learns the same."""
    whole = trainer(pretrained=True)  # statistics held: slices do not change them
    train(whole, Stage(epochs=1))
    warned: list[str] = []
    small = trainer(pretrained=True)
    small._slices = Slices(warned.append)
    forward = small.model.body.forward

    def narrow(images: torch.Tensor) -> torch.Tensor:
        if len(images) > 3 and torch.is_grad_enabled() and small.model.training:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
        return forward(images)

    small.model.body.forward = narrow
    train(small, Stage(epochs=1))
    assert small._slices.count == 4
    assert len(warned) == 2
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(small.model.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def test_one_picture_too_large(trainer: Make) -> None:
    run = trainer()

    def full(images: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    run.model.body.forward = full
    with pytest.raises(TrainingError, match="One picture alone"):
        train(run, Stage(epochs=1))


def test_a_time_budget_shortens_the_stage_and_the_schedule_ends(trainer: Make) -> None:
    time = [0.0]
    said: list[str] = []

    class Said(Progress):
        def say(self, text: str) -> None:
            said.append(text)

    run = trainer(progress=Said(quiet=True))
    run.budget = Budget(60.0, 0.0, lambda: time[0])
    before = run.budget.stepped

    def stepped(stage: int, seconds: float) -> None:
        time[0] += 1  # a second a step, whatever it really took
        before(stage, 1.0)

    run.budget.stepped = stepped  # type: ignore[method-assign]
    run.budget.passed = lambda seconds, batches: None  # type: ignore[method-assign]
    epochs = train(run, Stage(epochs=40))  # 120 steps
    assert 30 <= time[0] <= 60
    assert len(epochs) < 25
    assert any("shortened" in text for text in said)
    assert [asdict(e)["epoch"] for e in epochs] == list(range(1, len(epochs) + 1))


def test_stopped_after_a_stage_s_last_step_the_epoch_is_still_scored(
    trainer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left to train then, but nobody has looked at the weights yet."""
    whole = trainer()
    train(whole, *TWO)
    run = trainer()
    run.keeper = Keeper(tmp_path / "c.safetensors", "1h", Stop())
    steps = run.loader.count(len(run.train))
    seen = 0

    def laps(self: object) -> float:  # once a step
        nonlocal seen
        seen += 1
        assert run.keeper is not None
        run.keeper.stop.asked = seen == 2 * steps + 1
        return 0.0

    with monkeypatch.context() as patch:
        patch.setattr("kitbox.training.trainer._Clock.lap", laps)
        with pytest.raises(Stopped):
            train(run, *TWO)
    again = trainer()
    again.keeper = Keeper(tmp_path / "c.safetensors", "1h", Stop())
    train(again, *TWO)
    assert [one.row() for one in again.log] == [one.row() for one in whole.log]
    assert changed(again.model, copy(whole.model)) == set()


def test_weights_that_are_not_finite_are_no_last_good_state(trainer: Make, tmp_path: Path) -> None:
    """A finite loss, a gradient that is not, and then the end of the epoch."""
    whole = trainer()
    run = trainer()
    run.keeper = Keeper(tmp_path / "c.safetensors", 1, Stop())
    calls = 0

    def poison(gradient: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return gradient * math.nan if calls == 3 * run.loader.count(len(run.train)) else gradient

    next(iter(run.model.body.parameters())).register_hook(poison)
    train(run, Stage(epochs=4))
    assert run._calm < 1  # it was tried again
    assert len(run.log) == 4
    assert all(bool(torch.isfinite(p).all()) for p in run.model.parameters())
    assert changed(run.model, copy(whole.model))


class Narrow:
    """A forward pass that has memory for three pictures."""

    def __init__(self, forward: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.forward = forward

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
        return self.forward(images)


def test_a_full_device_slices_the_finder_features_and_validation_too(trainer: Make) -> None:
    stages = (Stage(epochs=2, freeze=True, lr="find"), Stage(epochs=1))
    whole, small = trainer(pretrained=True), trainer(pretrained=True)
    train(whole, *stages)
    small.model.body.forward = Narrow(small.model.body.forward)
    train(small, *stages)
    assert small._slices.count == 4
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(small.model.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    outputs, _ = together(small.predict(small.valid, SIZE))
    expected, _ = together(whole.predict(whole.valid, SIZE))
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-3)


def test_a_stage_goes_on_with_the_views_it_began_with(
    trainer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever memory there is now."""
    stage = Stage(epochs=3, freeze=True, lr=1e-2)
    whole = trainer()
    train(whole, stage)
    run = trainer()
    run.keeper = FailingKeeper(tmp_path / "c.safetensors", "0.0001s", Stop())
    run.keeper.dies_at, run.keeper.saved = 4, True
    with pytest.raises(Killed):
        train(run, stage)
    monkeypatch.setattr("kitbox.environment.free_memory", lambda: 0)
    again = trainer()
    again.keeper = Keeper(tmp_path / "c.safetensors", 1, Stop())
    train(again, stage)
    assert changed(again.model, copy(whole.model)) == set()


def test_a_stop_before_anything_was_trained_ends_at_once(trainer: Make, tmp_path: Path) -> None:
    run = trainer()
    run.keeper = Keeper(tmp_path / "c.safetensors", 1, Stop())
    run.keeper.stop.asked = True
    with pytest.raises(KeyboardInterrupt):
        train(run, Stage(epochs=1, freeze=True, lr="find"))
    assert run.keeper.load() is None


def test_only_the_stage_s_own_optimizer_is_kept(trainer: Make) -> None:
    run = trainer()
    train(run, *TWO, Stage(epochs=1))
    assert len(run.accelerator._optimizers) == 1


def test_no_time_is_spent_on_the_finder_when_none_is_left(trainer: Make) -> None:
    said: list[str] = []
    progress = Progress(quiet=True)
    progress.warn = said.append  # type: ignore[method-assign]
    run = trainer(budget=Budget(1.0, -10.0, lambda: 0.0), progress=progress)
    train(run, *TWO)
    assert any("no time is left to find a rate" in one for one in said)
