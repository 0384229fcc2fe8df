"""Metrics of class probabilities, ours and scikit-learn's, by name."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from kitbox.errors import nearest
from kitbox.tasks.specs import MetricSpec, label, parts

if TYPE_CHECKING:
    import numpy as np

_PROBABILITIES = ("y_score", "y_prob", "y_proba")
_ON_PROBABILITIES = (
    *("log_loss", "roc_auc_score", "average_precision_score"),
    *("brier_score_loss", "d2_log_loss_score"),
)
_OWN = ("error_rate", "accuracy")


def check(spec: MetricSpec) -> None:
    """Check a metric before a run starts.

    Raises:
        ValueError: for an unknown name or option.
    """
    name, options = parts(spec)
    if name in _OWN or re.fullmatch(r"top_[1-9]\d*", name):
        if options:
            raise ValueError(f"the metric '{name}' has no options, found {', '.join(options)}")
        return
    check_options(name, options)
    _try(spec)


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Check the options of a metric of scikit-learn's, called with what it compares.

    Raises:
        ValueError: for an unknown name or option, and for one that is missing.
    """
    known = inspect.signature(sklearn_metric(name)).parameters
    if wrong := [key for key in options if key not in known]:
        hint = nearest(wrong[0], list(known)[2:])
        raise ValueError(f"the metric '{name}' has no option '{wrong[0]}'. {hint}".strip())
    needed = [k for k, p in known.items() if p.default is p.empty and k not in options]
    if missing := needed[2:]:  # the first two are what it compares
        raise ValueError(
            f"the metric '{name}' needs the option '{missing[0]}'. "
            f"Write it as {{use: {name}, {missing[0]}: ...}}"
        )


def _try(spec: MetricSpec) -> None:
    """Compute a metric of two and of three made-up classes; one of them has to work."""
    import numpy as np

    reasons = []
    for classes in (2, 3):
        targets = np.arange(12) % classes
        probabilities = np.full((12, classes), 0.2 / (classes - 1))
        probabilities[np.arange(12), (targets + (np.arange(12) % 4 == 0)) % classes] = 0.8
        try:
            if np.isfinite(_compute(spec, targets, probabilities)):
                return
            reasons.append("it gives no finite number")
        except (ValueError, TypeError) as error:
            reasons.append(str(error).splitlines()[0])
    raise ValueError(
        f"the metric '{label(spec)}' cannot be computed of classes or probabilities: {reasons[0]}"
    )


def direction(spec: MetricSpec) -> Literal["min", "max"]:
    """Which way is better, by scikit-learn's naming: errors and losses are small."""
    name, _ = parts(spec)
    return "min" if name.endswith(("_error", "_loss", "error_rate")) else "max"


def compute(spec: MetricSpec, targets: np.ndarray, probabilities: np.ndarray) -> float:
    """A metric of class numbers (N,) and probabilities (N, K).

    NaN where scikit-learn cannot compute it (a class that is absent, say).
    """
    try:
        return _compute(spec, targets, probabilities)
    except ValueError:
        return float("nan")


def _compute(spec: MetricSpec, targets: np.ndarray, probabilities: np.ndarray) -> float:
    import numpy as np

    name, options = parts(spec)
    chosen = probabilities.argmax(axis=1)
    if name == "error_rate":
        return float((chosen != targets).mean())
    if name == "accuracy":
        return float((chosen == targets).mean())
    if name.startswith("top_") and name[4:].isdigit():
        count = min(int(name[4:]), probabilities.shape[1])
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        return float((order == targets[:, None]).any(axis=1).mean())
    function = sklearn_metric(name)
    parameters = inspect.signature(function).parameters
    classes = np.arange(probabilities.shape[1])
    if name in _ON_PROBABILITIES or any(p in parameters for p in _PROBABILITIES):
        given: Any = probabilities
        if len(classes) == 2 and name != "log_loss":
            given = probabilities[:, 1]
        elif name == "roc_auc_score":
            options = {"multi_class": "ovr", **options}
        elif name == "average_precision_score":
            targets = (targets[:, None] == classes).astype(int)
        if "labels" in parameters and (len(classes) > 2 or name == "log_loss"):
            options = {"labels": classes, **options}
    else:
        given = chosen
        if "average" in parameters and len(classes) > 2:
            options = {"average": "macro", **options}
        if "zero_division" in parameters:
            options = {"zero_division": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that a small set does not hold
        return float(function(targets, given, **options))


def softmax(outputs: np.ndarray) -> np.ndarray:
    """Probabilities (N, K) float64 of logits (N, K)."""
    import numpy as np

    highest = outputs.max(axis=1, keepdims=True, initial=-np.inf)
    shifted = np.exp(outputs.astype(np.float64) - highest)
    return shifted / shifted.sum(axis=1, keepdims=True)


def sklearn_metric(name: str) -> Callable[..., float]:
    """The metric of scikit-learn's by name.

    Raises:
        ValueError: when there is none.
    """
    from sklearn import metrics

    names = [n for n in metrics.__all__ if n.endswith(("_score", "_loss", "_error", "coef"))]
    if name not in names:
        raise ValueError(
            f"there is no metric '{name}'. {nearest(name, [*_OWN, 'top_5', *names])}".strip()
        )
    return getattr(metrics, name)
