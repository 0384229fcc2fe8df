"""Points on a picture: how far each is off, and the pictures with both sets of points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from kitbox.interpretation import figures
from kitbox.interpretation.figures import BLUE, GREY, INK, Plot
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.section import Section, each

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kitbox.interpretation.advice import Advice

TRUE, GIVEN = (30, 110, 255), (255, 150, 0)
"""Colours of true points, which are circles, and of predicted ones, which are crosses."""
ZOOM = 320
"""Pictures are drawn on at least so many pixels a side, so that points do not cover them."""


class LandmarksInterpretation(Interpretation):
    """What a model did with P points on each of N pictures.

    The task's predictions are the columns of the points, in pixels of the files' pictures, as
    the table's target columns are; NaN where a point is not known.

    Args:
        columns: of x and y of each point.
        names: of the points.
    """

    def __init__(self, columns: Sequence[tuple[str, str]], names: Sequence[str]) -> None:
        super().__init__()
        self.columns, self.names = tuple(columns), tuple(names)

    @cached_property
    def given(self) -> np.ndarray:
        """The predicted points (N, P, 2), in pixels of the pictures."""
        return self._points(self.predictions)

    @cached_property
    def right(self) -> np.ndarray:
        """The true points (N, P, 2), in pixels of the pictures; NaN where not known."""
        import numpy as np

        found = self._points(self.table)
        found[np.isnan(found).any(axis=2)] = np.nan
        return found

    def _points(self, table: pd.DataFrame) -> np.ndarray:
        import pandas as pd

        flat = [name for pair in self.columns for name in pair]
        values = table[flat].apply(pd.to_numeric, errors="coerce").to_numpy(float, copy=True)
        return values.reshape(len(table), len(self.columns), 2)

    @property
    def errors(self) -> np.ndarray:
        """How far each point is off (N, P), in pixels of the file's picture; NaN if not known."""
        import numpy as np

        return np.asarray(np.hypot(*np.moveaxis(self.given - self.right, 2, 0)))

    @property
    def shares(self) -> np.ndarray:
        """How far each point is off (N, P), as a share of the picture's diagonal."""
        import numpy as np

        found: np.ndarray = self.errors / np.hypot(*self.frames.sizes.T.astype(float))[:, None]
        return found

    def described(self, places: np.ndarray) -> pd.DataFrame:
        """The `id`, `image`, `loss`, the mean `error` in pixels and the `worst` point."""
        import pandas as pd

        rows, errors = self.table.iloc[places], self.errors[places]
        return pd.DataFrame(
            {
                "id": rows["id"].to_numpy(),
                "image": rows["image"].to_numpy(),
                "loss": self.losses[places],
                "error": _mean(errors, 1),
                "worst": [self.names[point] for point in _furthest(errors)],
                "error_of_worst": [
                    row[point] for row, point in zip(errors, _furthest(errors), strict=True)
                ],
            }
        )

    def told(self, places: np.ndarray) -> list[list[tuple[str, str]]]:
        """See `Interpretation`: the mean error, the worst of several points, the loss."""
        several = len(self.names) > 1
        return [
            [
                (f"{'mean error' if several else 'off by'} {row.error:.1f} px", INK),
                *([(f"worst: {row.worst}, {row.error_of_worst:.1f} px", INK)] if several else []),
                (f"loss {row.loss:.3g}", GREY),
            ]
            for row in each(self.described(places))
        ]

    def drawn(self, places: np.ndarray) -> list[np.ndarray]:
        """True points as blue circles, predicted ones as orange crosses, a line between them."""
        import cv2
        import numpy as np

        found = []
        frames = self.frames
        for place, picture in zip(places, self.scene.pictures(self.rows[places]), strict=True):
            height, width = picture.shape[:2]
            zoom = max(1.0, ZOOM / max(height, width))
            size = (round(width * zoom), round(height * zoom))
            canvas = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
            pair = [
                (one[place] * frames.scale[place] + frames.shift[place] + 0.5) * zoom - 0.5
                for one in (self.right, self.given)
            ]
            radius = max(3, round(max(size) / 130))
            for true, given in zip(*pair, strict=True):
                ends = [_pixel(one) for one in (true, given)]
                if ends[0] and ends[1]:
                    cv2.line(canvas, ends[0], ends[1], (255, 255, 255), 1, cv2.LINE_AA)
                # With rims: seen on what is as bright, or of the same colour, too.
                if ends[1]:
                    side, cross = 4 * radius - 1, cv2.MARKER_TILTED_CROSS
                    for color, width in (((0, 0, 0), 4), (GIVEN, 2)):
                        cv2.drawMarker(canvas, ends[1], color, cross, side, width, cv2.LINE_AA)
                if ends[0]:
                    cv2.circle(canvas, ends[0], radius + 2, (255, 255, 255), -1, cv2.LINE_AA)
                    cv2.circle(canvas, ends[0], radius, TRUE, -1, cv2.LINE_AA)
            found.append(canvas)
        return found

    def explained(self, places: np.ndarray) -> Sequence[int]:
        """The coordinate of the worst point that is further off."""
        import numpy as np

        found = []
        for place in places:
            point = _furthest(self.errors[[place]])[0]
            off = abs(np.nan_to_num(self.given[place, point] - self.right[place, point]))
            found.append(2 * point + int(off.argmax()))
        return found

    # ---- by point ----------------------------------------------------------

    def scores(self) -> pd.DataFrame:
        """A row a point, worst first: `error` (mean, pixels), `share` of the diagonal, `known`."""
        import numpy as np
        import pandas as pd

        table = pd.DataFrame(
            {
                "error": _mean(self.errors, 0),
                "share": _mean(self.shares, 0),
                "known": (~np.isnan(self.right).any(axis=2)).sum(axis=0),
            },
            index=list(self.names),
        )
        return table.sort_values("error", ascending=False, kind="stable", na_position="last")

    def plot_scores(self, most: int = 40) -> Plot:
        """The mean error of each point, the worst first."""
        return figures.bars(
            self.scores(),
            {"error": figures.Mark(BLUE)},
            title="Error by point",
            limits=None,
            unit="pixels of the file's picture",
            most=most,
        )

    def plot_errors(self) -> Plot:
        """How many pictures have which mean error."""
        import numpy as np

        shares = _mean(self.shares, 1)
        shares = shares[~np.isnan(shares)]
        figure = Plot(figsize=(5, 2.8))
        axis = figure.subplots()
        axis.hist(100 * shares, bins=min(30, max(5, len(shares) // 8)), color=BLUE)
        axis.set_xlabel("mean error of a picture, % of its diagonal", fontsize=9)
        axis.set_ylabel("pictures", fontsize=9)
        figures.tidy(axis)
        return figure

    def own_sections(self) -> list[Section]:
        """Error by point, and by picture."""
        return [
            Section(
                "Error by point",
                "In pixels of the files' pictures, means over the pictures where it is known.",
                {"scores": self.scores()},
                {"error by point": self.plot_scores(), "errors of pictures": self.plot_errors()},
            )
        ]

    def _top_section(self) -> Section:
        return Section(
            "Top losses",
            "The pictures that cost the most. Blue circles: true points; orange crosses: predicted "
            "ones.",
            {"top losses": self.top_losses(50)},
            {"top losses": self.plot_top_losses(9, heatmap=False)},
        )

    def headlines(self) -> list[str]:
        """The mean error and the worst points and pictures."""
        import numpy as np

        table = self.scores().head(3)
        points = [f"{name} {error:.1f}" for name, error in table["error"].items()]
        worst = each(self.top_losses(1))
        return [
            f"mean error {np.nanmean(self.errors):.2f} px, {np.nanmean(self.shares):.2%} of the "
            "diagonal",
            f"worst points: {', '.join(points)} px",
            *(f"worst picture: {one.image}, {one.error:.1f} px" for one in worst),
        ]

    def own_advice(self) -> list[Advice]:
        """Advice where nothing was learned."""
        from kitbox.interpretation import point_rules

        return point_rules.of(self)


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """The mean of what is known along an axis; NaN where nothing is."""
    import numpy as np

    known = ~np.isnan(values)
    counts = known.sum(axis=axis)
    sums = np.where(known, values, 0).sum(axis=axis)
    return np.where(counts > 0, sums / np.maximum(1, counts), np.nan)


def _furthest(errors: np.ndarray) -> list[int]:
    """The point (of P) that is furthest off in each row (N, P)."""
    import numpy as np

    return [int(one) for one in np.nan_to_num(errors, nan=-1).argmax(axis=1)]


def _pixel(point: np.ndarray) -> tuple[int, int] | None:
    """A point as OpenCV takes it; None where it is not known or far outside."""
    import numpy as np

    if not np.isfinite(point).all() or abs(point).max() > 1e5:
        return None
    return round(float(point[0])), round(float(point[1]))
