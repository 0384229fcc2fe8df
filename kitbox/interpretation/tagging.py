"""Several labels a picture, each there or not: scores and thresholds by label, what is missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from kitbox.errors import some
from kitbox.interpretation import calibration, figures
from kitbox.interpretation.figures import BAD, BLUE, GOOD, GREY, INK, Plot
from kitbox.interpretation.interpretation import Interpretation
from kitbox.interpretation.section import Section, each

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kitbox.interpretation.advice import Advice

CURVES = 12
"""Labels whose thresholds are drawn, at most."""


class TaggingInterpretation(Interpretation):
    """What a tagger did with N pictures and K labels.

    The task's predictions are K columns of probabilities called as the labels, its targets
    (N, K) of 0 and 1.

    Args:
        labels: their names.
        thresholds: a label is chosen above its own.
    """

    def __init__(self, labels: Sequence[str], thresholds: Mapping[str, float]) -> None:
        super().__init__()
        self.labels, self.thresholds = tuple(labels), dict(thresholds)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Of each label, (N, K) float64."""
        return self.predictions[list(self.labels)].to_numpy(float)

    @cached_property
    def targets(self) -> np.ndarray:
        """Which labels are right, (N, K) bool."""
        return self.kept("targets") > 0

    @cached_property
    def chosen(self) -> np.ndarray:
        """Which labels are above their threshold, (N, K) bool."""
        import numpy as np

        found: np.ndarray = self.probabilities > np.array([self.thresholds[n] for n in self.labels])
        return found

    def predicted(self) -> list[str]:
        """The chosen labels of each picture (N,)."""
        return [self._named(row) for row in self.chosen]

    def truth(self) -> list[str]:
        """The right labels of each picture (N,)."""
        return [self._named(row) for row in self.targets]

    def described(self, places: np.ndarray) -> pd.DataFrame:
        """See `Interpretation`; with the labels that are `missed` and `added`."""
        rows = super().described(places)
        chosen, targets = self.chosen[places], self.targets[places]
        rows["missed"] = [self._named(row, "") for row in targets & ~chosen]
        rows["added"] = [self._named(row, "") for row in chosen & ~targets]
        return rows

    def told(self, places: np.ndarray) -> list[list[tuple[str, str]]]:
        """See `Interpretation`: what is missed, what is added, the loss."""
        lines = []
        looked = [self.labels[number] for number in self.explained(places)]
        rows = each(self.described(places))
        for row, label in zip(rows, looked, strict=True):
            own = [(f"missed: {row.missed}", BAD)] if row.missed else []
            own += [(f"added: {row.added}", "#8a5a00")] if row.added else []
            own = own or [(f"right: {row.truth}", GOOD)]
            lines.append([*own, (f"loss {row.loss:.3f}, furthest off: {label}", GREY)])
        return lines

    def explained(self, places: np.ndarray) -> Sequence[int]:
        """The label that is furthest off: falsely likely, or missed."""
        off = abs(self.probabilities[places] - self.targets[places])
        return [int(one) for one in off.argmax(axis=1)]

    # ---- by label ----------------------------------------------------------

    def scores(self) -> pd.DataFrame:
        """A row a label, lowest F1 first.

        `precision`, `recall` and `f1` at its `threshold`, `average_precision` over all
        thresholds, `count` of the pictures that have it and `share` of all. NaN where there is
        nothing to divide by.
        """
        import numpy as np
        import pandas as pd

        hits = (self.chosen & self.targets).sum(axis=0)
        true, given = self.targets.sum(axis=0), self.chosen.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            table = pd.DataFrame(
                {
                    "precision": hits / given,
                    "recall": hits / true,
                    "f1": np.where(true > 0, 2 * hits / (true + given), np.nan),
                    "average_precision": [self._average_precision(k) for k in range(len(true))],
                    "threshold": [self.thresholds[name] for name in self.labels],
                    "count": true,
                    "share": true / max(1, self.count),
                },
                index=list(self.labels),
            )
        return table.sort_values(["f1", "count"], kind="stable", na_position="last")

    def _average_precision(self, number: int) -> float:
        from sklearn.metrics import average_precision_score

        right = self.targets[:, number]
        if not right.any():
            return float("nan")
        return float(average_precision_score(right, self.probabilities[:, number]))

    def plot_scores(self, most: int = 40) -> Plot:
        """F1, precision and recall of each label, the worst first."""
        table = self.scores()
        shown = {
            "f1": figures.BAR,
            "precision": figures.PRECISION,
            "recall": figures.RECALL,
            "threshold": figures.THRESHOLD,
        }
        return figures.bars(table[table["count"] > 0], shown, title="Scores by label", most=most)

    def thresholds_table(self, steps: int = 19) -> pd.DataFrame:
        """F1 of each label (columns) at thresholds from 0.05 to 0.95 (index)."""
        import numpy as np
        import pandas as pd

        cuts = np.round(np.linspace(0.05, 0.95, steps), 3)
        found = {name: self._f1(number, cuts) for number, name in enumerate(self.labels)}
        return pd.DataFrame(found, index=cuts, columns=list(self.labels))

    def _f1(self, number: int, cuts: np.ndarray) -> np.ndarray:
        """F1 of a label at thresholds (T,)."""
        import numpy as np

        right = self.targets[:, number]
        chosen = self.probabilities[:, number] > cuts[:, None]
        both = (chosen & right).sum(axis=1)
        found: np.ndarray = 2 * both / np.maximum(1, right.sum() + chosen.sum(axis=1))
        return found

    def plot_thresholds(self) -> Plot:
        """F1 of labels over the threshold, of those with the lowest F1; the dot is the chosen."""
        import numpy as np

        scores = self.scores()
        names = list(scores.index[scores["count"] > 0][:CURVES])
        columns = min(4, max(1, len(names)))
        count = max(1, -(-len(names) // columns))
        figure = Plot(figsize=(2.2 * columns + 0.4, 1.7 * count + 0.5))
        axes = figure.subplots(count, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axis in axes[len(names) :]:
            axis.set_axis_off()
        for axis, name in zip(axes, names, strict=False):
            cut, number = self.thresholds[name], self.labels.index(name)
            cuts = np.union1d(np.linspace(0, 1, 201), [cut])
            axis.plot(cuts, self._f1(number, cuts), color=BLUE, drawstyle="steps-post")
            axis.plot([cut], self._f1(number, np.array([cut])), "o", color=INK, ms=4)
            axis.set_title(figures.shortened(name, 20), fontsize=8, loc="left", parse_math=False)
            axis.set_ylim(0, 1.02)
            figures.tidy(axis)
        figure.suptitle("F1 over the threshold", fontsize=10)
        return figure

    def most_confused(self, min_count: int = 2) -> pd.DataFrame:
        """Labels that are chosen where another is missed: `truth`, `predicted`, `count`, `share`.

        `share` is that of the pictures which have the missed label.
        """
        import pandas as pd

        from kitbox.interpretation import matrix

        missed, added = self.targets & ~self.chosen, self.chosen & ~self.targets
        counts = missed.astype(int).T @ added.astype(int)
        for number, total in enumerate(self.targets.sum(axis=0)):
            counts[number, number] = total
        names = list(self.labels)
        found = matrix.pairs(pd.DataFrame(counts, index=names, columns=names), min_count)
        totals = dict(zip(names, self.targets.sum(axis=0), strict=True))
        found["share"] = [
            count / max(1, totals[name])
            for name, count in zip(found["truth"], found["count"], strict=True)
        ]
        return found

    def calibration(self, bins: int = 10) -> pd.DataFrame:
        """Probability of labels against how often they were right; a row a bin."""
        return calibration.reliability(self.probabilities.ravel(), self.targets.ravel(), bins)

    def calibration_error(self) -> float:
        """The expected calibration error over all pictures and labels, over ten bins."""
        return calibration.error(self.calibration())

    def plot_calibration(self) -> Plot:
        """The reliability diagram."""
        return calibration.draw(self.calibration())

    # ---- the whole ---------------------------------------------------------

    def own_sections(self) -> list[Section]:
        """Scores and thresholds by label, labels in place of others, calibration."""
        found = [
            Section(
                "Scores by label",
                self._absent(),
                {"scores": self.scores()},
                {"scores": self.plot_scores()},
            ),
            Section(
                "Thresholds",
                "A label is chosen above its threshold. Where the curve is flat the threshold "
                "matters little; where it is steep, few pictures decide.",
                {"f1 by threshold": self.thresholds_table()},
                {"thresholds": self.plot_thresholds()},
            ),
        ]
        if len(confused := self.most_confused()):
            found.append(
                Section(
                    "Labels in place of others",
                    "Where one label is missed and another is added in the same picture.",
                    {"most confused": confused},
                )
            )
        error = self.calibration_error()
        found.append(
            Section(
                "Calibration",
                f"A probability is off by {error:.3f} in the mean (expected calibration error).",
                {"calibration": self.calibration()},
                {"calibration": self.plot_calibration()},
            )
        )
        return found

    def _absent(self) -> str:
        table = self.scores()
        absent = list(table.index[table["count"] == 0])
        return f"No picture here has {some(absent)}." if absent else ""

    def headlines(self) -> list[str]:
        """Pictures that are all right, the worst labels, calibration."""
        right = int((self.chosen == self.targets).all(axis=1).sum())
        lines = [f"{right} of {self.count} pictures have exactly the right labels"]
        table = self.scores()
        worst = table[(table["f1"] < 1) & (table["count"] > 0)].head(3)
        if len(worst):
            named = [f"{n} {f:.2f}" for n, f in zip(worst.index, worst["f1"], strict=True)]
            lines.append(f"lowest F1: {some(named)}")
        return [*lines, f"calibration error {self.calibration_error():.3f}"]

    def own_advice(self) -> list[Advice]:
        """Advice where nothing was learned, or rare labels are missed."""
        from kitbox.interpretation import tag_rules

        return tag_rules.of(self)

    def _named(self, row: np.ndarray, none: str = "(no label)") -> str:
        names = [name for name, there in zip(self.labels, row, strict=True) if there]
        return ", ".join(names) or none
