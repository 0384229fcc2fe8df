"""A class for every pixel: truth, prediction and where they differ; IoU by class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from kitbox.interpretation import figures, matrix
from kitbox.interpretation.figures import GREY, INK, Plot, Tile
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.section import Section, each

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import torch

    from kitbox.interpretation.advice import Advice

WRONG = (220, 40, 40)
"""Pixels whose class is not the true one."""
SHOWN = 4
"""Pictures of a section, three views of each."""


class AreasInterpretation(Interpretation):
    """What a segmentation did with N pictures and K classes.

    Of each picture the pixels by class are kept, not the maps: those of the pictures that are
    shown are computed again.

    Args:
        classes: their names.
        choose: class numbers (B, H, W) from raw outputs (B, K, H, W).
        tint: the picture (H, W, 3) uint8 with class numbers (H, W) on it.
        color: (red, green, blue) of a class number, for the legend.
        void: the class number of pixels that are not counted.
    """

    def __init__(
        self,
        classes: Sequence[str],
        choose: Callable[[torch.Tensor], torch.Tensor],
        tint: Callable[[np.ndarray, np.ndarray], np.ndarray],
        color: Callable[[int], tuple[int, int, int]],
        void: int = 255,
    ) -> None:
        super().__init__()
        self.classes, self.void = tuple(classes), void
        self._choose, self._tint, self._color = choose, tint, color

    def keep(self, outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, torch.Tensor]:
        """Pixels by class: of each picture right, true, predicted (B, 3, K); all (1, K, K)."""
        import torch

        size, batch = len(self.classes), len(outputs)
        chosen = self._choose(outputs)
        true = torch.where(targets == self.void, size, targets)  # a last row takes what is void
        cells = (size + 1) * size
        own = torch.arange(batch, device=outputs.device)[:, None, None] * cells
        places = (own + true * size + chosen).flatten()
        counts = torch.zeros(batch * cells, dtype=torch.int64, device=outputs.device)
        counts.scatter_add_(0, places, torch.ones_like(places))
        counts = counts.view(batch, size + 1, size)[:, :size]
        hits = counts.diagonal(dim1=1, dim2=2)
        return {
            "pixels": torch.stack([hits, counts.sum(dim=2), counts.sum(dim=1)], dim=1),
            "confusion": counts.sum(dim=0, keepdim=True),
        }

    @cached_property
    def pixels(self) -> np.ndarray:
        """Right, true and predicted pixels of each picture by class, (N, 3, K)."""
        return self.kept("pixels")

    def iou(self) -> np.ndarray:
        """IoU of each picture and class (N, K); NaN where a class is in neither mask."""
        import numpy as np

        hits, true, given = (self.pixels[:, n].astype(float) for n in range(3))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(hits / (true + given - hits))

    def picture_scores(self) -> np.ndarray:
        """The mean IoU of each picture (N,), over the classes that it shows or is said to."""
        import numpy as np

        found = self.iou()
        known = ~np.isnan(found)
        return np.where(known, found, 0).sum(axis=1) / np.maximum(1, known.sum(axis=1))

    def described(self, places: np.ndarray) -> pd.DataFrame:
        """The `id`, `image`, `loss`, `mean_iou`, share of `right` pixels and the `worst` class."""
        import numpy as np
        import pandas as pd

        rows, iou = self.table.iloc[places], self.iou()[places]
        hits, true = self.pixels[places, 0].sum(axis=1), self.pixels[places, 1].sum(axis=1)
        worst = [
            self.classes[int(np.nanargmin(one))] if not np.isnan(one).all() else "" for one in iou
        ]
        return pd.DataFrame(
            {
                "id": rows["id"].to_numpy(),
                "image": rows["image"].to_numpy(),
                "loss": self.losses[places],
                "mean_iou": self.picture_scores()[places],
                "right": hits / np.maximum(1, true),
                "worst": worst,
            }
        )

    # ---- by class ----------------------------------------------------------

    def confusion_matrix(self) -> pd.DataFrame:
        """Pixels by true (index) and predicted class (columns), (K, K) int."""
        import pandas as pd

        names = list(self.classes)
        return pd.DataFrame(self.kept("confusion").sum(axis=0), index=names, columns=names)

    def plot_confusion_matrix(self, *, most: int | None = matrix.DRAWN) -> Plot:
        """The confusion matrix in percent of the true pixels."""
        return matrix.draw(self.confusion_matrix(), most=most, unit="pixels")

    def most_confused(self, min_count: int = 2) -> pd.DataFrame:
        """Pairs of classes, most pixels first: `truth`, `predicted`, `count`, `share` of the true.

        Args:
            min_count: pairs with fewer pixels are left out.
        """
        return matrix.pairs(self.confusion_matrix(), min_count)

    def scores(self) -> pd.DataFrame:
        """A row a class, lowest IoU first: `iou`, `precision`, `recall`, `share`, `pictures`.

        `share` is that of all counted pixels, `pictures` how many show the class.
        """
        import numpy as np
        import pandas as pd

        hits, true, given = self.pixels.sum(axis=0).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            table = pd.DataFrame(
                {
                    "iou": hits / (true + given - hits),
                    "precision": hits / given,
                    "recall": hits / true,
                    "share": true / max(1.0, true.sum()),
                    "pictures": (self.pixels[:, 1] > 0).sum(axis=0),
                },
                index=list(self.classes),
            )
        return table.sort_values(["iou", "share"], kind="stable", na_position="last")

    def plot_scores(self, most: int = 40) -> Plot:
        """IoU, precision and recall of each class, the worst first."""
        table = self.scores()
        shown = {"iou": figures.BAR, "precision": figures.PRECISION, "recall": figures.RECALL}
        return figures.bars(table[table["pictures"] > 0], shown, title="IoU by class", most=most)

    # ---- pictures ----------------------------------------------------------

    def masks(self, places: np.ndarray | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """True and predicted class numbers (B, H, W) of some places; computed again."""
        import numpy as np

        rows = self.rows[np.asarray(places, np.int64)]
        _, targets = self.scene.images(rows)
        chosen = self._choose(self.scene.outputs(rows))
        return targets.cpu().numpy(), chosen.cpu().numpy()

    def plot_top_losses(self, k: int = SHOWN, *, heatmap: bool = True) -> Plot:
        """The k worst pictures: truth, prediction, and where they differ in red.

        Args:
            heatmap: has no effect: what differs says more than a heat map.
        """
        return self.plot_masks(self.worst(k))

    def plot_masks(self, places: np.ndarray | Sequence[int], *, title: str = "") -> Plot:
        """Truth, prediction and where they differ, a row for each of some places."""
        import numpy as np
        from matplotlib.patches import Patch

        places = np.asarray(places, np.int64)
        if not len(places):
            return figures.tiles([], title=title)
        true, chosen = self.masks(places)
        pictures = self.scene.pictures(self.rows[places])
        shown: list[Tile] = []
        told = each(self.described(places))
        for picture, mask, best, row in zip(pictures, true, chosen, told, strict=True):
            given = np.where(mask == self.void, self.void, best)
            words = f"IoU {row.mean_iou:.2f}, {row.right:.1%} of pixels right, worst: {row.worst}"
            shown += [
                Tile(self._tint(picture, mask), [(f"true · loss {row.loss:.3f}", INK)]),
                Tile(self._tint(picture, given), [("predicted", INK)]),
                Tile(self._difference(picture, mask, given), [(words, GREY)]),
            ]
        figure = figures.tiles(shown, columns=3, title=title, cell=2.8)
        numbers = [
            number
            for number in range(len(self.classes))
            if (true == number).any() or (chosen == number).any()
        ]
        parts = {number: [part / 255 for part in self._color(number)] for number in numbers}
        figures.legend(
            figure,
            [Patch(color=(r, g, b)) for r, g, b in parts.values()],
            [self.classes[number] for number in numbers],
            loc="outside lower center",
            ncols=figures.abreast([self.classes[number] for number in numbers], figure),
        )
        return figure

    def _difference(self, picture: np.ndarray, true: np.ndarray, given: np.ndarray) -> np.ndarray:
        """The picture in grey, wrong pixels red; what is not counted dark."""
        import numpy as np

        grey = picture.mean(axis=2, keepdims=True).repeat(3, axis=2) * 0.5 + 110
        wrong = (true != given)[..., None]
        mixed = np.where(wrong, 0.25 * grey + 0.75 * np.array(WRONG), grey)
        mixed = np.where((true == self.void)[..., None], picture * 0.35, mixed)
        return np.asarray(mixed.clip(0, 255), np.uint8)

    # ---- the whole ---------------------------------------------------------

    def own_sections(self) -> list[Section]:
        """IoU by class, and what is taken for what."""
        return [
            Section(
                "IoU by class",
                "Intersection over union: the pixels that are in both masks, of those in either.",
                {"scores": self.scores()},
                {"scores": self.plot_scores()},
            ),
            Section(
                "Confusion",
                "Of each class's pixels (rows), how many percent are taken for which.",
                {
                    "confusion matrix": self.confusion_matrix(),
                    "most confused": self.most_confused(1).head(30),
                },
                {"confusion matrix": self.plot_confusion_matrix()},
            ),
        ]

    def _top_section(self) -> Section:
        return Section(
            "Top losses",
            "The pictures that cost the most: truth, prediction, and in red where they differ. "
            "Dark pixels are not counted.",
            {"top losses": self.top_losses(50)},
            {"top losses": self.plot_top_losses()},
        )

    def headlines(self) -> list[str]:
        """Mean IoU and the worst classes."""
        import numpy as np

        from kitbox.errors import some

        table = self.scores()
        known = table["iou"].dropna()
        lines = [f"mean IoU {known.mean() if len(known) else np.nan:.3f}"]
        worst = [f"{name} {value:.2f}" for name, value in known.head(3).items()]
        pairs = self.most_confused(1).sort_values("share", ascending=False).head(2)
        confused = [f"{one.share:.0%} of {one.truth} as {one.predicted}" for one in each(pairs)]
        lines += [f"lowest IoU: {some(worst)}"] if worst else []
        return lines + ([f"most confused: {', '.join(confused)}"] if confused else [])

    def own_advice(self) -> list[Advice]:
        """Advice where nothing was learned, or classes are missed."""
        from kitbox.interpretation import area_rules

        return area_rules.of(self)
