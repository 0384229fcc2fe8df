"""The standard augmentation and its presets, and pipelines of albumentations."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from kitbox.data import warp
from kitbox.data.augment import (
    Albumentations,
    Document,
    Heavy,
    Light,
    Nothing,
    Satellite,
    Standard,
)
from kitbox.data.pipelines import albumentations

STILL: dict[str, Any] = {
    "area": (1.0, 1.0),
    "stretch": 1.0,
    "flip": 0.0,
    "flip_vertical": 0.0,
    "rotate": 0.0,
    "light": 0.0,
}
"""Options that leave a picture of the right shape as it is."""


def pipeline(augmentation: Standard, size: tuple[int, int], seed: int = 0) -> Any:
    """Varies a picture as the batches do, differently each time."""
    draw = augmentation.transforms(*size, cv2.INTER_LINEAR)
    rng = np.random.default_rng(seed)

    def run(image: np.ndarray) -> dict[str, np.ndarray]:
        shape = image.shape[0], image.shape[1]
        return {"image": warp.apply(image, draw(rng, shape), size)}

    return run


def picture(height: int = 48, width: int = 64, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(height * width)
    return rng.integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("size", [(32, 32), (24, 40), (40, 24), (96, 96)])
@pytest.mark.parametrize("shape", [(48, 64), (1, 1), (2, 50), (50, 2), (7, 7)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_size_and_type(size: tuple[int, int], shape: tuple[int, int], channels: int) -> None:
    run = pipeline(Standard(rotate_share=1.0, flip_vertical=0.5), size)
    for _ in range(3):
        got = run(image=picture(*shape, channels))["image"]
        assert got.shape == (*size, channels)
        assert got.dtype == np.uint8


def test_still_options_change_nothing() -> None:
    original = picture(32, 32)
    assert np.array_equal(pipeline(Standard(**STILL), (32, 32))(image=original)["image"], original)


@pytest.mark.parametrize("name", ["flip", "flip_vertical"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_flips_come_at_the_given_share(name: str, share: float) -> None:
    original = picture(8, 8)
    flipped = original[:, ::-1] if name == "flip" else original[::-1]
    run = pipeline(Standard(**{**STILL, name: share}), (8, 8))
    count = 0
    for _ in range(400):
        got = run(image=original)["image"]
        count += np.array_equal(got, flipped)
        assert np.array_equal(got, flipped) or np.array_equal(got, original)
    assert abs(count / 400 - share) <= (0.1 if 0 < share < 1 else 0)


def test_crops_keep_the_given_area() -> None:
    """The picture's two ramps tell how much of its height and width is left."""
    y, x = np.mgrid[0:200, 0:200]
    ramps = np.stack([y, x, y], axis=-1).astype(np.uint8)
    run = pipeline(Standard(**{**STILL, "area": (0.25, 0.5), "stretch": 1.5}), (64, 64))
    areas, ratios = [], []
    for _ in range(100):
        got = run(image=ramps)["image"].astype(int)
        height, width = np.ptp(got[..., 0]) + 1, np.ptp(got[..., 1]) + 1
        areas.append(height * width / 200**2)
        ratios.append(width / height)
    assert min(areas) > 0.22
    assert max(areas) < 0.53
    assert max(areas) - min(areas) > 0.15
    assert min(ratios) > 0.93 / 1.5
    assert max(ratios) < 1.07 * 1.5
    assert max(ratios) > 1.2
    assert min(ratios) < 0.8


def test_crops_of_a_rectangle_are_not_stretched() -> None:
    """With stretch 1 a crop has the aspect ratio of the size, so circles stay circles."""
    y, x = np.mgrid[0:120, 0:240]
    ramps = np.stack([y, x, y], axis=-1).astype(np.uint8)
    run = pipeline(Standard(**{**STILL, "area": (0.3, 0.5)}), (30, 60))
    for _ in range(20):
        got = run(image=ramps)["image"].astype(int)
        assert (np.ptp(got[..., 1]) + 1) / (np.ptp(got[..., 0]) + 1) == pytest.approx(2, rel=0.1)


def test_rotation_stays_within_its_degrees() -> None:
    line = np.zeros((101, 101, 1), np.uint8)
    line[50, :] = 255
    run = pipeline(Standard(**{**STILL, "rotate": 20.0, "rotate_share": 1.0}), (101, 101))
    angles = []
    for _ in range(60):
        got = run(image=line)["image"][..., 0]
        rows, columns = np.nonzero(got[:, 20:81] > 100)
        angles.append(np.degrees(np.arctan(np.polyfit(columns, rows, 1)[0])))
    assert max(np.abs(angles)) < 21
    assert max(angles) > 8
    assert min(angles) < -8


def test_light_stays_within_its_range() -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)
    run = pipeline(Standard(**{**STILL, "light": 0.2}), (8, 8))
    means = [run(image=grey)["image"].mean() for _ in range(200)]
    assert max(means) < 128 + 2 * 0.2 * 255
    assert min(means) > 128 - 2 * 0.2 * 255
    assert np.std(means) > 10
    assert 20 < sum(mean == 128 for mean in means) < 90  # a quarter stays as it is


