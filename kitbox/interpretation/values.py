"""Numbers for each picture: truth against prediction, residuals, worst errors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kitbox.interpretation import figures
from kitbox.interpretation.figures import BAD, BLUE, GREY, INK, Plot
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.section import Section, each

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kitbox.interpretation.advice import Advice


class ValuesInterpretation(Interpretation):
    """What a regression did with N pictures and K numbers each.

    The task's predictions are K columns, called as the table's target columns.

    Args:
        columns: their names.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__()
        self.columns = tuple(columns)

    @cached_property
    def given(self) -> np.ndarray:
        """The predicted numbers (N, K), in the columns' own units."""
        return self.predictions[list(self.columns)].to_numpy(float)

    @cached_property
    def right(self) -> np.ndarray:
        """The true numbers (N, K)."""
        import pandas as pd

        return self.table[list(self.columns)].apply(pd.to_numeric).to_numpy(float)

    @property
    def residuals(self) -> np.ndarray:
        """Predicted less true (N, K)."""
        found: np.ndarray = self.given - self.right
        return found

    def truth(self) -> list[str]:
        """The true numbers of each picture, in words (N,)."""
        if len(self.columns) == 1:
            return [f"{row[0]:.4g}" for row in self.right]
        return [
            ", ".join(f"{name} {value:.4g}" for name, value in zip(self.columns, row, strict=True))
            for row in self.right
        ]

    def described(self, places: np.ndarray) -> pd.DataFrame:
        """The `id`, `image` and `loss`, and of each column the number, its truth and the error."""
        import pandas as pd

        rows = self.table.iloc[places]
        table = {
            "id": rows["id"].to_numpy(),
            "image": rows["image"].to_numpy(),
            "loss": self.losses[places],
        }
        for number, name in enumerate(self.columns):
            table[f"{name} predicted"] = self.given[places, number]
            table[f"{name} true"] = self.right[places, number]
            table[f"{name} error"] = self.residuals[places, number]
        return pd.DataFrame(table)

    def told(self, places: np.ndarray) -> list[list[tuple[str, str]]]:
        """See `Interpretation`: of the columns that are furthest off number and truth."""
        import numpy as np

        spread = np.where(self.right.std(axis=0) > 0, self.right.std(axis=0), 1)
        lines = []
        for place in places:
            far = np.argsort(-abs(self.residuals[place]) / spread, kind="stable")[:3]
            own = []
            for number in far.tolist():
                name = "" if len(self.columns) == 1 else f"{self.columns[number]} "
                words = (
                    f"{name}{self.given[place, number]:.4g}, true {self.right[place, number]:.4g}"
                )
                own.append((words, BAD if number == far[0] else INK))
            lines.append([*own, (f"loss {self.losses[place]:.3g}", GREY)])
        return lines

    def explained(self, places: np.ndarray) -> Sequence[int]:
        """The number that is furthest off, in standard deviations of the column."""
        import numpy as np

        spread = np.where(self.right.std(axis=0) > 0, self.right.std(axis=0), 1)
        return [int(one) for one in (abs(self.residuals[places]) / spread).argmax(axis=1)]

    def headlines(self) -> list[str]:
        """Mean error and bias of each column, and the worst pictures."""
        lines = [
            f"{name}: mean error {row.mae:.3g}, bias {row.bias:+.3g}, R2 {row.r2:.3f}"
            for name, row in zip(self.columns, each(self.scores()), strict=True)
        ]
        worst = self.worst(1)
        told = [words for words, _ in self.told(worst)[0]] if len(worst) else []
        images = self.table.iloc[worst]["image"]
        return [*lines[:6], *(f"worst: {image}: {'; '.join(told)}" for image in images)]

    # ---- by column ---------------------------------------------------------

    def scores(self) -> pd.DataFrame:
        """A row a column: `rmse`, `mae`, `bias` (predicted less true), `r2`, `slope`.

        `slope` is that of the line through prediction over truth: below 1 the model draws
        towards the mean. NaN where all true numbers are the same.
        """
        import numpy as np
        import pandas as pd

        off, true = self.residuals, self.right
        spread = true - true.mean(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = (spread**2).sum(axis=0)
            return pd.DataFrame(
                {
                    "rmse": np.sqrt((off**2).mean(axis=0)),
                    "mae": abs(off).mean(axis=0),
                    "bias": off.mean(axis=0),
                    "r2": 1 - np.where(squares > 0, (off**2).sum(axis=0) / squares, np.nan),
                    "slope": np.where(
                        squares > 0, (self.given * spread).sum(axis=0) / squares, np.nan
                    ),
                },
                index=list(self.columns),
            )

    def plot_truth(self, most: int = 9) -> Plot:
        """Prediction over truth, a plot for each column (the first `most`)."""
        import numpy as np

        names = self.columns[:most]
        axes, figure = _axes(len(names))
        for number, (axis, name) in enumerate(zip(axes, names, strict=False)):
            true, given = self.right[:, number], self.given[:, number]
            ends = np.array([min(true.min(), given.min()), max(true.max(), given.max())])
            ends += np.array([-0.04, 0.04]) * max(ends[1] - ends[0], 1e-9)
            axis.plot(ends, ends, "--", color=GREY, lw=1)
            axis.plot(true, given, "o", color=BLUE, ms=3.5, alpha=0.6, mec="none")
            axis.set(xlim=ends, ylim=ends, aspect="equal")
            _label(axis, name, "true", "predicted")
        return figure

    def plot_residuals(self, most: int = 9) -> Plot:
        """Predicted less true over truth, a plot for each column (the first `most`)."""
        names = self.columns[:most]
        axes, figure = _axes(len(names))
        for number, (axis, name) in enumerate(zip(axes, names, strict=False)):
            axis.axhline(0, ls="--", color=GREY, lw=1)
            axis.plot(
                self.right[:, number],
                self.residuals[:, number],
                "o",
                color=BLUE,
                ms=3.5,
                alpha=0.6,
                mec="none",
            )
            _label(axis, name, "true", "predicted less true")
        return figure

    def own_sections(self) -> list[Section]:
        """Truth against prediction, residuals."""
        return [
            Section(
                "Truth and prediction",
                "On the dashed line a prediction is right. A slope below 1: large numbers are "
                "predicted too small and small ones too large.",
                {"scores": self.scores()},
                {"truth and prediction": self.plot_truth()},
            ),
            Section("Residuals", "", {}, {"residuals": self.plot_residuals()}),
        ]

    def own_advice(self) -> list[Advice]:
        """Advice where nothing was learned."""
        from kitbox.interpretation import value_rules

        return value_rules.of(self)


def _axes(count: int) -> tuple[list[Any], Plot]:
    """So many axes in rows of three, and their figure."""
    columns = min(3, max(1, count))
    rows = max(1, -(-count // columns))
    figure = Plot(figsize=(3.2 * columns, 3.0 * rows))
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axis in axes[count:]:
        axis.set_axis_off()
    return axes[:count], figure


def _label(axis: Any, title: str, x: str, y: str) -> None:
    axis.set_title(figures.shortened(title, 30), fontsize=10, loc="left", parse_math=False)
    axis.set_xlabel(x, fontsize=8)
    axis.set_ylabel(y, fontsize=8)
    figures.tidy(axis)
