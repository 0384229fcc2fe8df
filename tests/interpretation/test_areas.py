"""Masks: counted picture by picture as all at once; overlays of truth, prediction, difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from interpretation.made import recipe, seen_by
from kitbox.errors import KitboxError
from kitbox.interpretation.areas import AreasInterpretation
from kitbox.tasks.confusion import Confusion, compute
from kitbox.tasks.segmentation import Segmentation
from kitbox.testing import labelled


def files(folder: Path, count: int = 9, classes: int = 3) -> pd.DataFrame:
    """Pictures with masks of stripes; the last value is void."""
    rows = labelled(folder, {"mask": [""] * count})
    for number, image in enumerate(rows["image"]):
        with Image.open(folder / image) as picture:
            width, height = picture.size
        mask = (np.arange(height)[:, None] // 8 + np.arange(width) // 16 + number) % (classes + 1)
        name = f"masks/{number}.png"
        (folder / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask.astype(np.uint8)).save(folder / name)
        rows.loc[number, "mask"] = name
    return rows


def made(folder: Path, count: int = 9, size: tuple[int, int] = (32, 64)) -> AreasInterpretation:
    rows = files(folder, count)
    task = Segmentation(codes=("a", "b", "c", "nothing"), void="nothing", width=0.1)
    given = recipe(task="segmentation")
    seen = seen_by(folder, task, rows, ["mask"], size=size, recipe=given)
    assert isinstance(seen, AreasInterpretation)
    return seen


def test_counts_are_those_of_the_task_s_own_metric(tmp_path: Path) -> None:
    seen = made(tmp_path)
    own = seen.scene.task.tally()
    rows = seen.rows
    _, targets = seen.scene.images(rows)
    outputs = seen.scene.outputs(rows)
    own.add(outputs, targets, seen.frames)
    assert (seen.confusion_matrix().to_numpy() == own.matrix).all()
    for name in ("a", "b", "c"):
        expected = compute(f"iou_{name}", own.matrix, ["a", "b", "c"])
        assert seen.scores().loc[name, "iou"] == pytest.approx(expected, nan_ok=True)
    for place, (true, output) in enumerate(zip(targets, outputs, strict=True)):
        alone = Confusion(3)
        alone.add(output[None], true[None], seen.frames)
        assert seen.picture_scores()[place] == pytest.approx(
            compute("mean_iou", alone.matrix, ["a", "b", "c"])
        )


def test_memory_does_not_grow_with_pixels() -> None:
    seen = AreasInterpretation(
        ["a", "b"], lambda o: o.argmax(1), lambda p, m: p, lambda n: (0, 0, 0)
    )
    kept = seen.keep(torch.randn(5, 2, 64, 64), torch.zeros(5, 64, 64, dtype=torch.int64))
    assert {name: tuple(one.shape) for name, one in kept.items()} == {
        "pixels": (5, 3, 2),
        "confusion": (1, 2, 2),
    }


def test_what_differs_is_red_and_void_is_dark(tmp_path: Path) -> None:
    seen = made(tmp_path, 3)
    picture = np.full((2, 3, 3), 200, np.uint8)
    true = np.array([[0, 1, 255], [0, 0, 1]])
    given = np.array([[0, 0, 255], [0, 1, 1]])
    drawn = seen._difference(picture, true, given).astype(int)
    red = drawn[..., 0] - drawn[..., 1]
    assert ((red > 80) == (true != given)).all()
    assert (drawn[0, 2] < 100).all()


@pytest.mark.parametrize(("count", "size"), [(15, (32, 64)), (3, (64, 32))])
def test_it_is_shown_of_files(tmp_path: Path, count: int, size: tuple[int, int]) -> None:
    seen = made(tmp_path, count, size)
    titles = [section.title for section in seen.sections()]
    assert titles == ["IoU by class", "Confusion", "Top losses"]
    for section in seen.sections():
        for plot in section.plots.values():
            assert plot.png()
    row = seen.top_losses(1).iloc[0]
    assert 0 <= row["mean_iou"] <= 1
    assert row["worst"] in ("a", "b", "c")
    assert seen.headlines()[0].startswith("mean IoU")
    assert seen.heat(seen.worst()) is None
    assert seen.plot_masks([]).png()
    for advice in (found := seen.advice()):
        assert advice.apply(recipe(task="segmentation")).stages != recipe().stages
    # Three pictures are enough to say that a network with random weights has learned nothing.
    assert [one.about for one in found] == (["nothing learned"] if seen.count >= 5 else [])


def test_masks_are_not_shown_of_other_weights(tmp_path: Path) -> None:
    seen = made(tmp_path, 3)
    with torch.no_grad():
        next(seen.scene.model.parameters()).mul_(1.5)
    for shown in (seen.plot_top_losses, lambda: seen.plot_masks([0]), seen.sections):
        with pytest.raises(KitboxError, match=r"other weights now.*learn\.interpret\(\) again"):
            shown()
    assert seen.plot_scores().png()  # what was counted stays true


def test_the_threshold_decides_what_is_shown() -> None:
    task = Segmentation(codes=("a", "b"), threshold=0.9)
    outputs = torch.tensor([0.0, 1.0])[None, :, None, None]  # b has a probability of 0.73
    assert task._chosen(outputs).item() == 0
    assert task.model_copy(update={"threshold": None})._chosen(outputs).item() == 1
