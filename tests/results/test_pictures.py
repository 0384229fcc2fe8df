"""Pictures for people."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from kitbox.data.mixing import Mix
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


@pytest.mark.parametrize("caption", ["word " * 50, "letters" * 30, "two words, " + "long" * 30])
def test_a_long_caption_takes_three_lines_at_most_and_stays_below_its_picture(
    caption: str,
) -> None:
    sheet = np.asarray(pictures.grid([plain(RED)] * 2, [caption, ""]))
    assert sheet.shape[0] <= 6 + 160 + 3 * 16 + 2 + 6
    below = (sheet[6 + 160 :] < 128).all(axis=2)
    inked = np.flatnonzero(below.any(axis=0))
    assert inked.size
    assert inked.max() <= 6 + 160
    lines = np.flatnonzero(below.any(axis=1))
    assert (lines.max() > 32) == (caption.startswith("word"))


def test_png_is_lossless() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    with Image.open(io.BytesIO(pictures.png(Image.fromarray(noise)))) as picture:
        assert (np.asarray(picture) == noise).all()


class Drawn:
    """A task whose targets are their captions, and that keeps the pictures it draws."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def draw(self, picture: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, str]:
        self.seen.append(picture)
        return picture, f"n{target}"


def test_mixed_pictures_are_shown_mixed_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    captions: list[str] = []
    real = pictures.grid
    monkeypatch.setattr(
        pictures, "grid", lambda shown, told, **more: captions.extend(told) or real(shown, told)
    )
    loader = SimpleNamespace(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    images = torch.arange(6).view(6, 1, 1, 1).expand(6, 3, 8, 8) * 0.1
    mix, seed = Mix(mixup=5.0, share=0.01), (3,)
    task = Drawn()
    pictures.batch(loader, task, images, torch.arange(6), mix, seed)
    for start, stop in ((0, 4), (4, 6)):  # a row of the sheet each
        for at in range(start, stop):
            other = start + stop - 1 - at
            share = float(captions[at].split()[0])
            assert 0 < share < 1
            assert captions[at] == f"{share:g} n{at} + {1 - share:.2g} n{other}"
            value = (share * at + (1 - share) * other) * 25.5
            assert np.abs(task.seen[at] - value).max() <= 1.5
    captions.clear()
    pictures.batch(loader, Drawn(), images, torch.arange(6))
    assert captions == [f"n{n}" for n in range(6)]