def test_a_seed_repeats_and_another_differs() -> None:
    original = picture()
    results = []
    for seed in (1, 1, 2):
        run = pipeline(Standard(), (32, 32), seed)
        results.append(np.stack([run(image=original)["image"] for _ in range(5)]))
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert not np.array_equal(results[0][0], results[0][1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"area": (0.9, 0.5)}, "smaller share first"),
        ({"area": (0.0, 0.5)}, "greater than 0"),
        ({"area": (0.5, 1.5)}, "less than or equal to 1"),
        ({"stretch": 0.5}, "greater than or equal to 1"),
        ({"flip": 1.5}, "less than or equal to 1"),
        ({"flip_vertical": -0.1}, "greater than or equal to 0"),
        ({"rotate": 181}, "less than or equal to 180"),
        ({"light": -1}, "greater than or equal to 0"),
        ({"zoom": 0.5}, "greater than or equal to 1"),
        ({"tilt": 1}, "Extra inputs"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Standard(**options)


def test_nothing_is_an_empty_list() -> None:
    assert Nothing().transforms(32, 32, cv2.INTER_LINEAR) == []


def test_a_plugin_module_is_light_and_asks_no_network() -> None:
    code = (
        "import sys, os, kitbox.data.augment, kitbox.data.pipelines as pipelines\n"
        "print(bool({'albumentations', 'cv2', 'torch'} & set(sys.modules)))\n"
        "pipelines.albumentations(); print(os.environ['NO_ALBUMENTATIONS_UPDATE'])\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "NO_ALBUMENTATIONS_UPDATE"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == ["False", "1"]


def corners(augmentation: Standard, count: int = 300) -> np.ndarray:
    """Where the frame's corners lie in the picture, for many draws: (count, 4, 2)."""
    draw = augmentation.transforms(64, 64, cv2.INTER_LINEAR)
    frame = np.array([[0, 0, 1], [63, 0, 1], [63, 63, 1], [0, 63, 1]])
    drawn = [frame @ draw(np.random.default_rng(n), (64, 64)).matrix.T for n in range(count)]
    return np.stack([there[:, :2] / there[:, 2:] for there in drawn])


def test_presets() -> None:
    def mirrored(augmentation: Standard) -> float:
        draw = augmentation.transforms(64, 64, cv2.INTER_LINEAR)
        drawn = [draw(np.random.default_rng(n), (64, 64)).matrix for n in range(300)]
        return float(np.mean([warp.mirrors(matrix) for matrix in drawn]))

    def side(augmentation: Standard) -> float:
        there = corners(augmentation)
        return float(np.hypot(*(there[:, 1] - there[:, 0]).T).mean())

    assert mirrored(Document()) == 0
    assert mirrored(Standard()) == pytest.approx(0.5, abs=0.1)
    up = corners(Satellite())
    upright = up[:, 3, 1] > up[:, 0, 1]
    assert upright.mean() == pytest.approx(0.5, abs=0.1)
    assert (corners(Standard())[:, 3, 1] > corners(Standard())[:, 0, 1]).all()
    assert side(Heavy()) < side(Standard()) < side(Light()) < side(Document()) + 2


def test_zoom_and_tilt() -> None:
    whole = corners(Standard(**STILL))
    assert whole == pytest.approx(
        np.broadcast_to([[0, 0], [63, 0], [63, 63], [0, 63]], (300, 4, 2))
    )
    closer = corners(Standard(**{**STILL, "zoom": 2.0}))
    sides = closer[:, 1, 0] - closer[:, 0, 0]
    assert 63 / 2 <= sides.min() < 40
    assert 58 < sides.max() <= 63
    tilted = corners(Standard(**{**STILL, "warp": 0.3}))
    top = np.hypot(*(tilted[:, 1] - tilted[:, 0]).T)
    bottom = np.hypot(*(tilted[:, 2] - tilted[:, 3]).T)
    assert (top / bottom).max() > 1.2
    assert (top / bottom).min() < 1 / 1.2


def test_albumentations_by_name() -> None:
    steps = ["HorizontalFlip", {"RandomCrop": {"height": 20, "width": 20}}, {"Blur": {"p": 1}}]
    made = Albumentations(steps=steps).transforms(32, 24, cv2.INTER_LINEAR)
    run = albumentations().Compose(made, seed=1)
    assert run(image=picture())["image"].shape == (32, 24, 3)
    assert [type(one).__name__ for one in made] == [
        *("HorizontalFlip", "RandomCrop", "Blur", "Resize"),
    ]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("HorizontalFlop", "Did you mean 'HorizontalFlip'"),
        ("Compose", "no transform 'Compose'"),
        ({"Blur": {}, "HorizontalFlip": {}}, "expected one transform a step"),
        ({"Blur": {"blur_limit": "wide"}}, "Blur refuses its options"),
        ({"Blur": {"strength": 3}}, "Blur refuses its options"),
        ({"RandomCrop": {}}, "RandomCrop refuses its options"),
    ],
)
def test_albumentations_that_there_are_not(step: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Albumentations(steps=[step])
