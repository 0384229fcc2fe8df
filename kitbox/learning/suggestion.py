"""What the learning-rate finder suggests, with its curve."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kitbox.results.pictures import png
from kitbox.training.stages import in_words

if TYPE_CHECKING:
    from PIL import Image

    from kitbox.training.finder import Curve


@dataclass(frozen=True, repr=False)
class Suggestion:
    """What the learning-rate finder saw, and the rate that follows from it.

    `fit_one_cycle(4, lr=learn.lr_find())` takes it as it is. Shown in a notebook it is the
    curve.

    Attributes:
        lr: the rate for the next fit: a number, or (first layer, head). It is the one that
            `lr: find` of a recipe's stage takes.
        steepest: the rate at which the loss falls fastest.
        shoots_up: the rate from which on the loss only rises.
        flat: the loss falls at no rate; `lr` is then the default, or what does no harm.
        curve: the rates of the sweep and their smoothed losses.
    """

    lr: float | tuple[float, float]
    curve: Curve

    @property
    def steepest(self) -> float:
        """The rate at which the loss falls fastest."""
        return self.curve.steepest

    @property
    def shoots_up(self) -> float:
        """The rate from which on the loss only rises."""
        return self.curve.shoots_up

    @property
    def flat(self) -> bool:
        """Whether the loss falls at no rate."""
        return self.curve.flat

    def plot(self) -> Image.Image:
        """The curve: loss over rate, the suggestions on it."""
        from kitbox.learning import curves

        head = self.lr[1] if isinstance(self.lr, tuple) else self.lr
        marks = {"only rises after": self.shoots_up}
        if not isinstance(self.lr, tuple):  # else it says nothing: often noise where it is flat
            marks = {"falls fastest": self.steepest, **marks}
        return curves.sweep(self.curve, marks | ({} if self.flat else {"suggested": head}))

    def __repr__(self) -> str:
        if self.flat:
            return f"lr {in_words(self.lr)}: the loss falls at no rate"
        return (
            f"lr {in_words(self.lr)} (the loss falls fastest at {self.steepest:.1e} and only rises "
            f"after {self.shoots_up:.1e})"
        )

    def _repr_html_(self) -> str:
        picture = base64.b64encode(png(self.plot())).decode()
        source = f"data:image/png;base64,{picture}"
        return f'<p>{self!r}</p><img alt="loss over learning rate" src="{source}">'
