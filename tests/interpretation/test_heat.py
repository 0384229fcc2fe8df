"""Heat maps: they find what the output depends on, in nets of all layouts, and leave no trace."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import timm
import torch
from torch import nn

from kitbox.interpretation.heat import _centre, _grid, _sized, find, heat
from kitbox.models.body import TimmBody
from kitbox.models.model import Model
from kitbox.testing import TinyBody


class Halves(nn.Module):
    """A body whose features are the mean brightness of the left and of the right half."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(3, 2, 4, stride=4, bias=False)
        with torch.no_grad():
            self.map.weight.fill_(1 / 48)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.map(images)
        middle = maps.shape[3] // 2
        left = maps[:, :1, :, :middle].mean((2, 3))
        right = maps[:, 1:, :, middle:].mean((2, 3))
        return torch.cat([left, right], dim=1)


def timm_model(name: str, size: tuple[int, int], **options: object) -> Model:
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, num_classes=0, **options)
    body = TimmBody(model, size, "random", False)
    return Model(body, nn.Linear(int(body.features), 3))  # type: ignore[arg-type]


def test_brightness_that_the_output_comes_from_is_hot() -> None:
    body = Halves()
    head = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.eye(2))
    images = torch.zeros(2, 3, 32, 48)
    images[0, :, :, :24] = 1  # the left half, for output 0
    images[1, :, 16:, 24:] = 1  # the lower right, for output 1
    found = heat(Model(body, head), images, [0, 1])
    assert found is not None
    assert found.shape == (2, 32, 48)
    assert found[0, :, 2:20].min() > 0.9
    assert found[0, :, 28:].max() < 0.1
    assert found[1, 20:, 28:].min() > 0.9
    assert found[1, :12].max() < 0.1


@pytest.mark.parametrize(
    ("name", "kind", "grid", "options"),
    [
        ("test_resnet", "first", None, {}),
        ("test_efficientnet", "first", None, {}),
        ("test_convnext", "first", None, {}),
        ("test_vit", "tokens", (4, 6), {"img_size": (64, 96)}),
        ("vit_tiny_patch16_224", "tokens", (4, 6), {"img_size": (64, 96), "depth": 2}),
        (
            "swin_tiny_patch4_window7_224",
            "last",
            (2, 3),
            {"img_size": (64, 96), "depths": (1, 1, 1, 1)},
        ),
    ],
)
def test_nets_of_all_layouts(
    name: str, kind: str, grid: tuple[int, int] | None, options: dict
) -> None:
    model = timm_model(name, (64, 96), **options)
    images = torch.randn(2, 3, 64, 96)
    spot = find(model.body.eval(), images[:1])
    assert spot is not None
    assert spot.kind == kind
    if grid is not None:
        assert spot.grid == grid
    model.freeze(True, hold_norm=False)  # a frozen body has gradients all the same
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = heat(model, images, [0, 2])
    assert found is not None
    assert found.shape == (2, 64, 96)
    assert found.min() >= 0
    assert found.max() > 0.9  # something speaks for it
    assert model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    hooks = [one for module in model.modules() for one in module._forward_hooks.values()]
    assert hooks == []


def test_the_output_asked_for_changes_the_map() -> None:
    model = timm_model("test_vit", (64, 64), img_size=64)
    images = torch.randn(1, 3, 64, 64)
    one, other = (heat(model, images, [number]) for number in (0, 1))
    assert one is not None
    assert abs(one - other).max() > 0.1


def test_a_body_that_is_not_timm_s() -> None:
    body = TinyBody()
    spot = find(body, torch.randn(1, 3, 64, 64))
    assert spot is not None
    assert spot.grid == (2, 2)


def test_a_body_without_maps() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = nn.Linear(3 * 8 * 8, 4)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.line(images.flatten(1))

    assert heat(Model(Flat(), nn.Linear(4, 2)), torch.randn(1, 3, 8, 8), [0]) is None  # type: ignore[arg-type]


def test_grids() -> None:
    assert _grid(196, 1) == (14, 14)
    assert _grid(24, 2 / 3) == (4, 6)
    assert _grid(0, 1) == (0, 0)


def test_the_map_in_front_of_the_pooling_is_looked_at() -> None:
    """mobilenet has a convolution after what timm names as its last features."""
    model = timm_model("test_efficientnet", (64, 96))
    images = torch.randn(2, 3, 64, 96)
    spot = find(model.body.eval(), images[:1])
    assert spot is not None
    seen: list[torch.Tensor] = []
    hook = spot.layer.register_forward_hook(lambda layer, given, found: seen.append(found))
    with torch.no_grad():
        features = model.body(images)
    hook.remove()
    torch.testing.assert_close(seen[0].mean(dim=(2, 3)), features)


def test_without_a_centre_maps_are_enlarged_as_their_grid_lies() -> None:
    maps = torch.rand(2, 1, 3, 5)
    found = _sized(maps, (24, 60), None)
    expected = nn.functional.interpolate(maps, (24, 60), mode="bilinear", align_corners=False)
    torch.testing.assert_close(found, expected)
    assert _sized(torch.ones(1, 1, 1, 1), (8, 8), None).shape == (1, 1, 8, 8)


@pytest.mark.parametrize(
    ("name", "step", "shift"),
    [("resnet18", 32, -15.5), ("test_efficientnet", 32, -15.5), ("test_convnext", 32, 0.0)],
)
def test_a_place_is_drawn_where_it_looks(name: str, step: int, shift: float) -> None:
    """Strides with padding on both sides look half a step up and left of their grid."""
    torch.manual_seed(0)
    model = timm_model(name, (192, 256)).eval()
    images = torch.randn(4, 3, 192, 256)
    spot = find(model.body, images[:1])
    assert spot is not None
    centre = _centre(model.body, spot, images)
    assert centre is not None
    for at, count in zip(centre, spot.grid, strict=True):
        usual = (count // 2 + 0.5) * step - 0.5
        assert at - usual == pytest.approx(shift, abs=6)


def test_what_is_bright_is_where_the_map_is_hot() -> None:
    """A network that sees brightness alone, by strides that look up and left."""

    class Bright(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            blur = [nn.Conv2d(1, 1, 3, 2, 1, bias=False) for _ in range(4)]
            for one in blur:
                nn.init.constant_(one.weight, 1 / 9)
            self.layers = nn.Sequential(*blur)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.layers(images).mean(dim=(2, 3))

    images = torch.zeros(3, 1, 128, 128)
    for number, (row, column) in enumerate(spots := [(48, 80), (64, 64), (96, 32)]):
        images[number, 0, row - 6 : row + 7, column - 6 : column + 7] = 1
    body = Bright()
    model = SimpleNamespace(
        body=body, head=nn.Identity(), training=False, eval=lambda: None, train=lambda on: None
    )
    found = heat(model, images, [0, 0, 0])  # type: ignore[arg-type]
    assert found is not None
    for one, (row, column) in zip(found, spots, strict=True):
        hot = np.argwhere(one > 0.5)
        assert hot.mean(axis=0) == pytest.approx((row, column), abs=4)
