"""Batches: order, repetition, normalisation, and threads that end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import cv2
import numpy as np
import pytest
import torch

from kitbox.data import geometry
from kitbox.data.augment import Nothing, Standard, albumentations
from kitbox.data.batches import Loader
from kitbox.data.pixels import Pixels
from kitbox.data.resident import Resident
from kitbox.data.targets import Fixed
from kitbox.errors import PluginError
from kitbox.options import Options

ROWS, SIDE = 23, 24
MEAN, STD = (0.485, 0.456, 0.406, 0.3), (0.229, 0.224, 0.225, 0.5)


def make(channels: int = 3, **changes: Any) -> Loader:
    """A loader over noise; the first pixel of a row is its number in the first channel."""
    rng = np.random.default_rng(0)
    canvas = np.zeros((ROWS, SIDE, SIDE, channels), np.uint8)
    extents = np.stack([rng.integers(8, SIDE + 1, ROWS), rng.integers(8, SIDE + 1, ROWS)], axis=1)
    for row, (height, width) in enumerate(extents):
        canvas[row, :height, :width] = rng.integers(0, 256, (height, width, channels))
    canvas.flags.writeable = False  # as the cache gives it
    loader = Loader(
        pixels=Pixels(canvas, extents, extents, {}, "in memory"),
        targets=Fixed(np.arange(ROWS) * 10),
        mean=MEAN[:channels],
        std=STD[:channels],
        interpolation=cv2.INTER_CUBIC,
        fit="crop",
        device="cpu",
        workers=2,
        batch_size=5,
    )
    return replace(loader, **changes)


def together(batches: Any) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    images, targets, rows = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(targets), np.concatenate(rows)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("kitbox-batch")]


def wait_for_no_threads() -> None:
    for _ in range(200):
        if not threads():
            return
        time.sleep(0.01)
    pytest.fail(f"threads are left: {threads()}")


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    yield
    wait_for_no_threads()


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(16, 16), (12, 20), (40, 40)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_fixed_in_order_and_normalised(
    fit: geometry.Fit, size: tuple[int, int], channels: int
) -> None:
    loader = make(channels, fit=fit)
    wanted_rows = [7, 3, 3, 22, 0, 11, 9]
    images, targets, rows = together(loader.fixed(wanted_rows, size))
    assert rows.tolist() == wanted_rows
    assert targets.tolist() == [row * 10 for row in wanted_rows]
    assert images.dtype == torch.float32
    assert images.shape == (7, channels, *size)
    for image, row in zip(images.numpy(), wanted_rows, strict=True):
        framed = geometry.frame(loader.pixels[row], size, fit)
        picture = geometry.scale(framed, size, cv2.INTER_CUBIC)
        wanted = (picture / 255 - np.array(MEAN[:channels])) / np.array(STD[:channels])
        np.testing.assert_allclose(image.transpose(1, 2, 0), wanted, atol=1e-5)


def test_memory_format_is_channels_last() -> None:
    for images, _, _ in make().fixed(range(6), (16, 20)):
        assert images.is_contiguous(memory_format=torch.channels_last)


def test_picture_is_what_fixed_gives_before_normalising() -> None:
    loader = make()
    images, _, _ = together(loader.fixed([4], (16, 12)))
    got = images[0].permute(1, 2, 0).numpy() * np.array(STD[:3]) + np.array(MEAN[:3])
    np.testing.assert_allclose(got * 255, loader.picture(4, (16, 12)), atol=1e-3)


@pytest.mark.parametrize("count", [1, 4, 5, 6, 11, 16, 21, 23])
@pytest.mark.parametrize("kind", ["fixed", "varied"])
def test_sizes_of_batches_differ_by_one_at_most(count: int, kind: str) -> None:
    loader = make()
    if kind == "fixed":
        batches = loader.fixed(range(count), (8, 8))
    else:
        batches = loader.varied(range(count), (8, 8), Standard(), (1, 2))
    sizes = [len(rows) for _, _, rows in batches]
    assert len(sizes) == loader.count(count) == int(np.ceil(count / 5))
    assert sum(sizes) == count
    assert max(sizes) <= 5
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("augmentation", [Standard(), Nothing()])
def test_varied_covers_every_row_once(augmentation: Any) -> None:
    wanted = [2, 3, 5, 8, 13, 21, 22]
    images, targets, rows = together(make().varied(wanted, (16, 16), augmentation, (1, 1, 1)))
    assert sorted(rows) == wanted
    assert rows.tolist() != wanted
    assert targets.tolist() == [row * 10 for row in rows]
    assert len(images) == len(wanted)


def test_nothing_gives_the_fixed_pictures() -> None:
    loader = make()
    varied, _, rows = together(loader.varied(range(ROWS), (16, 16), Nothing(), (1, 1, 1)))
    fixed, _, _ = together(loader.fixed(rows, (16, 16)))
    assert torch.equal(varied, fixed)


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
def test_same_seed_same_pictures_whatever_the_threads(fit: geometry.Fit) -> None:
    results = []
    for workers, batch_size in ((1, 5), (4, 5), (4, 5), (3, 2)):
        loader = make(workers=workers, batch_size=batch_size, fit=fit)
        augmentation = Standard(rotate_share=1.0, flip_vertical=0.5)
        results.append(together(loader.varied(range(ROWS), (16, 16), augmentation, (7, 1, 1))))
    for images, targets, rows in results[1:]:
        assert torch.equal(images, results[0][0])
        assert torch.equal(targets, results[0][1])
        assert np.array_equal(rows, results[0][2])


def test_a_pictures_variation_does_not_depend_on_the_others() -> None:
    loader = make()
    images, _, rows = together(loader.varied(range(ROWS), (16, 16), Standard(), (7, 1, 1)))
    some, _, few = together(loader.varied([3, 9], (16, 16), Standard(), (7, 1, 1)))
    for image, row in zip(some, few, strict=True):
        assert torch.equal(image, images[rows.tolist().index(row)])


def test_epochs_differ_in_order_and_in_pictures() -> None:
    loader = make()
    epochs = [together(loader.varied(range(ROWS), (16, 16), Standard(), (7, 1, n))) for n in (1, 2)]
    assert epochs[0][2].tolist() != epochs[1][2].tolist()
    sorted_images = [images[np.argsort(rows)] for images, _, rows in epochs]
    same = [torch.equal(a, b) for a, b in zip(*sorted_images, strict=True)]
    assert not any(same)


def test_rows_of_one_epoch_are_varied_differently() -> None:
    loader = make()
    canvas = np.repeat(loader.pixels.canvas[:1], ROWS, axis=0)
    extents = np.repeat(loader.pixels.extents[:1], ROWS, axis=0)
    alike = replace(loader, pixels=Pixels(canvas, extents, extents, {}, ""))
    images, _, _ = together(alike.varied(range(ROWS), (16, 16), Standard(), (1,)))
    assert len({image.numpy().tobytes() for image in images}) == ROWS


def test_no_state_of_others_is_touched() -> None:
    np.random.seed(0)
    torch.manual_seed(0)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[union-attr]
    together(make().varied(range(ROWS), (16, 16), Standard(), (1,)))
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("fit", ["squash", "pad"])
def test_squash_and_pad_show_the_whole_picture_to_the_augmentation(fit: geometry.Fit) -> None:
    """A still augmentation gives what the evaluation shows, up to one more scaling."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    ramps = np.stack([y * 10, x * 10, 255 - y * 10], axis=-1).astype(np.uint8)[None]
    extents = np.array([[24, 12]])
    still = Standard(area=(1, 1), stretch=1, flip=0, rotate=0, light=0)
    loader = make(
        pixels=Pixels(ramps, extents, extents, {}, ""),
        targets=Fixed(np.zeros(1)),
        fit=fit,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        interpolation=cv2.INTER_LINEAR,
    )
    varied, _, _ = together(loader.varied([0], (16, 16), still, (1,)))
    fixed, _, _ = together(loader.fixed([0], (16, 16)))
    assert (varied - fixed).abs().mean() < 0.03


