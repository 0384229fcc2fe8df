"""Pictures as the model sees them and as their files have them; outputs as they predict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from interpretation.made import recipe, seen_by
from kitbox.tasks.single_label import SingleLabel
from kitbox.testing import labelled


def test_pictures(tmp_path: Path) -> None:
    rows = labelled(tmp_path, {"label": ["a", "b"] * 6})
    scene = seen_by(tmp_path, SingleLabel(), rows, ["label"], size=(32, 48)).scene
    (picture,) = scene.pictures([4])
    assert picture.shape == (32, 48, 3)
    images, targets = scene.images([4, 5])
    shown = images[0].permute(1, 2, 0).cpu().numpy() * 0.25 + 0.5
    assert abs(shown * 255 - picture).max() < 1
    assert targets.tolist() == [0, 1]
    with Image.open(tmp_path / rows.at[1, "image"]) as file:
        assert (scene.file(1) == np.asarray(file)).all()
    assert scene.pictures([]) == []
    assert len(scene.train) == 8


def test_a_grey_picture_is_shown_in_three_channels(tmp_path: Path) -> None:
    rows = labelled(tmp_path, {"label": ["a", "b"] * 6})
    scene = seen_by(tmp_path, SingleLabel(), rows, ["label"], channels=1).scene
    (picture,) = scene.pictures([0])
    assert picture.shape == (32, 32, 3)
    assert (picture[..., 0] == picture[..., 2]).all()


def test_outputs_are_those_of_the_pass(tmp_path: Path) -> None:
    rows = labelled(tmp_path, {"label": ["a", "b"] * 6})
    for tta in (False, True):
        given = recipe(tta=tta)
        seen = seen_by(tmp_path, SingleLabel(), rows, ["label"], recipe=given)
        outputs = seen.scene.outputs(seen.rows).cpu()
        assert torch.allclose(outputs, torch.from_numpy(seen.kept("outputs")), atol=1e-6)
