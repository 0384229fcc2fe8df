"""Targets move with their pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kitbox.data import geometry, targets
from kitbox.data.augment import Nothing, Standard
from kitbox.data.pipelines import albumentations
from kitbox.data.targets import Fixed, Masks, Points
from kitbox.errors import LabelError, PluginError

from .marks import Marks, Pipeline, centre, in_pixels, together, whole

SIZES = st.sampled_from([(64, 64), (48, 80), (90, 56)])
FITS = st.sampled_from(["crop", "squash", "pad"])
REFLECT = cv2.BORDER_REFLECT_101
A = albumentations()


def pipeline(*steps: Callable[[], Any], last: Any = None) -> Pipeline:
    return Pipeline(steps=lambda: [step() for step in steps], last=last)


PIPELINES = {
    "standard": Standard(rotate=30, rotate_share=1.0, flip_vertical=0.5, light=0),
    "affine": pipeline(lambda: A.Affine(scale=(0.7, 1.3), rotate=(-60, 60), shear=(-10, 10), p=1)),
    "affine that reflects": pipeline(
        lambda: A.Affine(scale=(0.7, 1.3), rotate=(-60, 60), border_mode=REFLECT, p=1)
    ),
    "perspective": pipeline(lambda: A.Perspective(scale=(0.05, 0.15), p=1)),
    "flips": pipeline(lambda: A.HorizontalFlip(p=0.5), lambda: A.VerticalFlip(p=0.5)),
    "transpose": pipeline(lambda: A.Transpose(p=0.5), lambda: A.RandomRotate90(p=0.5)),
    "pad": pipeline(lambda: A.PadIfNeeded(120, 140, p=1)),
    "pad that reflects": pipeline(lambda: A.Pad(6, border_mode=REFLECT, p=1)),
    "crop": pipeline(last=lambda h, w: A.RandomCrop(h, w, pad_if_needed=True)),
    "one of several": pipeline(
        lambda: A.OneOf(
            [A.Rotate((-45, 45), border_mode=REFLECT), A.Sequential([A.HorizontalFlip(p=1)])], p=1
        )
    ),
}


@pytest.mark.parametrize("name", PIPELINES)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 9999), size=SIZES, fit=FITS, shrink=st.sampled_from([1.0, 1.7]))
def test_a_mark_its_mask_and_its_point_move_together(
    name: str, seed: int, size: tuple[int, int], fit: geometry.Fit, shrink: float
) -> None:
    marks, augmentation = Marks(seed, shrink=shrink), PIPELINES[name]
    rows = range(len(marks.canvas))
    pictures, masks, order = together(
        marks.loader(marks.drawn(), fit).varied(rows, size, augmentation, (seed,))
    )
    again, points, _ = together(
        marks.loader(marks.points(), fit).varied(rows, size, augmentation, (seed,))
    )
    np.testing.assert_array_equal(pictures, again)  # the targets change nothing
    assert (masks.shape, masks.dtype) == ((6, *size), np.int64)
    assert (points.shape, points.dtype) == ((6, 1, 2), np.float32)
    assert sorted(order) == list(rows)
    seen = 0
    for picture, mask, point in zip(pictures, masks, points, strict=True):
        if not whole(mask) or np.abs(point).max() > 1:
            continue
        # Of one mark; a bias of all is looked for below. albumentations turns about the
        # corner of a pixel in some transforms, about its middle in others.
        off = 1.5 * max(1.0, *(s / 48 for s in size))
        np.testing.assert_allclose(in_pixels(point[0], size), centre(picture), atol=off)
        np.testing.assert_allclose(centre(mask == 1), centre(picture), atol=off)
        assert picture[mask == 1].mean() > 0.6
        seen += 1
    assert seen > 0


@pytest.mark.parametrize("name", ["standard", "flips", "crop"])
@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
def test_masks_and_points_are_not_off_on_average(name: str, fit: geometry.Fit) -> None:
    """Half a pixel to the lower right in every picture is a bias that a net learns."""
    off = []
    for seed in range(40):
        marks, size = Marks(seed), (48, 80)
        both = [marks.loader(kind, fit) for kind in (marks.drawn(), marks.points())]
        varied = [together(one.varied(range(6), size, PIPELINES[name], (seed,))) for one in both]
        for picture, mask, point in zip(varied[0][0], varied[0][1], varied[1][1], strict=True):
            if whole(mask) and np.abs(point).max() < 0.7:
                middle = centre(picture)
                off.append([centre(mask == 1) - middle, in_pixels(point[0], size) - middle])
    assert len(off) > 40
    assert np.abs(np.mean(off, axis=0)).max() < 0.1


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999), size=SIZES, fit=FITS, shrink=st.sampled_from([1.0, 1.7, 3.0]))
def test_the_fixed_geometry_shows_all_three_at_one_place(
    seed: int, size: tuple[int, int], fit: geometry.Fit, shrink: float
) -> None:
    marks = Marks(seed, shrink=shrink)
    rows = range(len(marks.canvas))
    pictures, masks, _ = together(marks.loader(marks.drawn(), fit).fixed(rows, size))
    _, points, _ = together(marks.loader(marks.points(), fit).fixed(rows, size))
    seen = 0
    for picture, mask, point in zip(pictures, masks, points, strict=True):
        if whole(mask):
            np.testing.assert_allclose(in_pixels(point[0], size), centre(picture), atol=0.25)
            np.testing.assert_allclose(centre(mask == 1), centre(picture), atol=0.8)
            seen += 1
    assert seen > 0
    if fit != "crop":
        assert seen == len(marks.canvas)


def test_nothing_varied_is_the_fixed_geometry() -> None:
    marks = Marks(1)
    for given_targets in (marks.drawn(), marks.points()):
        loader = marks.loader(given_targets, "pad")
        _, varied, order = together(loader.varied(range(6), (40, 64), Nothing(), (1,)))
        _, fixed, _ = together(loader.fixed(order, (40, 64)))
        np.testing.assert_array_equal(varied, fixed)


def test_what_lies_outside_a_picture_has_the_fill() -> None:
    marks = Marks(3)
    marks.masks = [np.ones_like(mask) for mask in marks.masks]
    size = (128, 32)
    for fill in (255, 7):
        loader = marks.loader(marks.drawn(fill=fill), "pad")
        _, masks, _ = together(loader.fixed(range(6), size))
        assert set(np.unique(masks)) == {1, fill}
        for row, mask in enumerate(masks):
            part = geometry.box(tuple(marks.extents[row]), size, "pad")
            share = marks.extents[row].prod() / (part.height * part.width)
            assert (mask == 1).mean() == pytest.approx(share, abs=0.02)
            assert (mask[0] == fill).all()
            assert (mask[64] == 1).all()


EYES = np.array([[[20, 30], [60, 30], [41, 50], [5, 70]]], np.float32)
MIRROR = {
    "flipped": ([lambda: A.HorizontalFlip(p=1)], True),
    "upside down": ([lambda: A.VerticalFlip(p=1)], True),
    "transposed": ([lambda: A.Transpose(p=1)], True),
    "flipped twice": ([lambda: A.HorizontalFlip(p=1)] * 2, False),
    "turned by half": ([lambda: A.HorizontalFlip(p=1), lambda: A.VerticalFlip(p=1)], False),
    "turned by a quarter": ([lambda: A.Transpose(p=1), lambda: A.HorizontalFlip(p=1)], False),
    "three flips": (
        [lambda: A.HorizontalFlip(p=1), lambda: A.VerticalFlip(p=1), lambda: A.Transpose(p=1)],
        True,
    ),
    "turned a little": ([lambda: A.Rotate((35, 35), p=1)], False),
    "turned a little, reflecting": (
        [lambda: A.Rotate((35, 35), border_mode=REFLECT, p=1)],
        False,
    ),
    "tilted": ([lambda: A.Perspective(p=1)], False),
    "flipped and tilted": ([lambda: A.HorizontalFlip(p=1), lambda: A.Perspective(p=1)], True),
    "nothing": ([], False),
}


@pytest.mark.parametrize("name", MIRROR)
def test_pairs_change_places_when_mirrored(name: str) -> None:
    """The same places as without pairs, with 0 and 1 swapped or not."""
    steps, mirrored = MIRROR[name]
    marks = Marks(0, count=1)
    marks.extents[:] = marks.sizes[:] = (90, 80)
    found = []
    for pairs in ((), ((0, 1),)):
        loader = marks.loader(Points(EYES, pairs=pairs))
        _, points, _ = together(loader.varied([0], (64, 64), pipeline(*steps), (5,)))
        found.append(points[0])
    order = [1, 0, 2, 3] if mirrored else [0, 1, 2, 3]
    np.testing.assert_array_equal(found[1], found[0][order])
    assert not np.array_equal(found[0][0], found[0][1])


def test_the_left_eye_stays_on_the_left_of_a_flipped_face() -> None:
    marks = Marks(0, count=1)
    marks.extents[:] = marks.sizes[:] = (90, 80)
    loader = marks.loader(Points(EYES, pairs=((0, 1),)))
    flip = pipeline(lambda: A.HorizontalFlip(p=1))
    _, points, _ = together(loader.varied([0], (90, 80), flip, (5,)))
    wanted = [[79 - 60, 30], [79 - 20, 30], [79 - 41, 50], [79 - 5, 70]]
    np.testing.assert_allclose(in_pixels(points[0], (90, 80)), wanted, atol=1e-3)


@pytest.mark.parametrize("name", [*PIPELINES, "fixed"])
def test_unknown_points_stay_unknown(name: str) -> None:
    marks = Marks(2)
    xy = np.repeat(marks.middle[:, None], 4, axis=1)
    xy[0, 1], xy[1], xy[2, 2, 0], xy[2, 2, 1] = np.nan, np.nan, np.nan, np.nan
    loader = marks.loader(Points(xy))
    if name == "fixed":
        _, points, order = together(loader.fixed(range(6), (64, 48)))
    else:
        _, points, order = together(loader.varied(range(6), (64, 48), PIPELINES[name], (1,)))
    np.testing.assert_array_equal(np.isnan(points), np.isnan(xy[order]))


def test_an_unknown_point_of_a_pair_changes_places_too() -> None:
    marks = Marks(0, count=1)
    xy = np.array([[[np.nan, np.nan], [20, 20]]], np.float32)
    loader = marks.loader(Points(xy, pairs=((0, 1),)))
    flip = pipeline(lambda: A.HorizontalFlip(p=1))
    _, points, _ = together(loader.varied([0], (32, 32), flip, (1,)))
    assert np.isnan(points[0]).tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("fixed", [True, False])
def test_points_outside_the_frame_are_kept(fixed: bool) -> None:
    marks = Marks(0, count=1)
    marks.extents[:] = marks.sizes[:] = (60, 90)
    xy = np.array([[[-20, 30], [44.5, 29.5], [120, -40], [2, 2]]], np.float32)
    loader = marks.loader(Points(xy))
    middle = pipeline(last=A.CenterCrop)
    batches = loader.fixed([0], (60, 60)) if fixed else loader.varied([0], (60, 60), middle, (1,))
    _, points, _ = together(batches)
    wanted = xy[0] - [15, 0]  # the middle 60 of 90 columns
    np.testing.assert_allclose(in_pixels(points[0], (60, 60)), wanted, atol=1e-3)
    assert (np.abs(points[0]) > 1).any(axis=1).tolist() == [True, False, True, True]


def test_an_augmentation_that_drops_points() -> None:
    class Drops(A.DualTransform):  # type: ignore[misc, name-defined]
        _targets = A.Resize._targets

        def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:
            return img

        def apply_to_keypoints(self, keypoints: np.ndarray, **params: Any) -> np.ndarray:
            return keypoints[1:]

    loader = Marks(0).loader(Marks(0).points())
    with pytest.raises(PluginError, match=r"1 points became 0"):
        list(loader.varied(range(6), (64, 64), pipeline(lambda: Drops(p=1)), (1,)))


def test_a_mask_of_another_size_than_its_picture() -> None:
    marks = Marks(0, shrink=1.5)
    height, width = marks.sizes[3]
    marks.masks[3] = marks.masks[3][:, :-1]
    loader = marks.loader(marks.drawn(name=lambda row: f"masks/{row}.png"))
    with pytest.raises(LabelError, match=r"masks/3\.png has another size") as caught:
        list(loader.fixed(range(6), (32, 32)))
    assert f"{width - 1}x{height} pixels, the picture {width}x{height}" in str(caught.value)
    marks.masks[3] = np.zeros((height, width, 3), np.uint8)
    with pytest.raises(LabelError, match=r"masks/3\.png"):
        list(loader.fixed(range(6), (32, 32)))


def test_a_mask_is_read_once_while_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks(0)
    for limit, times in ((targets.KEPT, 1), (0, 3)):
        read: list[int] = []

        def look(row: int, read: list[int] = read) -> np.ndarray:
            read.append(row)
            return marks.masks[row]

        monkeypatch.setattr(targets, "KEPT", limit)
        loader = marks.loader(Masks(6, look))
        for _ in range(3):
            list(loader.fixed(range(6), (32, 32)))
        assert sorted(read) == sorted([*range(6)] * times)


def test_bound_rows_are_those_of_the_table() -> None:
    marks = Marks(0)
    rows = np.array([3, -1, 0])
    sizes, extents = marks.sizes[[3, 1, 0]], marks.extents[[3, 1, 0]]
    masks = marks.drawn().bind(rows, sizes, extents)
    assert len(masks) == 3
    np.testing.assert_array_equal(masks.read(0), marks.masks[3])
    points = marks.points().bind(rows, sizes, extents)
    assert len(points) == 3
    np.testing.assert_allclose(points.xy[[0, 2], 0], marks.middle[[3, 0]], rtol=1e-5)
    assert np.isnan(points.xy[1]).all()
    fixed = Fixed(np.array([5, 6, 7, 8])).bind(rows, sizes, extents)
    assert fixed.values.tolist() == [8, 0, 5]
    several = Fixed(np.ones((4, 2), np.float32)).bind(rows, sizes, extents)
    assert several.values.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert several.values.dtype == np.float32


def test_points_of_a_broken_picture_do_no_harm() -> None:
    marks = Marks(0)
    marks.sizes[2] = 0  # as the cache says of what it could not read
    bound = marks.points().bind(np.arange(6), marks.sizes, marks.extents)
    assert np.isfinite(bound.xy).all()


@pytest.mark.parametrize("augmentation", [Standard(), Nothing()])
def test_weights_draw_rows_as_often_as_they_say(augmentation: Any) -> None:
    marks = Marks(0, count=5)
    rows = np.array([1, 2, 4])
    weights = np.array([1.0, 3.0, 0.5])
    loader = marks.loader(Fixed(np.arange(5)))
    counts = np.zeros(5)
    epochs = 400
    for epoch in range(epochs):
        _, values, drawn = together(
            loader.varied(rows, (8, 8), augmentation, (1, epoch), weights=weights)
        )
        assert len(drawn) == 3
        assert values.tolist() == drawn.tolist()
        counts += np.bincount(drawn, minlength=5)
    assert counts[[0, 3]].tolist() == [0, 0]
    expected = weights / weights.sum() * 3 * epochs
    assert stats.chisquare(counts[rows], expected).pvalue > 1e-3
    # Not so for other weights.
    assert stats.chisquare(counts[rows], np.full(3, 400)).pvalue < 1e-9


def test_a_row_that_is_drawn_twice_is_varied_twice() -> None:
    loader = Marks(0).loader()
    weights = np.array([1.0, *[1e-9] * 5])
    pictures, _, rows = together(
        loader.varied(range(6), (32, 32), Standard(), (1, 1), weights=weights)
    )
    assert rows.tolist() == [0] * 6
    assert len({picture.tobytes() for picture in pictures}) == 6
    again, _, _ = together(loader.varied(range(6), (32, 32), Standard(), (1, 1), weights=weights))
    np.testing.assert_array_equal(pictures, again)
