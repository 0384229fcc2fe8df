"""Metrics as a recipe names them: a name, or a mapping of `use` and options."""

from __future__ import annotations

from typing import Any

MetricSpec = str | dict[str, Any]
"""A name, or a mapping with `use` and options of scikit-learn's function."""


def parts(spec: MetricSpec) -> tuple[str, dict[str, Any]]:
    """A metric's name and options.

    Raises:
        ValueError: when there is no name.
    """
    if isinstance(spec, str):
        return spec, {}
    options = dict(spec)
    name = options.pop("use", None)
    if not isinstance(name, str):
        raise ValueError(f"found the metric {spec!r}, expected a name or a mapping with `use`")
    return name, options


def label(spec: MetricSpec) -> str:
    """The metric's name in logs.

    >>> label("r2"), label({"use": "top_k_accuracy_score", "k": 3})
    ('r2', 'top_k_accuracy_score_3')
    """
    name, options = parts(spec)
    return "_".join([name, *(str(value) for value in options.values())])
