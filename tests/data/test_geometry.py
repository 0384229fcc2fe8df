"""Framing and scaling, on pictures whose every pixel is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from kitbox.data.geometry import Fit, frame, interpolation, scale


def numbered(height: int, width: int, channels: int = 3) -> np.ndarray:
    """A picture whose first two channels are the pixel's row and column."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [y, x, y + x, y * 0 + 255][:channels]
    return np.stack(planes, axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((40, 60), (32, 32), (slice(0, 40), slice(10, 50))),
        ((60, 40), (32, 32), (slice(10, 50), slice(0, 40))),
        ((40, 60), (10, 20), (slice(5, 35), slice(0, 60))),
        ((40, 40), (20, 40), (slice(10, 30), slice(0, 40))),
        ((40, 60), (80, 120), (slice(0, 40), slice(0, 60))),
    ],
)
def test_crop_keeps_the_middle(
    shape: tuple[int, int], size: tuple[int, int], expected: tuple[slice, slice]
) -> None:
    picture = numbered(*shape)
    assert np.array_equal(frame(picture, size, "crop"), picture[expected])


def test_squash_keeps_everything() -> None:
    picture = numbered(40, 60)
    assert np.array_equal(frame(picture, (32, 32), "squash"), picture)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("shape", "size", "padded", "at"),
    [
        ((40, 60), (32, 32), (60, 60), (10, 0)),
        ((60, 40), (32, 32), (60, 60), (0, 10)),
        ((40, 60), (10, 40), (40, 160), (0, 50)),
        ((40, 61), (32, 32), (61, 61), (10, 0)),
    ],
)
def test_pad_adds_black_at_both_ends(
    shape: tuple[int, int],
    size: tuple[int, int],
    padded: tuple[int, int],
    at: tuple[int, int],
    channels: int,
) -> None:
    picture = numbered(*shape, channels)
    wanted = np.zeros((*padded, channels), np.uint8)
    wanted[at[0] : at[0] + shape[0], at[1] : at[1] + shape[1]] = picture
    assert np.array_equal(frame(picture, size, "pad"), wanted)


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(32, 32), (48, 16), (16, 48), (31, 17), (1, 1), (300, 2)])
@pytest.mark.parametrize("shape", [(40, 60), (1, 500), (500, 1), (1, 1), (33, 33)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_size_is_exact(
    shape: tuple[int, int], size: tuple[int, int], fit: Fit, channels: int
) -> None:
    picture = np.full((*shape, channels), 77, np.uint8)
    framed = frame(picture, size, fit)
    if fit != "squash":  # as near to the aspect ratio as whole pixels come
        assert (framed.shape[0] - 1) * size[1] <= (framed.shape[1] + 1) * size[0]
        assert (framed.shape[1] - 1) * size[0] <= (framed.shape[0] + 1) * size[1]
    got = scale(framed, size, cv2.INTER_CUBIC)
    assert got.shape == (*size, channels)
    assert got.dtype == np.uint8
    if fit != "pad":
        assert (got == 77).all()


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("shape", [(51, 81), (81, 51), (51, 51)])
@pytest.mark.parametrize("size", [(32, 32), (32, 16), (16, 32), (64, 96)])
def test_the_centre_stays_the_centre(
    shape: tuple[int, int], size: tuple[int, int], fit: Fit
) -> None:
    picture = np.zeros((*shape, 1), np.uint8)
    picture[shape[0] // 2 - 3 : shape[0] // 2 + 4, shape[1] // 2 - 3 : shape[1] // 2 + 4] = 255
    got = scale(frame(picture, size, fit), size, cv2.INTER_LINEAR)[..., 0].astype(float)
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    assert abs((got * y).sum() / got.sum() - (size[0] - 1) / 2) < 1
    assert abs((got * x).sum() / got.sum() - (size[1] - 1) / 2) < 1


def test_shrinking_is_by_area() -> None:
    """No pixel is overlooked: every one of 4x4 counts in the mean."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    got = scale(picture, (16, 8), cv2.INTER_NEAREST)
    wanted = picture.reshape(16, 4, 8, 4, 3).mean(axis=(1, 3))
    assert np.abs(got - wanted).max() <= 0.51


@pytest.mark.parametrize(
    ("name", "pillow"),
    [
        ("nearest", Image.Resampling.NEAREST),
        ("bilinear", Image.Resampling.BILINEAR),
        ("bicubic", Image.Resampling.BICUBIC),
    ],
)
def test_enlarging_uses_the_interpolation(name: str, pillow: Image.Resampling) -> None:
    picture = numbered(9, 7) * 20
    got = scale(picture, (18, 14), interpolation(name)).astype(int)
    wanted = np.asarray(Image.fromarray(picture).resize((14, 18), pillow)).astype(int)
    assert np.abs(got - wanted).mean() < 2.5  # their cubic kernels differ a little


def test_names_of_interpolations() -> None:
    kinds = [interpolation(name) for name in ("nearest", "bilinear", "bicubic", "lanczos")]
    assert len(set(kinds)) == 4
    assert interpolation("random") == interpolation("bilinear")  # timm has names OpenCV has not


def test_the_same_size_is_left_alone() -> None:
    picture = numbered(32, 16)
    assert scale(picture, (32, 16), cv2.INTER_CUBIC) is picture
