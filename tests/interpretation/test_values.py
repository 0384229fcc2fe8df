"""Numbers: against scikit-learn, in the columns' own units; plots of one and of many columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from interpretation.made import recipe, seen_by
from kitbox.interpretation.values import ValuesInterpretation
from kitbox.tasks.regression import Regression
from kitbox.testing import labelled


def made(folder: Path, columns: int = 2, count: int = 18) -> ValuesInterpretation:
    rng = np.random.default_rng(0)
    names = [f"n{c}" for c in range(columns)]
    rows = labelled(folder, {name: rng.integers(0, 1000, count).tolist() for name in names})
    given = recipe(task="regression")
    seen = seen_by(folder, Regression(), rows, names, recipe=given)
    assert isinstance(seen, ValuesInterpretation)
    return seen


def test_scores_are_scikit_learn_s(tmp_path: Path) -> None:
    seen = made(tmp_path)
    table = seen.scores()
    for number, name in enumerate(seen.columns):
        true = seen.table[name].to_numpy(float)
        given = seen.predictions[name].to_numpy()
        row = table.loc[name]
        assert row["rmse"] == pytest.approx(root_mean_squared_error(true, given))
        assert row["mae"] == pytest.approx(mean_absolute_error(true, given))
        assert row["r2"] == pytest.approx(r2_score(true, given))
        assert row["bias"] == pytest.approx((given - true).mean())
        assert row["slope"] == pytest.approx(np.polyfit(true, given, 1)[0])
        assert seen.residuals[:, number] == pytest.approx(given - true)


def test_the_worst_picture_is_told_in_numbers(tmp_path: Path) -> None:
    seen = made(tmp_path)
    row = seen.top_losses(1).iloc[0]
    assert row["n0 error"] == pytest.approx(row["n0 predicted"] - row["n0 true"])
    place = seen.worst(1)
    (furthest,) = seen.explained(place)
    told = seen.told(place)[0]
    assert told[0][0].startswith(f"n{furthest} ")
    assert seen.truth()[0].startswith(f"n0 {seen.right[0, 0]:.4g}, n1 ")
    assert seen.headlines()[-1].startswith("worst: pictures/")


@pytest.mark.parametrize(("columns", "count"), [(1, 3), (1, 18), (12, 18)])
def test_it_is_shown(tmp_path: Path, columns: int, count: int) -> None:
    seen = made(tmp_path, columns, count)
    for section in seen.sections():
        for plot in section.plots.values():
            assert plot.png()
    if count == 3:  # one picture here: nothing varies
        assert seen.scores()["r2"].isna().all()
    heat = seen.heat(seen.worst(1))
    assert heat is not None
    assert heat.shape == (1, 32, 32)
    assert seen.headlines()
