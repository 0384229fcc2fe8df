"""Looking at masks before training: what is wrong with them, what they show."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kitbox.data.targets import Masks
from kitbox.errors import LabelError
from kitbox.tasks import mask_looks
from kitbox.tasks.codes import VOID

COUNT = 300


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """So many pictures, all one file."""
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "a.png")
    return ["a.png"] * COUNT


def mask(number: int) -> np.ndarray:
    """Class 1 in the first column of every third mask, void in the second, else class 0."""
    made = np.zeros((4, 6), np.uint8)
    made[:, 1] = VOID
    made[:, 0] = number % 3 == 0
    return made


def test_pixels_of_training_masks_are_counted(tmp_path: Path, images: list[str]) -> None:
    train = np.arange(COUNT) % 2 == 0
    found = mask_looks.look(Masks(COUNT, mask, VOID, str), images, train, 3, tmp_path)
    shown = sum(number % 3 == 0 for number in range(0, COUNT, 2))
    assert found.tolist() == [150 * 20 - 4 * shown, 4 * shown, 0]


def test_wrong_masks_are_found_wherever_they_are(tmp_path: Path, images: list[str]) -> None:
    bad = {5: (4, 5), 250: (6, 4), 271: (4, 5), 280: (1, 1), 290: (1, 1), 299: (1, 1)}

    def read(number: int) -> np.ndarray:
        return np.zeros(bad.get(number, (4, 6)), np.uint8)

    masks = Masks(COUNT, read, VOID, lambda number: f"m{number}.png")
    with pytest.raises(LabelError) as caught:
        mask_looks.look(masks, images, np.ones(COUNT, bool), 2, tmp_path)
    said = str(caught.value)
    assert said.startswith("6 of 300 masks that were looked at cannot be used")
    assert "m5.png, m250.png, m271.png, m280.png, m290.png and 1 more" in said
    assert "The mask m5.png has another size than its picture: 5x4 pixels, the picture 6x4" in said
    assert "m250.png has" not in said
    bad = {299: (1, 1)}
    with pytest.raises(LabelError, match=r"^The mask m299\.png has another size"):
        mask_looks.look(masks, images, np.ones(COUNT, bool), 2, tmp_path)


def test_when_time_is_up_two_classes_suffice(
    tmp_path: Path, images: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mask_looks, "SECONDS", -1.0)
    looked = set()

    def read(number: int) -> np.ndarray:
        looked.add(number)
        return mask(number) if number == late else np.zeros((4, 6), np.uint8)

    masks = Masks(COUNT, read, VOID, str)
    for late, expected in ((0, mask_looks.AT_ONCE), (1, COUNT)):
        looked.clear()
        pixels = mask_looks.look(masks, images, np.ones(COUNT, bool), 2, tmp_path)
        if late:  # nothing but class 0, so all are looked at
            assert pixels[1] == 0
        assert len(looked) == expected


def test_threads_read_at_once(tmp_path: Path, images: list[str]) -> None:
    def read(number: int) -> np.ndarray:
        time.sleep(0.01)
        return mask(number)

    began = time.monotonic()
    mask_looks.look(Masks(COUNT, read, VOID, str), images, np.ones(COUNT, bool), 2, tmp_path)
    assert time.monotonic() - began < COUNT * 0.01


@pytest.mark.parametrize("count", [1, 7, 100, 1000])
def test_every_beginning_of_the_order_is_spread(count: int) -> None:
    order = mask_looks.spread_order(count)
    assert sorted(order) == list(range(count))
    for most in (10, 50):
        begin = np.sort([-1, *order[:most], count])
        assert np.diff(begin).max() <= 4 * max(1, count / most) + 1


def test_what_teaches_nothing() -> None:
    names = ("sky", "road", "car")
    mask_looks.check_classes(np.array([5, 1, 0]), names, [0, 1, 1])
    with pytest.raises(LabelError, match=r"fewer than two classes.*'road' alone, never sky, car"):
        mask_looks.check_classes(np.array([0, 9, 0]), names, [1, 1, 1])
    with pytest.raises(LabelError, match="none, all pixels are void"):
        mask_looks.check_classes(np.zeros(3, int), names, [1, 1, 1])
    with pytest.raises(LabelError, match=r"`class_weights` are 0 .*sky: 0, road: 0, car: 1"):
        mask_looks.check_classes(np.array([5, 1, 0]), names, [0, 0, 1])
