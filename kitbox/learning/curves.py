"""Curves of a training, drawn with matplotlib as pictures that a notebook shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kitbox.ink import LINES, SOFT

if TYPE_CHECKING:
    from PIL import Image

    from kitbox.learning.recorder import Steps
    from kitbox.training.finder import Curve
    from kitbox.training.stages import Epoch

_SMOOTH = 0.95
WIDTH, HEIGHT = 5.2, 3.4
"""Of a panel that is alone, inches; 100 pixels an inch."""
WHOLE = 9.6
"""Of several panels at most, inches: a notebook draws wider pictures smaller, letters too."""


def panels(log: Sequence[Epoch], steps: Mapping[int, Steps], wanted: Sequence[str]) -> Image.Image:
    """Panels side by side: 'losses', 'rates', 'metrics', over optimizer steps.

    Where the steps of an epoch are not known any more, the epoch is as wide as the others.

    Args:
        log: every epoch so far, one at least.
        steps: of each fit.
    """
    figure = _figure(len(wanted))
    places = Places(log, steps)
    for axes, what in zip(figure.axes, wanted, strict=True):
        {"losses": _losses, "rates": _rates, "metrics": _metrics}[what](axes, log, places)
        for end in places.fits[:-1]:
            axes.axvline(end, color="#bbbbbb", linewidth=0.8, linestyle=":")
        axes.set_xlabel("steps; dotted: a new fit" if len(places.fits) > 1 else "steps")
    return picture(figure)


def sweep(curve: Curve, marks: Mapping[str, float]) -> Image.Image:
    """The finder's curve: loss over rate, with the marks' rates on it."""
    figure = _figure(1)
    axes = figure.axes[0]
    rates, losses = np.asarray(curve.rates), np.asarray(curve.losses)
    axes.plot(rates, losses, color=LINES[0])
    axes.set_xscale("log")
    low, before = float(losses.min()), float(losses[: len(losses) // 2].max())
    spread = max(1e-9, before - low)
    # What shoots up at the end would press the rest flat.
    axes.set_ylim(low - 0.1 * spread, before + 0.4 * spread)
    for number, (name, rate) in enumerate(marks.items(), 1):
        loss = float(np.interp(np.log(rate), np.log(rates), losses))
        axes.plot([rate], [loss], "o", color=LINES[number], label=f"{name}: {rate:.1e}")
    axes.set_xlabel("learning rate of the head")
    axes.set_ylabel("loss, smoothed")
    axes.legend(frameon=False, fontsize=8)
    return picture(figure)


class Places:
    """Where steps and epochs lie on the axis of steps.

    Attributes:
        lines: (places, losses, rates) of each fit whose steps are known.
        ends: where each epoch of the log ends.
        fits: where each fit ends.
    """

    def __init__(self, log: Sequence[Epoch], steps: Mapping[int, Steps]) -> None:
        known = {
            (number, epoch): one.epochs.count(epoch)
            for number, one in steps.items()
            for epoch in set(one.epochs)
        }
        usual = int(np.median(list(known.values()))) if known else 1
        self.ends: list[int] = []
        self.fits: list[int] = []
        self.lines: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        begins: dict[tuple[int, int], int] = {}
        place = 0
        for i, epoch in enumerate(log):
            begins[epoch.stage, epoch.epoch] = place
            place += known.get((epoch.stage, epoch.epoch), usual)
            self.ends.append(place)
            if i + 1 == len(log) or log[i + 1].stage != epoch.stage:
                self.fits.append(place)
        for number, one in steps.items():
            shown = [i for i, epoch in enumerate(one.epochs) if (number, epoch) in begins]
            shown = [i for i in shown if i < len(one.losses)]
            if not shown:
                continue
            within: dict[int, int] = {}
            places = []
            for i in shown:
                of = one.epochs[i]
                within[of] = within.get(of, 0) + 1
                places.append(begins[number, of] + within[of])
            losses = np.asarray(one.losses)[shown]
            self.lines.append((np.asarray(places), losses, np.asarray(one.rates)[shown]))


def _losses(axes: Any, log: Sequence[Epoch], places: Places) -> None:
    for number, (at, losses, _) in enumerate(places.lines):
        axes.plot(at, losses, color=SOFT, linewidth=0.6, alpha=0.7)
        label = "training, smoothed" if number == 0 else None
        axes.plot(at, _smoothed(losses), color=LINES[0], label=label)
    if not places.lines:
        means = [one.train_loss for one in log]
        axes.plot(places.ends, means, "o-", color=LINES[0], label="training, means")
    valid = [one.valid_loss for one in log]
    axes.plot(places.ends, valid, "o-", color=LINES[1], markersize=4, label="validation")
    axes.set_ylabel("loss")
    axes.legend(frameon=False, fontsize=8)


def _rates(axes: Any, log: Sequence[Epoch], places: Places) -> None:
    for at, _, rates in places.lines:
        axes.plot(at, rates, color=LINES[0])
    if not places.lines:
        axes.plot(places.ends, [one.lr for one in log], "o", color=LINES[0])
    axes.set_ylabel("learning rate of the head")
    axes.set_ylim(bottom=0)


def _metrics(axes: Any, log: Sequence[Epoch], places: Places) -> None:
    drawn = comparable(log)
    for color, (name, values) in zip(LINES, drawn.items(), strict=False):
        axes.plot(places.ends, values, "o-", color=color, markersize=4, label=name)
    axes.set_xlim(left=0)
    axes.set_ylabel(next(iter(drawn), "metric") if len(drawn) < 2 else "metrics")
    if len(drawn) > 1:
        axes.legend(frameon=False, fontsize=8)


def comparable(log: Sequence[Epoch]) -> dict[str, list[float]]:
    """The first metric at each epoch, and the others that go on an axis with it.

    Shares go with shares, other numbers stand alone. A metric that is another's complement
    (accuracy beside the error rate) and settings that are told beside (thresholds) are left out.
    """
    names = list(dict.fromkeys(name for one in log for name in one.scores))
    values = {name: [one.scores.get(name, float("nan")) for one in log] for name in names}
    found = {name: values[name] for name in names[:1]}
    for name in names[1:]:
        alike = all(_share(one) for one in (*found.values(), values[name]))
        mirrored = any(np.allclose(1 - np.asarray(values[name]), one) for one in found.values())
        if alike and not mirrored and "threshold" not in name:
            found[name] = values[name]
    return found


def _share(values: Sequence[float]) -> bool:
    """Whether all known values are from 0 to 1."""
    return all(np.isnan(value) or 0 <= value <= 1 for value in values)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """The exponential mean so far, its beginning not pulled to 0."""
    made, average = [], 0.0
    factor = min(_SMOOTH, 1 - 1 / max(2, len(values) / 8))
    for i, value in enumerate(values, 1):
        average = factor * average + (1 - factor) * float(value)
        made.append(average / (1 - factor**i))
    return np.asarray(made)


def _figure(count: int) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = min(WIDTH * count, WHOLE), HEIGHT if count == 1 else 0.85 * HEIGHT
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    for number in range(count):
        axes = figure.add_subplot(1, count, number + 1)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def picture(figure: Any) -> Image.Image:
    """A figure as a picture."""
    import numpy as np
    from PIL import Image

    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
