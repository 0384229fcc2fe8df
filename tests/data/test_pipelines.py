"""Pipelines of albumentations: masks and points keep their place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from kitbox.data.pipelines import albumentations, compose
from kitbox.errors import PluginError

A = albumentations()
POINTS = {"keypoint_params": A.KeypointParams(format="xy", remove_invisible=False)}


def test_points_are_moved_once_where_a_border_reflects() -> None:
    A = albumentations()  # noqa: N806
    points = np.array([[3, 4], [10, 20]], np.float32)

    def move(border: int, single: bool, nested: bool) -> np.ndarray:
        step = A.Affine(rotate=(20, 20), translate_px=(5, 5), border_mode=border, p=1)
        steps = [A.OneOf([A.Sequential([step])], p=1)] if nested else [step]
        options = {"keypoint_params": A.KeypointParams(format="xy", remove_invisible=False)}
        run = compose(steps, options) if single else A.Compose(steps, **options)
        run.set_random_seed(1)
        return np.asarray(run(image=np.zeros((40, 50, 3), np.uint8), keypoints=points)["keypoints"])

    for nested in (False, True):
        plain = move(cv2.BORDER_CONSTANT, False, nested)
        assert len(move(cv2.BORDER_REFLECT_101, False, nested)) > 2  # what is mended
        for border in (cv2.BORDER_REFLECT_101, cv2.BORDER_REFLECT, cv2.BORDER_CONSTANT):
            np.testing.assert_allclose(move(border, True, nested), plain, atol=1e-4)


def test_pictures_are_reflected_all_the_same() -> None:
    A = albumentations()  # noqa: N806
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    found = []
    for single in (True, False):
        step = A.Rotate((20, 20), border_mode=cv2.BORDER_REFLECT_101, p=1)
        options = {"keypoint_params": A.KeypointParams(format="xy")}
        run = compose([step], options) if single else A.Compose([step], **options)
        run.set_random_seed(1)
        found.append(run(image=picture, keypoints=[[1, 2]])["image"])
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    "step",
    [
        A.Resize(100, 90),
        A.LongestMaxSize(90),
        A.SmallestMaxSize(90),
        A.RandomResizedCrop((64, 64), scale=(0.9, 1.0)),
        A.RandomSizedCrop((40, 44), (64, 64)),
    ],
    ids=lambda step: type(step).__name__,
)
def test_scaling_moves_picture_mask_and_point_alike(step: object) -> None:
    """No half pixel is lost, neither by the mask nor by the point; on average, by sign."""
    off = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, y = rng.uniform(22, 26, 2)
        across, down = np.meshgrid(np.arange(48), np.arange(48))
        away = np.hypot(across - x, down - y)
        picture = (np.clip(8.5 - away, 0, 1) * 255).astype(np.uint8)[..., None]
        run = compose([step], POINTS)  # the same transform again and again
        run.set_random_seed(seed)
        moved = run(image=picture, mask=(away <= 8).astype(np.uint8), keypoints=[[x, y]])
        seen = np.indices(moved["mask"].shape)[::-1].reshape(2, -1)
        bright = moved["image"].reshape(-1) / 255
        middle = (seen * bright).sum(axis=1) / bright.sum()
        drawn = seen[:, moved["mask"].reshape(-1) == 1].mean(axis=1)
        off.append([drawn - middle, np.asarray(moved["keypoints"])[0, :2] - middle])
    assert np.abs(np.mean(off, axis=0)).max() < 0.06


@pytest.mark.parametrize("name", ["ElasticTransform", "GridDistortion", "OpticalDistortion"])
def test_distortions_keep_every_point(name: str) -> None:
    points = np.array([[10, 10], [30, 20], [-5, 60], [40, 40]], np.float32)
    run = compose([getattr(A, name)(p=1)], POINTS)
    run.set_random_seed(0)
    moved = np.asarray(run(image=np.zeros((50, 50, 3), np.uint8), keypoints=points)["keypoints"])
    assert moved.shape == points.shape
    assert np.abs(moved - points).max() <= 12


def test_a_transform_that_misplaces_points_is_refused() -> None:
    with pytest.raises(PluginError, match="ThinPlateSpline does not keep points"):
        compose([A.OneOf([A.ThinPlateSpline(p=1)], p=1)], POINTS)
    compose([A.ThinPlateSpline(p=1)], {})


def test_an_added_border_of_a_mask_is_not_counted() -> None:
    run = compose([A.Rotate((40, 40), border_mode=cv2.BORDER_CONSTANT, p=1)], {}, fill=255)
    moved = run(image=np.zeros((50, 50, 3), np.uint8), mask=np.ones((50, 50), np.uint8))["mask"]
    assert set(np.unique(moved)) == {1, 255}
