"""Metrics of numbers, ours and scikit-learn's, by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from kitbox.errors import nearest
from kitbox.tasks.specs import MetricSpec, parts

if TYPE_CHECKING:
    import numpy as np

OWN = {
    "r2": "r2_score",
    "mae": "mean_absolute_error",
    "rmse": "root_mean_squared_error",
    "mse": "mean_squared_error",
}
"""Short names of scikit-learn's functions."""

KAPPA = "quadratic_kappa"


def check(spec: MetricSpec) -> None:
    """Check a metric before a run starts.

    Raises:
        ValueError: for an unknown name or option.
    """
    name, options = parts(spec)
    if name == KAPPA:
        known: list[str] = []
    else:
        known = list(inspect.signature(_function(name)).parameters)[2:]
    if wrong := [key for key in options if key not in known]:
        raise ValueError(
            f"the metric '{name}' has no option '{wrong[0]}'. {nearest(wrong[0], known)}".strip()
        )


def direction(spec: MetricSpec) -> Literal["min", "max"]:
    """Which way is better: scores and shares of what is explained are large."""
    name, _ = parts(spec)
    large = name.endswith("_score") or name in ("r2", KAPPA)
    return "max" if large else "min"


def compute(spec: MetricSpec, targets: np.ndarray, predicted: np.ndarray) -> float:
    """A metric of numbers (N,) and their predictions (N,).

    NaN where it cannot be computed: fewer than two numbers for R², say.
    """
    import numpy as np

    if not np.isfinite(predicted).all():
        return float("nan")
    name, options = parts(spec)
    if name == KAPPA:
        return quadratic_kappa(targets, predicted)
    if name in ("r2", "r2_score") and len(targets) < 2:
        return float("nan")
    try:
        return float(_function(name)(targets, predicted, **options))
    except ValueError:
        return float("nan")


def quadratic_kappa(targets: np.ndarray, predicted: np.ndarray) -> float:
    """Cohen's kappa with quadratic weights of grades (N,), predictions rounded to them.

    The share of the expected squared distance that is not there: 1 where all
    agree, 0 for chance, NaN where all grades and predictions are one. The same
    as scikit-learn's `cohen_kappa_score` over all whole numbers in between.
    """
    import numpy as np

    grades, guesses = np.rint(targets), np.rint(predicted)
    expected = grades.var() + guesses.var() + (grades.mean() - guesses.mean()) ** 2
    if expected == 0:
        return float("nan")
    return float(1 - np.mean((grades - guesses) ** 2) / expected)


def _function(name: str) -> Callable[..., float]:
    from sklearn import metrics

    full = OWN.get(name, name)
    known = [one for one in metrics.__all__ if _of_numbers(one)]
    if full not in known:
        hint = nearest(name, [*OWN, KAPPA, *known])
        raise ValueError(f"there is no metric '{name}' of numbers. {hint}".strip())
    return getattr(metrics, full)


def _of_numbers(name: str) -> bool:
    """Whether a function of scikit-learn compares numbers: (y_true, y_pred)."""
    return bool(
        re.fullmatch(r"(r2|explained_variance|d2_(absolute_error|pinball|tweedie))_score", name)
        or re.fullmatch(r"(mean|median|root|max)_(.*_)?(error|deviance|pinball_loss)", name)
        or name in ("max_error", "mean_pinball_loss")
    )
