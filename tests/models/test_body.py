"""A timm model as a body: statistics, features and layers from input to output."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import timm
import torch
from torch import nn

from kitbox.errors import WeightsError
from kitbox.models.body import TimmBody

NAMES = [
    "test_resnet",
    "test_efficientnet",
    "test_byobnet",
    "test_convnext",
    "test_vit",
    "test_vit2",
    "test_nfnet",
    "test_mambaout",
    "mobilenetv1_100",
    "mobilenetv2_100",
]


def make(name: str, size: tuple[int, int] = (160, 160), **options: Any) -> TimmBody:
    model = timm.create_model(name, pretrained=False, num_classes=0, **options)
    return TimmBody(model, size, "random", False)


@pytest.mark.parametrize("name", NAMES)
def test_layers_hold_every_parameter_once(name: str) -> None:
    body = make(name)
    ids = [id(p) for layer in body.layers() for p in layer]
    assert len(ids) == len(set(ids))
    assert set(ids) == {id(p) for p in body.parameters()}
    assert all(body.layers())
    assert len(body.layers()) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_layers_are_in_the_order_of_the_forward_pass(name: str) -> None:
    """A layer's modules run before those of the next, by what really runs."""
    body = make(name)
    order: dict[int, int] = {}

    def note(module: nn.Module, *_: object) -> None:
        for parameter in module.parameters(recurse=False):
            order.setdefault(id(parameter), len(order))

    for module in body.model.modules():
        # The network's own parameters are tokens, which are not of its first moment.
        if module is not body.model and any(True for _ in module.parameters(recurse=False)):
            module.register_forward_pre_hook(note)
    with torch.no_grad():
        body.eval()(torch.zeros(1, 3, 160, 160))
    ran = [[order[id(p)] for p in layer if id(p) in order] for layer in body.layers()]
    assert sum(map(len, ran)) > 0.5 * len(list(body.parameters()))
    ran = [numbers for numbers in ran if numbers]
    for before, after in pairwise(ran):
        assert max(before) < min(after)


def test_a_model_without_layer_groups_of_its_own() -> None:
    class Plain(nn.Module):
        pretrained_cfg = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "interpolation": ""}  # noqa: RUF012

        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3, 1, 1))
            self.conv = nn.Conv2d(3, 4, 3)
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.last = nn.Linear(4, 6)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.last(self.pool(self.conv(images * self.scale)).flatten(1))

    body = TimmBody(Plain(), (16, 16), "random", False)
    model: Any = body.model
    wanted = [[model.scale], [model.conv.weight, model.conv.bias], [*model.last.parameters()]]
    assert [[id(p) for p in layer] for layer in body.layers()] == [
        [id(p) for p in layer] for layer in wanted
    ]
    assert (body.features, body.channels, body.interpolation) == (6, 3, "bilinear")


@pytest.mark.parametrize("name", NAMES[:5])
def test_features_are_measured(name: str) -> None:
    body = make(name)
    assert body.features == body.model.num_features
    assert body.eval()(torch.zeros(2, 3, 160, 160)).shape == (2, body.features)


def test_measuring_leaves_no_trace() -> None:
    model = timm.create_model("test_resnet", pretrained=False, num_classes=0).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    body = TimmBody(model, (64, 64), "random", False)
    assert body.model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_statistics_per_channel(channels: int) -> None:
    body = make("mobilenetv2_100", in_chans=channels)
    assert body.channels == channels
    if channels == 1:
        assert body.mean == pytest.approx((0.449,), abs=1e-3)
        assert body.std == pytest.approx((0.226,), abs=1e-3)
    else:
        assert body.mean[:3] == (0.485, 0.456, 0.406)
        assert body.mean[3:] == pytest.approx((0.449,) * (channels - 3), abs=1e-3)
        assert body.std[:3] == (0.229, 0.224, 0.225)


def test_a_model_that_gives_no_vector() -> None:
    with pytest.raises(WeightsError, match=r"gives \(1, .*expected one vector.*pool"):
        make("test_resnet", global_pool="")


def test_a_size_that_the_model_cannot_take() -> None:
    with pytest.raises(
        WeightsError, match=r"does not take pictures of 64x64 pixels.*own is 160x160"
    ):
        make("test_vit", (64, 64), dynamic_img_size=False)  # made for 160x160


def test_a_refusal_without_words() -> None:
    class Silent(nn.Module):
        pretrained_cfg = {"mean": (0.5,), "std": (0.5,)}  # noqa: RUF012

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            raise AssertionError

    with pytest.raises(WeightsError, match="AssertionError"):
        TimmBody(Silent(), (16, 16), "random", False)
