"""Metrics of several labels a picture, ours and scikit-learn's, by name."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kitbox.errors import nearest
from kitbox.tasks import scores, specs
from kitbox.tasks.specs import MetricSpec

if TYPE_CHECKING:
    import numpy as np

AVERAGES = ("samples", "macro", "micro")

_OWN = ("f_beta", "accuracy_at_threshold", "mean_average_precision")
_OF_CHOICES = (
    *("f1_score", "fbeta_score", "precision_score", "recall_score", "jaccard_score"),
    *("accuracy_score", "hamming_loss", "zero_one_loss"),
)
_OF_PROBABILITIES = (
    *("roc_auc_score", "average_precision_score", "label_ranking_average_precision_score"),
    *("label_ranking_loss", "coverage_error", "ndcg_score", "dcg_score"),
)
_KNOWN = (*_OWN, *_OF_CHOICES, *_OF_PROBABILITIES)


def check(spec: MetricSpec) -> None:
    """Check a metric before a run starts.

    Raises:
        ValueError: for an unknown name or option, or a metric that does not fit.
    """
    name, options = specs.parts(spec)
    if name not in _KNOWN:
        raise ValueError(f"there is no metric '{name}' of labels. {nearest(name, _KNOWN)}".strip())
    if name not in _OWN:
        scores.check_options(name, options)
        _try(spec)
        return
    known = ("beta", "average", "zero_division") if name == "f_beta" else ()
    if wrong := [key for key in options if key not in known]:
        raise ValueError(
            f"the metric '{name}' has no option '{wrong[0]}'. {nearest(wrong[0], known)}".strip()
        )
    beta = options.get("beta", 2)
    if isinstance(beta, bool) or not isinstance(beta, int | float) or not 0 < beta < 1000:
        raise ValueError(f"found beta {beta!r}, expected a number above 0, 1 or 2 say")
    if (average := options.get("average", "samples")) not in AVERAGES:
        raise ValueError(f"found average {average!r}, expected {', '.join(AVERAGES)}")
    if (division := options.get("zero_division", 1)) not in (0, 1):
        raise ValueError(f"found zero_division {division!r}, expected 0 or 1")


def check_count(spec: MetricSpec, labels: int) -> None:
    """Check that a metric can be computed of so many labels.

    Raises:
        ValueError: for one of several labels where there is one, or the other way round.
    """
    if specs.parts(spec)[0] not in _OWN and (reason := _fault(spec, min(labels, 3))):
        count = "a single label" if labels == 1 else "several labels"
        raise ValueError(
            f"the metric '{specs.label(spec)}' cannot be computed of {count}: {reason}"
        )


def _try(spec: MetricSpec) -> None:
    """Compute a metric of made-up labels: several, then one; one of them has to work."""
    reasons = [_fault(spec, labels) for labels in (3, 1)]
    if all(reasons):
        raise ValueError(
            f"the metric '{specs.label(spec)}' cannot be computed of labels: {reasons[-1]}"
        )


def _fault(spec: MetricSpec, labels: int) -> str:
    """Why a metric cannot be computed of so many made-up labels; '' where it can."""
    import numpy as np

    targets = np.tile(np.array([[0], [1]], np.uint8), (6, labels))
    probabilities = np.random.default_rng(0).uniform(size=targets.shape)
    try:
        value = _compute(spec, targets, probabilities, probabilities > 0.5)
    except (ValueError, TypeError) as error:
        return str(error).splitlines()[0]
    return "" if np.isfinite(value) else "it gives no finite number"


def is_of_choices(spec: MetricSpec) -> bool:
    """Whether the metric needs a threshold."""
    return specs.parts(spec)[0] in ("f_beta", "accuracy_at_threshold", *_OF_CHOICES)


def compute(
    spec: MetricSpec, targets: np.ndarray, probabilities: np.ndarray, chosen: np.ndarray
) -> float:
    """A metric of targets, probabilities and what was chosen by a threshold, (N, K) each.

    NaN where it cannot be computed.
    """
    try:
        return _compute(spec, targets, probabilities, chosen)
    except ValueError:
        return float("nan")


def _compute(
    spec: MetricSpec, targets: np.ndarray, probabilities: np.ndarray, chosen: np.ndarray
) -> float:
    name, options = specs.parts(spec)
    if name == "f_beta":
        return f_beta(targets, chosen, **options)
    if name == "accuracy_at_threshold":
        return float((chosen == (targets > 0)).mean())
    if name == "mean_average_precision":
        return _mean_average_precision(targets, probabilities)
    return _of_sklearn(name, options, targets, chosen if name in _OF_CHOICES else probabilities)


def f_beta(
    targets: np.ndarray,
    chosen: np.ndarray,
    beta: float = 2,
    average: str = "samples",
    zero_division: float = 1,
) -> float:
    """F-beta of targets and choices (N, K): recall counts `beta` times as much as precision.

    Args:
        average: over pictures ('samples'), over labels ('macro'), or of all
            decisions together ('micro').
        zero_division: the value for a picture (or label) that has none and gets none. By
            default that is right (1): with scikit-learn's 0 a picture without labels
            gives 0 whatever is chosen for it.
    """
    truth = targets > 0
    axis = {"samples": 1, "macro": 0, "micro": None}[average]
    both, there, said = ((a.sum(axis=axis)) for a in (truth & chosen, truth, chosen))
    return float(_f(both, there, said, beta, zero_division).mean())


def sweep(
    spec: MetricSpec,
    targets: np.ndarray,
    probabilities: np.ndarray,
    chosen: np.ndarray,
    label: int,
    choices: np.ndarray,
) -> np.ndarray:
    """The metric for several choices (N, T) of one label, the others as in `chosen`: (T,)."""
    import numpy as np

    name, options = specs.parts(spec)
    if name == "f_beta":
        return _sweep_f_beta(targets, chosen, label, choices, **options)
    if name == "accuracy_at_threshold":
        right = chosen == (targets > 0)
        rest = right.sum() - right[:, label].sum()
        return (rest + (choices == (targets[:, label, None] > 0)).sum(axis=0)) / targets.size
    values = []
    tried = chosen.copy()
    for choice in choices.T:
        tried[:, label] = choice
        values.append(compute(spec, targets, probabilities, tried))
    return np.array(values)


def _sweep_f_beta(
    targets: np.ndarray,
    chosen: np.ndarray,
    label: int,
    choices: np.ndarray,
    beta: float = 2,
    average: str = "samples",
    zero_division: float = 1,
) -> np.ndarray:
    import numpy as np

    truth = targets > 0
    here = truth[:, label, None]
    if average == "macro":  # other labels do not matter to this one
        counts = (here & choices).sum(axis=0), here.sum(axis=0), choices.sum(axis=0)
        own = _f(*counts, beta, zero_division)
        others = np.delete(np.arange(targets.shape[1]), label)
        if not len(others):
            return own
        rest = f_beta(targets[:, others], chosen[:, others], beta, average, zero_division)
        return (own + rest * len(others)) / targets.shape[1]
    both, said = (truth & chosen).sum(axis=1), chosen.sum(axis=1)
    both = (both - (truth & chosen)[:, label])[:, None] + (here & choices)
    said = (said - chosen[:, label])[:, None] + choices
    there = truth.sum(axis=1)[:, None]
    if average == "micro":
        both, there, said = both.sum(axis=0), there.sum(), said.sum(axis=0)
        return _f(both, there, said, beta, zero_division)
    return _f(both, there, said, beta, zero_division).mean(axis=0)


def _f(both: Any, there: Any, said: Any, beta: float, zero_division: float) -> np.ndarray:
    """F-beta of counts: chosen rightly, there, chosen."""
    import numpy as np

    whole = np.asarray(beta**2 * there + said, np.float64)
    share = (1 + beta**2) * both / np.maximum(whole, 1e-12)
    return np.where(whole > 0, share, zero_division)


def _mean_average_precision(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over the labels that some picture has."""
    import numpy as np
    from sklearn.metrics import average_precision_score

    there = np.flatnonzero(targets.any(axis=0))
    each = [average_precision_score(targets[:, k], probabilities[:, k]) for k in there]
    return float(np.mean(each)) if each else float("nan")


def _of_sklearn(
    name: str, options: Mapping[str, Any], targets: np.ndarray, given: np.ndarray
) -> float:
    function = scores.sklearn_metric(name)
    parameters = inspect.signature(function).parameters
    if name == "roc_auc_score":  # undefined for a label that all or none have
        both = (targets.min(axis=0) == 0) & (targets.max(axis=0) == 1)
        targets, given = targets[:, both], given[:, both]
    if targets.shape[1] == 1 and name in (*_OF_CHOICES, *_OF_PROBABILITIES[:2]):
        targets, given = targets[:, 0], given[:, 0]  # a single label is scikit-learn's binary
    elif "average" in parameters:
        options = {"average": "macro", **options}
    if "zero_division" in parameters:
        options = {"zero_division": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labels that a small set does not hold
        return float(function(targets, given, **options))