@pytest.mark.parametrize("kind", ["fixed", "varied"])
def test_no_rows(kind: str) -> None:
    loader = make()
    empty: list[int] = []
    batches = (
        loader.fixed(empty, (8, 8))
        if kind == "fixed"
        else loader.varied(empty, (8, 8), Standard(), (1,))
    )
    assert list(batches) == []
    assert loader.count(0) == 0


def test_an_early_stop_leaves_no_threads() -> None:
    loader = make(batch_size=1, workers=4)
    for _ in loader.fixed(range(ROWS), (8, 8)):
        assert threads()
        break
    wait_for_no_threads()
    next(iter(loader.varied(range(ROWS), (8, 8), Standard(), (1,))))
    wait_for_no_threads()


def test_an_exception_of_the_consumer_leaves_no_threads() -> None:
    def consume() -> None:
        for _ in make(batch_size=1).fixed(range(ROWS), (8, 8)):
            raise RuntimeError("the step failed")

    with pytest.raises(RuntimeError, match="the step failed"):
        consume()
    wait_for_no_threads()


def test_only_a_few_batches_are_made_ahead() -> None:
    made: list[int] = []

    class Spy:
        canvas = np.zeros((ROWS, SIDE, SIDE, 3), np.uint8)
        extents = np.full((ROWS, 2), SIDE)

        def __getitem__(self, row: int) -> np.ndarray:
            made.append(row)
            return self.canvas[row]

        def need(self, rows: np.ndarray) -> None:
            """All are there."""

    batches = make(pixels=cast("Pixels", Spy()), batch_size=1).fixed(range(ROWS), (8, 8))
    next(batches)
    time.sleep(0.1)
    assert 1 < len(made) <= 4  # one taken, and one more than the threads
    cast("Any", batches).close()


