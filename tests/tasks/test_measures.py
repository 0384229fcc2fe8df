"""Metrics of numbers, beside scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from kitbox.tasks import measures

RNG = np.random.default_rng(3)
TRUE = RNG.uniform(1, 9, 50)
FOUND = TRUE + RNG.normal(size=50) * 0.5


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("r2", metrics.r2_score(TRUE, FOUND)),
        ("mae", metrics.mean_absolute_error(TRUE, FOUND)),
        ("rmse", metrics.mean_squared_error(TRUE, FOUND) ** 0.5),
        ("mse", metrics.mean_squared_error(TRUE, FOUND)),
        ("median_absolute_error", metrics.median_absolute_error(TRUE, FOUND)),
        ("max_error", metrics.max_error(TRUE, FOUND)),
        (
            {"use": "mean_pinball_loss", "alpha": 0.9},
            metrics.mean_pinball_loss(TRUE, FOUND, alpha=0.9),
        ),
    ],
)
def test_they_are_scikit_learn_s(spec: Any, value: float) -> None:
    measures.check(spec)
    assert measures.compute(spec, TRUE, FOUND) == pytest.approx(value, rel=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(-0.49, 4.49)), min_size=2, max_size=40),
)
def test_quadratic_kappa_is_scikit_learn_s(pairs: list[tuple[int, float]]) -> None:
    true, found = np.array(pairs).T
    ours = measures.quadratic_kappa(true, found)
    if len({*true, *np.rint(found)}) == 1:
        assert np.isnan(ours)
        return
    theirs = metrics.cohen_kappa_score(
        true.astype(int), np.rint(found).astype(int), weights="quadratic", labels=np.arange(5)
    )
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_kappa_of_grades_that_skip_one() -> None:
    """scikit-learn counts the distance of 0 and 4 as one step where nothing lies between."""
    true, found = np.array([0, 0, 4, 4]), np.array([0.2, 3.8, 4.1, 3.9])
    theirs = metrics.cohen_kappa_score(
        true, np.rint(found).astype(int), weights="quadratic", labels=range(5)
    )
    assert measures.compute("quadratic_kappa", true, found) == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("spec", "way"),
    [
        ("rmse", "min"),
        ("mae", "min"),
        ("r2", "max"),
        ("quadratic_kappa", "max"),
        ("explained_variance_score", "max"),
        ("max_error", "min"),
        ({"use": "mean_tweedie_deviance", "power": 1}, "min"),
    ],
)
def test_which_way_is_better(spec: Any, way: str) -> None:
    measures.check(spec)
    assert measures.direction(spec) == way


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("rsme", "Did you mean 'rmse'"),
        ("accuracy_score", "no metric 'accuracy_score' of numbers"),
        ({"use": "mean_pinball_loss", "alhpa": 0.9}, "Did you mean 'alpha'"),
        ({"use": "quadratic_kappa", "labels": 3}, "no option 'labels'"),
        ({"alpha": 0.9}, "expected a name"),
    ],
)
def test_unknown_ones_are_refused(spec: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        measures.check(spec)


def test_what_cannot_be_computed_is_nan_without_a_warning() -> None:
    one = np.array([1.0])
    assert np.isnan(measures.compute("r2", one, one))
    assert np.isnan(measures.compute("rmse", one, np.array([np.nan])))
    assert np.isnan(measures.compute("mean_squared_log_error", one, -2 * one))
    assert np.isnan(measures.compute("quadratic_kappa", one, one))
