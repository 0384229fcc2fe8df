"""Tests of the pictures that tell where an augmentation put what they show."""

from __future__ import annotations

import numpy as np

from kitbox.testing.marks import RADIUS, Marks


def test_the_disc_is_where_its_mask_and_its_middle_say() -> None:
    marks = Marks()
    for row, (height, width) in enumerate(marks.extents):
        picture = marks.canvas[row, :height, :width, 0]
        y, x = np.nonzero(picture > 100)
        assert np.allclose((x.mean(), y.mean()), marks.middle[row], atol=0.2)
        assert (picture[marks.masks[row] == 1] >= 100).all()
        assert (picture[marks.masks[row] == 0] <= 100).all()
        assert abs(marks.masks[row].sum() - np.pi * RADIUS**2) < 20
    assert any(h != w for h, w in marks.extents)