class Broken(Options):
    """Raises in the third picture it is given."""

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        A = albumentations()  # noqa: N806

        def fail(image: np.ndarray, **_: object) -> np.ndarray:
            raise ZeroDivisionError("a plugin's mistake")

        return [A.Resize(height, width), A.Lambda(image=fail, p=0.2)]


def test_an_exception_in_a_thread_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError, match="a plugin's mistake"):
        list(make().varied(range(ROWS), (8, 8), Broken(), (1,)))
    wait_for_no_threads()


class Smearing(Options):
    """Writes into the picture that it is given, which is allowed."""

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        A = albumentations()  # noqa: N806

        def smear(image: np.ndarray, **_: object) -> np.ndarray:
            image[:] = 7
            return image

        return [A.Lambda(image=smear, p=1), A.Resize(height, width)]


def test_an_augmentation_may_write_into_its_picture() -> None:
    loader = make()
    canvas = loader.pixels.canvas.copy()
    before = canvas.copy()
    whole = np.full((ROWS, 2), SIDE)
    loader = replace(loader, pixels=replace(loader.pixels, canvas=canvas, extents=whole))
    images, _, _ = together(loader.varied(range(ROWS), (8, 8), Smearing(), (1,)))
    assert torch.allclose(images[:, 0], torch.tensor((7 / 255 - MEAN[0]) / STD[0]))
    assert np.array_equal(canvas, before)


class Careless(Options):
    """Ends with what the network is not given."""

    how: str

    def transforms(self, height: int, width: int, interpolation: int) -> list[Any]:
        A = albumentations()  # noqa: N806
        if self.how == "size":
            return [A.Resize(height + 1, width)]
        if self.how == "broadcast":
            return [A.Resize(1, width)]
        return [A.Resize(height, width), A.ToFloat(max_value=255)]


@pytest.mark.parametrize("how", ["size", "broadcast", "type"])
def test_an_augmentation_that_breaks_its_contract(how: str) -> None:
    with pytest.raises(PluginError, match=r"Careless.*expected uint8 \(8, 8, 3\)"):
        list(make().varied(range(ROWS), (8, 8), Careless(how=how), (1,)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_device_gets_the_same() -> None:
    host, _, _ = together(make().fixed(range(ROWS), (16, 12)))
    there, targets, _ = together(make(device="cuda").fixed(range(ROWS), (16, 12)))
    assert there.device.type == targets.device.type == "cuda"
    torch.testing.assert_close(there.cpu(), host)


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(16, 16), (5, 8)])
def test_warps_on_the_device_are_those_of_the_threads(
    fit: geometry.Fit, size: tuple[int, int]
) -> None:
    """Also where a stage is so small that cached pixels are averaged first."""
    side = 24
    y, x = np.mgrid[0:side, 0:side]
    ramps = np.stack([y * 10, x * 10, 255 - y * 10], axis=-1).astype(np.uint8)
    canvas = np.repeat(ramps[None], ROWS, axis=0)
    extents = np.array([[side, side - n % 9] for n in range(ROWS)])
    for row, (height, width) in enumerate(extents):
        canvas[row, height:] = canvas[row, :, width:] = 0
    pixels = Pixels(canvas, extents, extents, {}, "")
    loader = make(pixels=pixels, fit=fit, mean=(0, 0, 0), std=(1, 1, 1))
    there = replace(loader, resident=Resident(pixels, "cpu"))
    one, _, rows = together(loader.varied(range(ROWS), size, Standard(), (1, 2)))
    other, _, same = together(there.varied(range(ROWS), size, Standard(), (1, 2)))
    assert rows.tolist() == same.tolist()
    assert other.is_contiguous(memory_format=torch.channels_last)
    assert (one - other).abs().mean() < 0.02
