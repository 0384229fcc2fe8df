"""Quadratic kappa, and the thresholds that make the most of it."""

from __future__ import annotations

import numpy as np

CANDIDATES = 200
"""Places of a threshold that are tried, at most, in each round."""


def quadratic_kappa(truth: np.ndarray, grades: np.ndarray, count: int) -> float:
    """Cohen's kappa with quadratic weights, of whole numbers (N,) below `count`.

    1 where all agree; 0 where it is not defined because one side never varies.
    """
    seen = np.zeros((count, count))
    np.add.at(seen, (truth, grades), 1)
    places = np.arange(count)
    weights = (places[:, None] - places) ** 2
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / len(truth)
    off, by_chance = float((weights * seen).sum()), float((weights * expected).sum())
    if by_chance == 0:
        return 1.0 if off == 0 else 0.0
    return 1 - off / by_chance


def best_thresholds(expected: np.ndarray, truth: np.ndarray, cuts: int) -> tuple[float, ...]:
    """Thresholds of expected grades (N,) with the best quadratic kappa.

    One after another is moved to where kappa is best while the others stay, until none
    moves; it begins at 0.5, 1.5, ... A threshold moves only for a better kappa.
    """
    found = [cut + 0.5 for cut in range(cuts)]
    values = np.unique(expected)
    middles = (values[1:] + values[:-1]) / 2
    if len(middles) > CANDIDATES:
        middles = middles[np.linspace(0, len(middles) - 1, CANDIDATES).round().astype(int)]

    def kappa(thresholds: list[float]) -> float:
        grades = (expected[:, None] > np.array(thresholds)).sum(axis=1)
        return quadratic_kappa(truth, grades, cuts + 1)

    best, moved = kappa(found), True
    while moved:
        moved = False
        for cut in range(cuts):
            low = found[cut - 1] if cut else -np.inf
            high = found[cut + 1] if cut + 1 < cuts else np.inf
            for place in middles[(middles >= low) & (middles <= high)]:
                tried = [*found[:cut], float(place), *found[cut + 1 :]]
                if (value := kappa(tried)) > best + 1e-12:
                    best, found, moved = value, tried, True
    return tuple(found)
