"""Advice from the log of epochs: over- and underfitting, rates too high."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitbox.interpretation.advice import Advice
from kitbox.training.stages import CALMER, default_rate

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.interpretation.scene import Scene
    from kitbox.recipe import Recipe, Stage

WORSE = 1.15
"""A validation loss that rose by this factor from its lowest has risen."""
LATER = 2
"""Epochs after the lowest one that it takes to say so."""
FALLING = 0.05
"""The part of the losses that the last epochs must have taken to be still falling."""
JUMPED = 1.5
"""A training loss that an epoch raised by this factor has jumped."""
FORGOT = 1.1
"""A stage that ends this much above where the one before it ended has lost something."""


def of(scene: Scene) -> list[Advice]:
    """What the log says; nothing where there is no log or no recipe."""
    log, recipe = scene.log, scene.recipe
    if log is None or recipe is None or not len(log):
        return []
    pretrained = scene.model.body.pretrained
    if rate := too_high(log, recipe, calmed=scene.calmed, pretrained=pretrained):
        return [rate]  # until that is mended, the losses say nothing else
    fits = overfitting(log, recipe, len(scene.model.body.layers()))
    fits = fits or underfitting(log, recipe)
    return [fits] if fits else []


def overfitting(log: pd.DataFrame, recipe: Recipe, layers: int) -> Advice | None:
    """The validation loss of the last stage rose while the training loss went on falling.

    Args:
        layers: of the body.
    """
    stage, epochs = _last(log)
    valid, train = epochs["valid_loss"].to_numpy(), epochs["train_loss"].to_numpy()
    lowest = int(valid.argmin())
    later = len(valid) - 1 - lowest
    rose = valid[-1] >= WORSE * valid[lowest] and valid[-1] - valid[lowest] > 0
    if later < LATER or not rose or train[-1] > 0.9 * train[lowest]:
        return None
    seen = (
        f"in stage {stage} the validation loss rose from {valid[lowest]:.3g} in epoch "
        f"{lowest + 1} to {valid[-1]:.3g} in epoch {len(valid)}, while the training loss fell "
        f"from {train[lowest]:.3g} to {train[-1]:.3g}"
    )
    if recipe.mix is None:
        why = "the model learns the training pictures by heart. Blended pictures cannot be"
        return Advice("overfitting", seen, why, {"mix": {"mixup": 0.2}})
    if recipe.stages[stage - 1].freeze is False and layers > 3:
        why = "pictures are blended already. Fewer layers that train can learn less by heart"
        return Advice("overfitting", seen, why, {f"stages.{stage - 1}.freeze": layers // 2})
    why = "the model learns the training pictures by heart. A larger weight decay, and fewer epochs"
    epochs_asked = max(1, lowest + 1)
    change = {"weight_decay": max(0.05, 3 * recipe.weight_decay)}
    return Advice("overfitting", seen, why, {**change, f"stages.{stage - 1}.epochs": epochs_asked})


def underfitting(log: pd.DataFrame, recipe: Recipe) -> Advice | None:
    """Both losses still fell in the last two epochs.

    Of a stage of two epochs the one before it, at the same size, shows where they came from.
    """
    stage, epochs = _last(log)
    least, before = FALLING, stage - 1
    if len(epochs) < 3 and before >= 1 and recipe.size_of(stage) == recipe.size_of(before):
        # More layers that train, and another rate, make for a fall of their own.
        least, epochs = 2 * FALLING, log[log["stage"].between(before, stage)]
    valid, train = epochs["valid_loss"].to_numpy(), epochs["train_loss"].to_numpy()
    if len(valid) < 3:
        return None
    fell = [(one[-3:-1] - one[-2:]) / abs(one[-3:-1]) for one in (valid, train)]
    if any((one < least).any() for one in fell) or valid[-1] > valid.min():
        return None
    count = recipe.stages[stage - 1].epochs
    return Advice(
        "underfitting",
        f"both losses were still falling when stage {stage} ended: in the last two epochs "
        f"validation from {valid[-3]:.3g} to {valid[-1]:.3g}, training from {train[-3]:.3g} to "
        f"{train[-1]:.3g}",
        "more epochs let the model learn what it has not learned yet",
        {f"stages.{stage - 1}.epochs": 2 * count},
    )


def too_high(
    log: pd.DataFrame, recipe: Recipe, *, calmed: bool = False, pretrained: bool = True
) -> Advice | None:
    """A loss that was not finite, that jumped, or a stage that lost what the one before had.

    Args:
        calmed: the rates were lowered on the way.
        pretrained: what the default rates hang on.
    """
    for number in sorted({int(one) for one in log["stage"]}):
        epochs = log[log["stage"] == number]
        if number > len(recipe.stages):
            continue
        train = epochs["train_loss"].to_numpy()
        jumps = train[1:] / train[:-1].clip(min=1e-12)
        rate = float(epochs["lr"].iloc[0])
        lower = _times(recipe.stages[number - 1], rate, 1 / 3, pretrained=pretrained)
        change = {f"stages.{number - 1}.lr": lower}
        if len(jumps) and jumps.max() >= JUMPED and train[-1] > train[0]:
            epoch = int(jumps.argmax()) + 1
            return Advice(
                "rate too high",
                f"in stage {number} the training loss jumped from {train[epoch - 1]:.3g} to "
                f"{train[epoch]:.3g} in epoch {epoch + 1}, at a rate of {rate:.2g}",
                "a lower rate keeps what was learned",
                change,
            )
        if lost := _lost(log, recipe, number):
            return Advice(
                "rate too high",
                f"stage {number} ended with a validation loss of {lost[1]:.3g}, the one before it "
                f"with {lost[0]:.3g}, at a rate of {rate:.2g}",
                "a lower rate for all layers keeps what the stage before has learned",
                change,
            )
    if calmed:
        number = int(log["stage"].iloc[-1])
        rate = float(log["lr"].iloc[-1])
        lower = _times(recipe.stages[number - 1], rate / CALMER, CALMER, pretrained=pretrained)
        return Advice(
            "rate too high",
            f"the training loss was not a finite number once; the run went back and on with "
            f"{CALMER:g} of its rates, at last {rate:.2g}",
            "a rate that is lower from the beginning needs no second try",
            {f"stages.{number - 1}.lr": lower},
        )
    return None


def _times(stage: Stage, head: float, factor: float, *, pretrained: bool) -> float | list[float]:
    """A stage's rates, of all its layers, times a factor.

    Args:
        head: the rate that the head had; the finder's others are not in the log, and are taken
            as far below it as the default's.
    """
    lr = stage.lr
    if lr is None or lr == "find":
        usual = default_rate(stage, pretrained)
        lr = (head * usual[0] / usual[1], head) if isinstance(usual, tuple) else head
    if isinstance(lr, int | float):
        return float(f"{lr * factor:.2g}")
    return [float(f"{one * factor:.2g}") for one in lr]


def _lost(log: pd.DataFrame, recipe: Recipe, number: int) -> tuple[float, float] | None:
    """Validation losses at the end of the stage before and of this one, where it is worse.

    At the same size only; and only where it was worse from its first epoch on.
    """
    before = log[log["stage"] == number - 1]["valid_loss"].to_numpy()
    here = log[log["stage"] == number]["valid_loss"].to_numpy()
    if not len(before) or not len(here) or number > len(recipe.stages):
        return None
    if recipe.size_of(number) != recipe.size_of(number - 1):
        return None
    worse = here.min() > FORGOT * before[-1] and before[-1] > 0
    return (float(before[-1]), float(here[-1])) if worse else None


def _last(log: pd.DataFrame) -> tuple[int, pd.DataFrame]:
    """The number of the last stage in the log, and its epochs."""
    stage = int(log["stage"].iloc[-1])
    return stage, log[log["stage"] == stage]
