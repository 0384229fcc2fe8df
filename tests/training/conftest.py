"""A tiny data set, body and trainer, made here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from accelerate import Accelerator
from torch import nn

from kitbox.data.augment import Nothing
from kitbox.data.batches import Loader
from kitbox.data.frames import Frames
from kitbox.data.pixels import Pixels
from kitbox.data.targets import Fixed
from kitbox.models.model import Model
from kitbox.progress import Progress
from kitbox.tasks.single_label import SingleLabel
from kitbox.training.trainer import Trainer

SIDE = 16


class TinyBody(nn.Module):
    """Two convolutions with batch normalisation; the contract of `kitbox.contracts.Body`."""

    features, channels = 8, 3
    strides: tuple[int, ...] = ()
    mean = std = (0.5, 0.5, 0.5)
    interpolation, weights = "bilinear", "random"

    def __init__(self, *, pretrained: bool = False) -> None:
        super().__init__()
        self.pretrained = pretrained
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(8, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU())

    def layers(self) -> list[list[nn.Parameter]]:
        return [list(self.first.parameters()), list(self.second.parameters())]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(images)).mean((2, 3))


def make_loader(rows: int = 36, batch_size: int = 8) -> Loader:
    """Pictures whose brightest channel is their class, with noise."""
    rng = np.random.default_rng(0)
    targets = np.arange(rows) % 3
    canvas = rng.integers(0, 120, (rows, SIDE, SIDE, 3), dtype=np.uint8)
    for row, target in enumerate(targets):
        canvas[row, :, :, target] += 100
    extents = np.full((rows, 2), SIDE, np.int32)
    pixels = Pixels(canvas, extents, extents, {}, "by hand")
    return Loader(
        pixels,
        Fixed(targets),
        TinyBody.mean,
        TinyBody.std,
        cv2.INTER_LINEAR,
        "crop",
        "cpu",
        workers=2,
        batch_size=batch_size,
    )


def make_task(**options: Any) -> SingleLabel:
    rows = pd.DataFrame({"label": ["0", "1", "2"], "part": "train"})
    return SingleLabel(**options).learn(rows, ["label"], Path())


def make_model(*, pretrained: bool = False, seed: int = 0) -> Model:
    torch.manual_seed(seed)
    body = TinyBody(pretrained=pretrained)
    return Model(body, make_task().head(body))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Many threads only get in each other's way on networks this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def accelerator() -> Accelerator:
    return Accelerator(cpu=True)


@pytest.fixture
def trainer(accelerator: Accelerator) -> Callable[..., Trainer]:
    """Makes a trainer on 24 rows, with 12 to validate."""

    def make(*, pretrained: bool = False, seed: int = 0, **given: Any) -> Trainer:
        options: dict[str, Any] = {
            "model": make_model(pretrained=pretrained),
            "task": make_task(),
            "loader": make_loader(),
            "augmentation": Nothing(),
            "train": np.arange(24),
            "valid": np.arange(24, 36),
            "accelerator": accelerator,
            "weight_decay": 0.01,
            "seed": seed,
            "progress": Progress(quiet=True),
            "ids": [f"picture-{row}" for row in range(36)],
        }
        return Trainer(**(options | given))

    return make


def copy(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def changed(module: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    after = module.state_dict()
    assert set(after) == set(before)
    return {name for name, value in after.items() if not torch.equal(value, before[name])}


def together(predicted: Iterator[tuple[np.ndarray, Frames]]) -> tuple[np.ndarray, list[Frames]]:
    outputs, frames = zip(*predicted, strict=True)
    return np.concatenate(outputs), list(frames)
