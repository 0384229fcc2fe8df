"""Mean distances of points."""

from __future__ import annotations

import numpy as np

from kitbox.tasks import distances

NAN = float("nan")


def test_pictures_count_alike_however_many_points_they_have() -> None:
    targets = np.array([[[0.0, 0], [0, 0]], [[0, 0], [NAN, NAN]], [[NAN, NAN], [NAN, NAN]]])
    found = np.array([[[3.0, 4], [0, 1]], [[0, 10], [9, 9]], [[5, 5], [5, 5]]])
    assert distances.mean(targets, found) == (3 + 10) / 2
    assert distances.mean(targets, found, np.array([1.0, 10, 1])) == (3 + 1) / 2


def test_pictures_without_a_unit_do_not_count() -> None:
    targets, found = np.zeros((3, 1, 2)), np.ones((3, 1, 2)) * [3, 4]
    assert distances.mean(targets, found, np.array([NAN, 0, 2])) == 2.5


def test_no_picture_at_all_is_nan() -> None:
    assert np.isnan(distances.mean(np.full((2, 3, 2), NAN), np.zeros((2, 3, 2))))
    assert np.isnan(distances.mean(np.zeros((0, 3, 2)), np.zeros((0, 3, 2))))
