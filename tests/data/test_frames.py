"""Frames: from what the network saw back to the files' pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitbox.data import geometry
from kitbox.data.frames import Frames, normalize

from .marks import Marks, in_pixels, together

FITS = st.sampled_from(["crop", "squash", "pad"])
SIZES = st.tuples(st.integers(8, 100), st.integers(8, 100))
SHRINKS = st.sampled_from([0.7, 1.0, 1.7, 4.0])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999), size=SIZES, fit=FITS, shrink=SHRINKS)
def test_to_picture_inverts_to_frame(
    seed: int, size: tuple[int, int], fit: geometry.Fit, shrink: float
) -> None:
    frames = Marks(seed, shrink=shrink).loader(fit=fit).frames(range(6), size)
    assert len(frames) == 6
    points = np.random.default_rng(seed).uniform(-200, 400, (6, 5, 2))
    np.testing.assert_allclose(frames.to_picture(frames.to_frame(points)), points, atol=1e-6)
    inside = np.random.default_rng(seed).uniform(-1, 1, (6, 5, 2))
    np.testing.assert_allclose(frames.to_frame(frames.to_picture(inside)), inside, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), size=SIZES, fit=FITS, shrink=SHRINKS)
def test_frames_are_where_the_targets_are(
    seed: int, size: tuple[int, int], fit: geometry.Fit, shrink: float
) -> None:
    """What a loader gives as targets comes back as the points that went in."""
    marks = Marks(seed, shrink=shrink)
    loader = marks.loader(marks.points(), fit)
    rows = [4, 0, 5, 2]
    _, points, _ = together(loader.fixed(rows, size))
    frames = loader.frames(rows, size)
    np.testing.assert_allclose(frames.to_picture(points)[:, 0], marks.middle[rows], atol=0.02)
    np.testing.assert_allclose(frames.to_frame(marks.middle[rows][:, None]), points, atol=1e-4)
    np.testing.assert_array_equal(frames.sizes, marks.sizes[rows])


def test_the_corners_of_squashed_pictures() -> None:
    """Their outer edges are -1 and 1, whatever the size."""
    frames = Marks(0, shrink=2.0).loader(fit="squash").frames(range(6), (40, 30))
    ends = np.array([[[-1.0, -1.0], [1.0, 1.0]]]).repeat(6, axis=0)
    found = frames.to_picture(ends)
    np.testing.assert_allclose(found[:, 0], -0.5, atol=1e-9)
    np.testing.assert_allclose(found[:, 1], frames.sizes[:, ::-1] - 0.5, atol=1e-9)


def visible(frames: Frames, number: int) -> tuple[slice, slice]:
    """Rows and columns of a picture well inside the frame, and inside the picture."""
    height, width = (int(side) for side in frames.sizes[number])
    ends = np.array([[[-1.0, -1.0], [1.0, 1.0]]]).repeat(len(frames), axis=0)
    (left, top), (right, bottom) = frames.to_picture(ends)[number]
    margin = 2 / frames.scale[number]
    ends = (max(0, left), max(0, top)), (min(width, right), min(height, bottom))
    (left, top), (right, bottom) = np.ceil(ends[0] + margin), np.floor(ends[1] - margin)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 9999),
    size=st.tuples(st.integers(40, 100), st.integers(40, 100)),
    fit=FITS,
    shrink=st.sampled_from([1.0, 1.7, 3.0]),
)
def test_paste_brings_a_picture_back_to_its_place_and_size(
    seed: int, size: tuple[int, int], fit: geometry.Fit, shrink: float
) -> None:
    """Pictures that hold their own columns and rows: what the loader shows, pasted, is them."""
    marks = Marks(seed, shrink=shrink)
    for axis in (0, 1):
        for row, ((height, width), (h, w)) in enumerate(
            zip(marks.sizes, marks.extents, strict=True)
        ):
            ramp = np.mgrid[:height, :width][axis] * 250 / max(height, width)
            area = cv2.resize(
                ramp.astype(np.float32), (int(w), int(h)), interpolation=cv2.INTER_AREA
            )
            marks.canvas[row, :h, :w, 0] = np.rint(area)
        loader = marks.loader(fit=fit)
        frames = loader.frames(range(6), size)
        for row, (height, width) in enumerate(marks.sizes):
            shown = loader.picture(row, size)[..., 0].astype(np.float32)
            back = frames.paste(row, np.stack([shown, 250 - shown]))
            assert (back.shape, back.dtype) == ((2, height, width), np.float32)
            wanted = np.mgrid[:height, :width][axis] * 250 / max(height, width)
            part = visible(frames, row)
            assert wanted[part].size > 0
            np.testing.assert_allclose(back[0][part], wanted[part], atol=3)
            np.testing.assert_allclose(back[1][part], 250 - wanted[part], atol=3)
            assert np.abs((back[0] - wanted)[part]).mean() < 1


def test_paste_continues_the_edge_where_the_frame_showed_nothing() -> None:
    frames = Frames((4, 4), np.array([[4, 8]]), np.ones((1, 2)), np.array([[-2.0, 0.0]]))
    plane = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    (back,) = frames.paste(0, plane)
    assert back.shape == (4, 8)
    np.testing.assert_allclose(back[:, 2:6], plane[0])
    np.testing.assert_allclose(back[:, :2], plane[0][:, :1].repeat(2, axis=1))
    np.testing.assert_allclose(back[:, 6:], plane[0][:, -1:].repeat(2, axis=1))


def test_paste_takes_maps_that_do_not_lie_in_order() -> None:
    frames = Frames.whole((5, 7), 1)
    planes = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)
    np.testing.assert_allclose(
        frames.paste(0, planes.transpose(2, 0, 1)), planes.transpose(2, 0, 1), atol=1e-6
    )


def test_whole_frames_change_nothing() -> None:
    frames = Frames.whole((20, 30), 3)
    points = np.random.default_rng(0).uniform(0, 20, (3, 4, 2))
    np.testing.assert_allclose(in_pixels(frames.to_frame(points), (20, 30)), points)
    planes = np.random.default_rng(0).normal(size=(2, 20, 30)).astype(np.float32)
    np.testing.assert_allclose(frames.paste(2, planes), planes, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (4, 10)])
def test_normalize_spans_the_frame_from_edge_to_edge(size: tuple[int, int]) -> None:
    height, width = size
    ends = np.array(
        [[-0.5, -0.5], [width - 0.5, height - 0.5], [(width - 1) / 2, (height - 1) / 2]]
    )
    np.testing.assert_allclose(normalize(ends, size), [[-1, -1], [1, 1], [0, 0]])


def test_frames_of_broken_pictures_are_finite() -> None:
    marks = Marks(0)
    marks.sizes[1] = 0
    frames = marks.loader().frames(range(6), (32, 32))
    assert np.isfinite(frames.scale).all()
    assert (frames.sizes > 0).all()
    assert frames.paste(1, np.zeros((1, 32, 32), np.float32)).shape[1:] == tuple(frames.sizes[1])


def test_frames_of_no_pictures() -> None:
    frames = Marks(0).loader().frames(np.array([], int), (32, 32))
    assert len(frames) == 0
    assert frames.to_picture(np.zeros((0, 3, 2))).shape == (0, 3, 2)
