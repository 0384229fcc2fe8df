"""Warps: exact places, and the same on a CPU as in a batch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from kitbox.data import warp
from kitbox.data.augment import Document, Heavy, Light, Satellite, Standard
from kitbox.data.warp import Warp

SIDE = 72


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture (h, w, 3) without sharp edges, so that rounding of places matters little."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 235, (6, 6, 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def drawn(augmentation: Standard, count: int, shape: tuple[int, int], size: tuple[int, int]):
    draw = augmentation.transforms(*size, cv2.INTER_LINEAR)
    return [draw(np.random.default_rng(n), shape) for n in range(count)]


def test_nothing_changes_nothing() -> None:
    picture = smooth(20, 30)
    assert np.array_equal(warp.apply(picture, Warp(np.eye(3)), (20, 30)), picture)
    assert np.array_equal(
        warp.apply_nearest(picture[..., 0], np.eye(3), (20, 30), fill=None), picture[..., 0]
    )


def test_scaling_keeps_the_outer_edges() -> None:
    matrix = warp.scaling(3, 2)
    for x, y in ((-0.5, -0.5), (9.5, 4.5)):
        there = matrix @ (x, y, 1)
        assert there == pytest.approx(((x + 0.5) * 3 - 0.5, (y + 0.5) * 2 - 0.5, 1))


def test_a_shift_and_a_mirror_are_exact() -> None:
    picture = smooth(12, 16)
    moved = warp.apply(picture, Warp(warp.shifting(3, 2)), (10, 13))
    assert np.array_equal(moved, picture[2:12, 3:16])
    mirror = np.array([[-1, 0, 15], [0, 1, 0], [0, 0, 1.0]])
    assert np.array_equal(warp.apply(picture, Warp(mirror), (12, 16)), picture[:, ::-1])
    assert warp.mirrors(mirror)
    assert not warp.mirrors(warp.shifting(3, 2))


def test_beyond_the_edge_is_the_picture_mirrored_or_black() -> None:
    picture = smooth(6, 8)
    wide = warp.apply(picture, Warp(warp.shifting(-8, -6)), (18, 24))
    assert np.array_equal(wide[6:12, 8:16], picture)
    assert np.array_equal(wide[6:12, :8], picture[:, ::-1])
    assert np.array_equal(wide[12:, 16:], picture[::-1, ::-1])
    black = warp.apply(picture, Warp(warp.shifting(-8, -6)), (18, 24), reflect=False)
    assert np.array_equal(black[6:12, 8:16], picture)
    assert black.sum() == picture.sum()


def test_light_is_one_multiply_add_cut_off_at_both_ends() -> None:
    picture = np.array([[[0, 100, 255]]], np.uint8)
    varied = warp.apply(picture, Warp(np.eye(3), 1.5, -30), (1, 1))
    assert varied.tolist() == [[[0, 120, 255]]]


@pytest.mark.parametrize("kind", [Standard, Light, Heavy, Satellite, Document])
@pytest.mark.parametrize("reflect", [True, False])
@pytest.mark.parametrize("size", [(40, 40), (32, 56)])
def test_a_batch_is_as_its_pictures_one_by_one(
    kind: type[Standard], reflect: bool, size: tuple[int, int]
) -> None:
    """The same numbers give the same pictures, up to the rounding of bytes and places."""
    shapes = [(SIDE, 50), (33, SIDE), (60, 61), (SIDE, SIDE)]
    canvas = np.zeros((len(shapes), SIDE, SIDE, 3), np.uint8)
    for n, (height, width) in enumerate(shapes):
        canvas[n, :height, :width] = smooth(height, width, n)
    for tried in range(5):
        warps = [
            drawn(kind(), 4 * tried + n + 1, shape, size)[-1] for n, shape in enumerate(shapes)
        ]
        batch = warp.apply_to_batch(
            torch.from_numpy(canvas), torch.tensor(shapes), warps, size, reflect=reflect
        )
        assert batch.shape == (len(shapes), 3, *size)
        for n, (height, width) in enumerate(shapes):
            one = warp.apply(canvas[n, :height, :width], warps[n], size, reflect=reflect)
            away = np.abs(batch[n].permute(1, 2, 0).numpy() - one)
            assert away.mean() < 1.0
            assert np.quantile(away, 0.99) < 8  # at the fold of a mirrored edge


def test_statistics_are_the_same_on_both() -> None:
    """Over many draws of the default: mean, spread and each pixel's mean."""
    count, size = 400, (48, 48)
    picture = smooth(64, 64, 5)
    warps = drawn(Standard(), count, (64, 64), size)
    one = np.stack([warp.apply(picture, each, size) for each in warps]).astype(np.float32)
    canvas = torch.from_numpy(picture).expand(count, -1, -1, -1)
    batch = warp.apply_to_batch(canvas, torch.full((count, 2), 64), warps, size)
    other = batch.permute(0, 2, 3, 1).numpy()
    assert other.mean() == pytest.approx(one.mean(), abs=0.2)
    assert other.std() == pytest.approx(one.std(), abs=0.2)
    assert np.abs(other.mean(axis=0) - one.mean(axis=0)).max() < 0.5


@pytest.mark.parametrize("kind", [Standard, Heavy, Satellite, Document])
@pytest.mark.parametrize("seed", range(8))
def test_mark_mask_and_point_stay_together(kind: type[Standard], seed: int) -> None:
    """A drawn mark, its mask and its middle, through the same matrix."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(60, 90, 2)
    x, y = rng.uniform(25, [width - 25, height - 25])
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    mask = (np.hypot(across - x, down - y) <= 6).astype(np.uint8)
    size = (80, 70)
    matrix = drawn(kind(), seed + 1, (int(height), int(width)), size)[-1].matrix
    seen = warp.apply(mask[..., None] * np.uint8(255), Warp(matrix), size)[..., 0]
    moved = warp.apply_nearest(mask, matrix, size, fill=0)
    point = warp.apply_to_points(np.array([[x, y]]), matrix)[0]
    edge = np.concatenate([moved[0], moved[-1], moved[:, 0], moved[:, -1]])
    if not moved.any() or edge.any() or cv2.connectedComponents(moved)[0] != 2:
        return  # cut off by the frame, or seen twice in a mirrored edge
    assert np.mean((seen > 127) != (moved > 0)) < 0.01
    rows, columns = np.nonzero(moved)
    larger = max(1, np.sqrt(moved.sum() / mask.sum()))
    assert (columns.mean(), rows.mean()) == pytest.approx(tuple(point), abs=0.6 * larger)


def test_points_far_outside_keep_their_place() -> None:
    matrix = warp.shifting(5, -3) @ warp.scaling(2, 2)
    points = np.array([[-100.0, 200.0], [0.0, 0.0], [np.nan, 1.0]])
    there = warp.apply_to_points(points, matrix)
    back = np.concatenate([there, np.ones((3, 1))], axis=1) @ matrix.T
    assert back[:2, :2] == pytest.approx(points[:2])
    assert np.isnan(there[2, 0])
