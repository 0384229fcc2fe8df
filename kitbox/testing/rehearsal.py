"""A task rehearsed without training: learned, with a new head over a tiny body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch

from kitbox import registry
from kitbox.contracts import Recalls, Task
from kitbox.data import geometry, pixels, warp
from kitbox.data.batches import Loader
from kitbox.data.frames import Frames
from kitbox.data.targets import Fixed, Targets
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests
from kitbox.testing.tiny_body import TinyBody

SIZE = (48, 64)
"""Height and width that the network sees."""


@dataclass
class Seen:
    """A learned task and all labelled rows as one batch.

    Attributes:
        head: a new head over a tiny body.
        features: of the pictures, (N, F) or maps.
        outputs: raw outputs (N, ...) of the new head.
        targets: as the loss gets them (N, ...).
        frames: of the N pictures; all of a picture is squashed, or padded, to the size.
        loader: of the pictures and their targets.
    """

    task: Any
    head: torch.nn.Module
    features: Any
    outputs: torch.Tensor
    targets: torch.Tensor
    frames: Frames
    loader: Loader

    def again(self, task: Task | None = None) -> Any:
        """The task (or another) out of a saved model."""
        text = json.dumps(registry.tasks.describe(task or self.task))
        return registry.tasks.build(json.loads(text))

    def tally(self, outputs: torch.Tensor, size: int) -> Any:
        """A tally filled in batches of `size` pictures."""
        tally = self.task.tally()
        for start in range(0, len(outputs), size):
            part = slice(start, start + size)
            frames = part_of(self.frames, part)
            tally.add(outputs[part].clone(), self.targets[part].clone(), frames)
        return tally

    def taught(self, outputs: torch.Tensor) -> Any:
        """The task as a run makes it, before it predicts."""
        task = self.task
        if isinstance(task, Recalls):
            task = task.recall(self.tally(outputs, 4))
        return task.tune(self.tally(outputs, 4))

    def fitted(self, targets: torch.Tensor | None = None, steps: int = 300) -> torch.Tensor:
        """Raw outputs moved down the loss, from those of a new head: they fit the targets."""
        wanted = self.targets if targets is None else targets
        outputs = self.outputs.clone().requires_grad_()
        optimizer = torch.optim.Adam([outputs], lr=0.05)
        for _ in range(steps):
            optimizer.zero_grad()
            self.task.loss(outputs, wanted).sum().backward()
            optimizer.step()
        return outputs.detach()

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> float:
        """The mean loss."""
        with torch.no_grad():
            return float(self.task.loss(outputs, targets).mean())

    def moved(self, matrix: np.ndarray) -> torch.Tensor:
        """The targets of all pictures, as seen through a warp's matrix (see `kitbox.Warp`)."""
        targets, found = self.loader.targets, []
        for row, extent in enumerate(self.loader.pixels.extents):
            part = geometry.Box(0, 0, int(extent[0]), int(extent[1]))
            there = targets.move(targets.view(row, part, SIZE), matrix, SIZE, reflect=False)
            found.append(targets.finish(there, SIZE))
        return torch.from_numpy(np.stack(found))


class RehearsalTests(PluginTests):
    """What the tests of tasks are given."""

    kind: ClassVar[str] = "task"

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    @pytest.fixture
    def rows(self, folder: Path) -> pd.DataFrame:
        raise NotImplementedError(
            f"Give {type(self).__name__} a fixture `rows`, by kitbox.testing.labelled(folder, ...)"
        )

    @pytest.fixture
    def targets(self, rows: pd.DataFrame) -> Sequence[str]:
        """By default all columns that are not kitbox's own."""
        return tuple(name for name in rows.columns if name not in ("id", "image", "part"))

    @pytest.fixture
    def seen(self, plugin: Any, rows: pd.DataFrame, targets: Sequence[str], folder: Path) -> Seen:
        with offline():
            task = plugin.learn(rows, targets, folder)
        return see(task, rows, folder)

    @pytest.fixture
    def padded(self, seen: Seen, rows: pd.DataFrame, folder: Path) -> Seen:
        """The same task, pictures with a border."""
        return see(seen.task, rows, folder, fit="pad")


def see(task: Any, rows: pd.DataFrame, folder: Path, fit: geometry.Fit = "squash") -> Seen:
    """A learned task with a new head, and all rows as one batch."""
    with offline():
        encoded = task.encode(rows, folder)
    loader = load(encoded, rows, folder, fit)
    ((images, batch, _),) = loader.fixed(range(len(rows)), SIZE)
    torch.manual_seed(0)
    body: Any = TinyBody(maps=task.maps()).eval()
    head = task.head(body).eval()
    with torch.no_grad():
        features = body(images)
        outputs = cut(head(features))
    frames = loader.frames(range(len(rows)), SIZE)
    return Seen(task, head, features, outputs, batch, frames, loader)


def load(
    encoded: np.ndarray | Targets, rows: pd.DataFrame, folder: Path, fit: geometry.Fit = "squash"
) -> Loader:
    """Batches of all rows, on the CPU."""
    decoded = pixels.load(folder, list(rows["image"]), side=96, channels=3, cache=None, workers=2)
    targets = Fixed(encoded) if isinstance(encoded, np.ndarray) else encoded
    return Loader(
        pixels=decoded,
        targets=targets.bind(np.arange(len(rows)), decoded.sizes, decoded.extents),
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
        interpolation=1,
        fit=fit,
        device="cpu",
        workers=2,
        batch_size=max(1, len(rows)),
    )


def cut(outputs: torch.Tensor) -> torch.Tensor:
    """Raw outputs without what maps have beyond the picture."""
    return outputs[..., : SIZE[0], : SIZE[1]] if outputs.ndim == 4 else outputs


def part_of(frames: Frames, part: slice) -> Frames:
    """The frames of some of the pictures."""
    return Frames(frames.size, frames.sizes[part], frames.scale[part], frames.shift[part])


SHIFT = warp.shifting(-SIZE[1] / 5, 0)
"""A warp that shows pictures a fifth to the right: what was symmetric no longer is."""
MIRROR = np.array([[-1, 0, SIZE[1] - 1], [0, 1, 0], [0, 0, 1.0]])
"""A warp that shows pictures mirrored."""
