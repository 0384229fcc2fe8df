"""Pictures for people."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from kitbox.results import pictures
from results import finished

RED, BLUE = (255, 0, 0), (0, 0, 255)


def plain(colour: tuple[int, int, int], height: int = 8, width: int = 8) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def test_the_batch_of_a_run_opens_and_shows_something() -> None:
    with Image.open(finished() / "batch.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert len(picture.getcolors(1 << 24) or []) > 10
        assert picture.width > 4 * 160


def test_a_grid_keeps_places_and_shape() -> None:
    sheet = pictures.grid([plain(RED), plain(BLUE), plain(RED)], ["a", "b", "c"], columns=2)
    assert sheet.getpixel((80, 80)) == RED
    assert sheet.getpixel((6 + 160 + 6 + 80, 80)) == BLUE
    assert sheet.getpixel((80, 6 + 160 + 18 + 6 + 80)) == RED
    wide = pictures.grid([plain(RED, 4, 8)], ["a"])
    assert wide.size == (160 + 12, 80 + 18 + 12)


def test_a_long_caption_is_cut_to_its_picture() -> None:
    short = np.asarray(pictures.grid([plain(RED)] * 2, ["", ""]))
    long = np.asarray(pictures.grid([plain(RED)] * 2, ["word " * 50, ""]))
    changed = np.flatnonzero((short != long).any(axis=(0, 2)))
    assert changed.size
    assert changed.max() <= 6 + 160


def test_png_is_lossless() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    with Image.open(io.BytesIO(pictures.png(Image.fromarray(noise)))) as picture:
        assert (np.asarray(picture) == noise).all()
