"""Pictures as the model sees them and as their files have them; outputs as they predict."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interpretation.made import recipe, seen_by
from kitbox.errors import KitboxError
from kitbox.interpretation import watch
from kitbox.interpretation.scene import sums
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


def test_other_weights_say_nothing_of_the_pass(tmp_path: Path) -> None:
    rows = labelled(tmp_path, {"label": ["a", "b"] * 6})
    seen = seen_by(tmp_path, SingleLabel(), rows, ["label"])
    model, before = seen.scene.model, copy.deepcopy(seen.scene.model.state_dict())
    asks = {
        "heat": lambda: seen.heat(seen.worst(1)),
        "outputs": lambda: seen.scene.outputs(seen.rows),
        "pass": lambda: watch.look(seen.scene, seen.rows),
        "hard": lambda: seen.write_hard(tmp_path / "hard.csv"),
        "plot": seen.plot_top_losses,
    }

    def refused() -> None:
        for ask in asks.values():
            with pytest.raises(KitboxError, match="other weights now"):
                ask()

    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
    model(torch.randn(2, 3, 32, 32, device=next(model.parameters()).device)).sum().backward()
    optimizer.step()
    refused()
    model.load_state_dict(before)  # as `learn.load` and the finder bring them back
    for ask in asks.values():
        ask()
    first = next(model.parameters())
    first.data = first.data + 0.1  # another tensor in its place, as averaged weights are put there
    refused()
    first.data = before[next(iter(before))].clone()
    assert seen.scene.network() is model
    model.register_buffer("seen", torch.zeros(1))  # statistics are weights too
    refused()


def test_sums_are_those_of_the_bits() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    known = sums(model)
    assert sums(copy.deepcopy(model).to(memory_format=torch.channels_last)) == known  # type: ignore[call-overload]
    for kind in (torch.float16, torch.bfloat16, torch.float64):
        other = copy.deepcopy(model).to(kind)
        before = sums(other)
        with torch.no_grad():
            other[0].weight[0, 0, 0, 0].add_(1)
        assert sums(other) != before
    with torch.no_grad():
        model[0].weight[0, 0, 0, 0] *= -1
    assert sums(model) != known


def test_outputs_are_those_of_the_pass(tmp_path: Path) -> None:
    rows = labelled(tmp_path, {"label": ["a", "b"] * 6})
    for tta in (False, True):
        given = recipe(tta=tta)
        seen = seen_by(tmp_path, SingleLabel(), rows, ["label"], recipe=given)
        outputs = seen.scene.outputs(seen.rows).cpu()
        assert torch.allclose(outputs, torch.from_numpy(seen.kept("outputs")), atol=1e-6)
