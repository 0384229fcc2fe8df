"""Overlays: colours by class, borders, void."""

from __future__ import annotations

import numpy as np

from kitbox.tasks.codes import VOID
from kitbox.tasks.overlay import caption, color, overlay


def test_colours_are_far_apart_and_fixed() -> None:
    colors = np.array([color(number) for number in range(20)], float)
    apart = np.sqrt(((colors[:, None] - colors[None]) ** 2).sum(-1)) + 1e9 * np.eye(20)
    assert apart.min() > 40
    assert len({color(number) for number in range(255)}) > 240
    assert color(0) == (230, 25, 75)


def test_each_class_is_tinted_and_void_is_not() -> None:
    picture = np.full((6, 9, 3), 100, np.uint8)
    mask = np.zeros((6, 9), np.int64)
    mask[:, 3:6], mask[:, 6:] = 1, VOID
    drawn = overlay(picture, mask, strength=0.5)
    assert drawn.dtype == np.uint8
    assert drawn.shape == picture.shape
    assert drawn[0, 0].tolist() == [165, 62, 88]  # half way to class 0's colour
    assert drawn[0, 2].tolist() == list(color(0))  # its border to class 1
    assert (drawn[:, 6:] == 100).all()
    assert (picture == 100).all()


def test_captions_name_what_is_there() -> None:
    mask = np.full((2, 5), VOID)
    assert caption(mask, ["a", "b"]) == "nothing that is counted"
    mask[0] = 1
    mask[1, 0] = 0
    assert caption(mask, ["a", "b"]) == "b, a"
