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


def test_no_disc_is_near_its_mirror_image() -> None:
    marks = Marks(count=40)
    sizes = marks.extents[:, ::-1] - 1
    for mirrored in (
        np.stack([sizes[:, 0] - marks.middle[:, 0], marks.middle[:, 1]], axis=1),
        np.stack([marks.middle[:, 0], sizes[:, 1] - marks.middle[:, 1]], axis=1),
        sizes - marks.middle,
    ):
        assert np.hypot(*(mirrored - marks.middle).T).min() > 2 * RADIUS
    corners = {tuple(one) for one in (marks.middle > sizes / 2).tolist()}
    assert len(corners) == 4


def test_blank_pictures_have_no_discs() -> None:
    marks = Marks()
    ((images, _, _), *_) = marks.loader(blank=True).fixed(range(4), (32, 32))
    assert not images.any()
    ((images, _, _), *_) = marks.loader().fixed(range(4), (32, 32))
    assert images.amax(dim=(1, 2, 3)).min() > 0.5
