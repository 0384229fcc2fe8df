"""One of several classes for each picture: confusion, scores by class, calibration, doubts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from kitbox.interpretation import calibration, figures, matrix, suspects
from kitbox.interpretation.figures import BAD, GOOD, GREY, Plot
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.section import Section, each
from kitbox.interpretation.suspects import KNOWN, SURE

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from kitbox.interpretation.advice import Advice


class ClassificationInterpretation(Interpretation):
    """What a classifier did with N pictures of K classes.

    The task's predictions are K columns of probabilities called as the classes, its targets
    class numbers (N,).
    """

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__()
        self.classes = tuple(classes)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Of each class, (N, K) float64."""
        return self.predictions[list(self.classes)].to_numpy(float)

    @cached_property
    def targets(self) -> np.ndarray:
        """The true class numbers (N,)."""
        return self.kept("targets")

    @cached_property
    def losses(self) -> np.ndarray:
        """The logarithmic loss of each picture (N,): minus the log of its class's probability.

        Without what the training's loss has beside it (smoothed labels, weights of classes), by
        which a picture that is surely right would lose more than one that is just right.
        """
        import numpy as np

        if not self.count:
            return np.empty(0)
        own = self.probabilities[np.arange(self.count), self.targets]
        found: np.ndarray = -np.log(own.clip(min=1e-15))
        return found

    @cached_property
    def chosen(self) -> np.ndarray:
        """The likeliest class numbers (N,)."""
        found: np.ndarray = self.probabilities.argmax(axis=1)
        return found

    def predicted(self) -> list[str]:
        """The likeliest class of each picture (N,)."""
        return [self.classes[number] for number in self.chosen]

    def truth(self) -> list[str]:
        """The class of each picture (N,)."""
        return [self.classes[number] for number in self.targets]

    def described(self, places: np.ndarray) -> pd.DataFrame:
        """See `Interpretation`; with the `probability` of the predicted and the true class."""
        import numpy as np

        probabilities = self.probabilities
        rows = super().described(places)
        rows["probability"] = probabilities.max(axis=1)[places]
        rows["of_truth"] = probabilities[np.arange(self.count), self.targets][places]
        return rows

    def told(self, places: np.ndarray) -> list[list[tuple[str, str]]]:
        """See `Interpretation`: prediction, truth, loss and probabilities."""
        return [
            [
                (
                    f"{row.predicted} {row.probability:.2f}",
                    GOOD if row.predicted == row.truth else BAD,
                ),
                (f"true: {row.truth} {row.of_truth:.2f}", figures.INK),
                (f"loss {row.loss:.2f}", GREY),
            ]
            for row in each(self.described(places))
        ]

    def explained(self, places: np.ndarray) -> Sequence[int]:
        """The predicted class."""
        return [int(one) for one in self.chosen[places]]

    # ---- confusion ---------------------------------------------------------

    def confusion_matrix(self) -> pd.DataFrame:
        """Pictures by true (index) and predicted class (columns), (K, K) int."""
        import numpy as np
        import pandas as pd

        size = len(self.classes)
        counts = np.bincount(self.targets * size + self.chosen, minlength=size * size)
        names = list(self.classes)
        return pd.DataFrame(counts.reshape(size, size), index=names, columns=names)

    def plot_confusion_matrix(self, *, most: int | None = matrix.DRAWN) -> Plot:
        """The confusion matrix; of many classes similar ones are side by side.

        Args:
            most: classes at most, those with the most errors; None draws all.
        """
        return matrix.draw(self.confusion_matrix(), most=most)

    def most_confused(self, min_count: int = 2) -> pd.DataFrame:
        """Pairs of classes, most errors first: `truth`, `predicted`, `count`, `share` of the true.

        Args:
            min_count: pairs with fewer errors are left out.
        """
        return matrix.pairs(self.confusion_matrix(), min_count)

    def plot_most_confused(
        self, min_count: int = 2, *, pairs: int = 4, pictures: int = 4, heatmap: bool = False
    ) -> Plot:
        """The pictures of the most confused pairs, a row each, highest losses first."""
        import numpy as np

        confused = self.most_confused(min_count).head(pairs)
        shown: list[list[int]] = []
        titles = []
        order = self.worst()
        for row in each(confused):
            true, other = self.classes.index(row.truth), self.classes.index(row.predicted)
            here = order[(self.targets[order] == true) & (self.chosen[order] == other)][:pictures]
            shown.append(here.tolist())
            titles.append(f"{row.truth}, taken for {row.predicted}: {row.count}")
        width = max(map(len, shown), default=1)
        places = [place for row in shown for place in [*row, *[-1] * (width - len(row))]]
        return self._with_gaps(np.array(places, np.int64), titles, width, heatmap)

    def _with_gaps(
        self, places: np.ndarray, titles: Sequence[str], columns: int, heatmap: bool
    ) -> Plot:
        """Rows of pictures, -1 where there is none."""
        import numpy as np

        there = places[places >= 0]
        heats = self.heat(there) if heatmap else None
        laid = [None] * len(there) if heats is None else list(heats)
        shown = iter(zip(self.drawn(there), self.told(there), laid, strict=True))
        blank = np.full((*self.scene.size, 3), 255, np.uint8)
        tiles = [
            figures.Tile(*next(shown)) if place >= 0 else figures.Tile(blank) for place in places
        ]
        return figures.tiles(tiles, columns=columns, rows=titles, cell=2.0)

    # ---- scores ------------------------------------------------------------

    def scores(self) -> pd.DataFrame:
        """A row a class, lowest F1 first: `precision`, `recall`, `f1`, `count`, `train`.

        `count` are its pictures here, `train` those in training. NaN where there is nothing to
        divide by: recall of a class without pictures, precision of one never predicted.
        """
        import numpy as np
        import pandas as pd

        counts = self.confusion_matrix().to_numpy()
        hits, true, given = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            table = pd.DataFrame(
                {
                    "precision": hits / given,
                    "recall": hits / true,
                    "f1": np.where(true > 0, 2 * hits / (true + given), np.nan),
                    "count": true,
                    "train": self.train_counts(),
                },
                index=list(self.classes),
            )
        return table.sort_values(["f1", "count"], kind="stable", na_position="last")

    def train_counts(self) -> np.ndarray:
        """The training pictures of each class (K,)."""
        import numpy as np

        train = self.scene.train
        targets = self.scene.task.encode(train, self.scene.files)
        assert isinstance(targets, np.ndarray), "a class number for each picture"
        return np.bincount(targets, minlength=len(self.classes))

    def plot_scores(self, most: int = 40) -> Plot:
        """F1, precision and recall of each class, the worst first."""
        table = self.scores()
        shown = {"f1": figures.BAR, "precision": figures.PRECISION, "recall": figures.RECALL}
        return figures.bars(table[table["count"] > 0], shown, title="Scores by class", most=most)

    # ---- calibration and doubts --------------------------------------------

    def calibration(self, bins: int = 10) -> pd.DataFrame:
        """Probability of the predicted class against how often it was right.

        A row a bin: `from`, `to`, `count`, `confidence`, `right`.
        """
        right = self.chosen == self.targets
        return calibration.reliability(self.probabilities.max(axis=1), right, bins)

    def calibration_error(self) -> float:
        """The expected calibration error, over ten bins."""
        return calibration.error(self.calibration())

    def plot_calibration(self) -> Plot:
        """The reliability diagram."""
        return calibration.draw(self.calibration())

    def suspects(self, margin: float = SURE, *, known: float = KNOWN) -> pd.DataFrame:
        """Pictures whose label looks wrong, surest first: as `top_losses`, and `seems`, `margin`.

        Found by confident learning; see `kitbox.interpretation.suspects`. Of pictures that the
        model was trained on fewer are found: it may have learned the wrong labels.

        Args:
            margin: by how much another class must be likelier than the label.
            known: the least recall here of the label's class; 0 doubts labels of every class.
        """
        places, seems, apart = suspects.of_known(self, margin, known)
        rows = self.described(places)
        rows["seems"] = [self.classes[number] for number in seems]
        rows["margin"] = apart
        return rows

    def write_suspects(self, path: Path | str) -> Path:
        """Write all `suspects` as a csv file that a recipe and `kitbox.load` take as `exclude`.

        Raises:
            StorageError: when it cannot be written, or is there already and says something else:
                it may have been edited.
        """
        from kitbox.interpretation import writing

        return writing.table(self.suspects(), path)

    def doubtful(self) -> np.ndarray:
        """Places of pictures whose label may be wrong: as `suspects`, at a smaller margin."""
        return suspects.of_known(self, suspects.MAYBE, KNOWN)[0]

    # ---- the whole ---------------------------------------------------------

    def own_sections(self) -> list[Section]:
        """Confusion, pairs, scores, calibration, doubtful labels."""
        right = int((self.chosen == self.targets).sum())
        found = [
            Section(
                "Confusion",
                f"{right} of {self.count} pictures are right ({right / self.count:.1%}).",
                {"confusion matrix": self.confusion_matrix()},
                {"confusion matrix": self.plot_confusion_matrix()},
            )
        ]
        least = 2 if len(self.most_confused(2)) else 1
        if len(confused := self.most_confused(least)):
            found.append(
                Section(
                    "Most confused",
                    "Classes that are taken for others, and the pictures of each pair.",
                    {"most confused": confused},
                    {"most confused": self.plot_most_confused(least)},
                )
            )
        found.append(
            Section(
                "Scores by class",
                self._absent(),
                {"scores": self.scores()},
                {"scores": self.plot_scores()},
            )
        )
        found.append(
            Section(
                "Calibration",
                f"A probability is off by {self.calibration_error():.3f} in the mean (expected "
                "calibration error). Points above the line: the model is more often right than "
                "it says.",
                {"calibration": self.calibration()},
                {"calibration": self.plot_calibration()},
            )
        )
        return [*found, *suspects.sections(self)]

    def _absent(self) -> str:
        from kitbox.errors import some

        table = self.scores()
        absent = list(table.index[table["count"] == 0])
        return f"No picture here is of {some(absent)}." if absent else ""

    def headlines(self) -> list[str]:
        """Accuracy, the worst classes, the pairs, log loss, calibration."""
        import numpy as np

        from kitbox.errors import counted, some

        right = int((self.chosen == self.targets).sum())
        lines = [f"{right} of {self.count} right ({right / self.count:.1%})"]
        table = self.scores()
        worst = table[table["recall"] < 1].head(3)
        if len(worst):
            named = [f"{n} {f:.2f}" for n, f in zip(worst.index, worst["f1"], strict=True)]
            lines.append(f"lowest F1: {some(named)}")
        pairs = each(self.most_confused(2).head(3))
        if told := [f"{one.truth} as {one.predicted} ({one.count})" for one in pairs]:
            lines.append(f"most confused: {', '.join(told)}")
        known = self.losses[~np.isnan(self.losses)]
        smoothing = getattr(self.scene.task, "smoothing", 0)
        beside = f" (the validation loss is of labels smoothed by {smoothing:g})"
        lines.append(
            f"log loss {known.mean() if len(known) else np.nan:.3f}{beside if smoothing else ''}, "
            f"calibration error {self.calibration_error():.3f}"
        )
        if doubted := len(self.suspects()):
            lines.append(f"{counted(doubted, 'label')} may be wrong: see them")
        return lines

    def own_advice(self) -> list[Advice]:
        """Imbalance, classes and pairs that go wrong, doubtful labels, overconfidence."""
        from kitbox.interpretation import class_rules

        return class_rules.of(self)
