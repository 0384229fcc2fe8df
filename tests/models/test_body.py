"""A timm model as a body: statistics, features and layers from input to output."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file
from torch import nn

from kitbox.errors import WeightsError
from kitbox.models.backbone import Timm
from kitbox.models.body import TimmBody, TimmMaps

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


# Maps.

PYRAMIDS = ["test_resnet", "test_efficientnet", "test_convnext", "mobilenetv2_100", "resnet18"]
PLAIN = ["test_vit", "test_vit2", "test_vit3"]
SWIN = "swin_tiny_patch4_window7_224"


def maps_of(name: str, size: tuple[int, int] = (160, 160), **options: Any) -> Any:
    return Timm(name=name, pretrained=False, **options).build(size, maps=True)


@pytest.mark.parametrize("size", [(160, 160), (64, 96), (70, 101), (33, 160)])
@pytest.mark.parametrize("name", [*PYRAMIDS, *PLAIN])
def test_maps_have_the_features_and_strides_that_they_say(name: str, size: tuple[int, int]) -> None:
    """Also at sides that are no multiple of the last stride."""
    body = maps_of(name).eval()
    assert len(body.features) == len(body.strides)
    assert list(body.strides) == sorted(set(body.strides))
    last = body.strides[-1]
    padded = [-(-side // last) * last for side in size]
    with torch.no_grad():
        found = body(torch.randn(2, 3, *size))
    wanted = [
        (2, features, padded[0] // stride, padded[1] // stride)
        for features, stride in zip(body.features, body.strides, strict=True)
    ]
    assert [tuple(one.shape) for one in found] == wanted
    assert all(one.isfinite().all() for one in found)


@pytest.mark.parametrize("name", PYRAMIDS[:3])
def test_odd_sizes_are_padded_at_the_right_and_bottom_with_their_edge(name: str) -> None:
    body = maps_of(name).eval()
    images = torch.randn(1, 3, 40, 70)
    by_hand = torch.cat([images, images[..., -1:].expand(-1, -1, -1, 96 - 70)], dim=3)
    by_hand = torch.cat([by_hand, by_hand[:, :, -1:].expand(-1, -1, 64 - 40, -1)], dim=2)
    with torch.no_grad():
        for one, other in zip(body(images), body(by_hand), strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("name", PYRAMIDS)
def test_maps_are_timm_s_own(name: str) -> None:
    body = maps_of(name).eval()
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        for one, other in zip(body(images), body.model(images), strict=True):
            assert torch.equal(one, other)


def test_maps_of_a_net_that_puts_channels_last() -> None:
    body = maps_of(SWIN, (224, 224)).eval()
    assert body.features == (96, 192, 384, 768)
    assert body.strides == (4, 8, 16, 32)
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        found, raw = body(images), body.model(images)
    sides = [56, 28, 14, 7]
    assert [one.shape[1:] for one in found] == [
        (features, side, side) for features, side in zip(body.features, sides, strict=True)
    ]
    for one, other in zip(found, raw, strict=True):
        assert torch.equal(one[0, 3], other[0, ..., 3])


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_transformer_gives_four_strides(name: str) -> None:
    body = maps_of(name).eval()
    assert body.strides == (4, 8, 16, 32)
    images = torch.randn(1, 3, 96, 128)
    with torch.no_grad():
        found, raw = body(images), body.model(images)
    # From shallow to deep; the one of the net's own stride is as it was.
    assert torch.allclose(found[2], raw[body._chosen[2]], atol=1e-6) or raw[0].shape[2:] != (6, 8)
    assert body._chosen == sorted(set(body._chosen)) or len(raw) < 4
    assert body._chosen[-1] == len(raw) - 1


def test_maps_lie_where_the_picture_is() -> None:
    """A change in one corner changes the finest map there and not in the other corner."""
    for name in ("test_resnet", "test_convnext"):
        body = maps_of(name).eval()
        images = torch.randn(1, 3, 160, 160)
        other = images.clone()
        other[..., :8, 152:] += 3
        with torch.no_grad():
            moved = (body(images)[0] - body(other)[0]).abs().sum(1)[0]
        places = torch.nonzero(moved > 1e-6).float() * body.strides[0]
        assert len(places)
        assert places[:, 0].max() < 80
        assert places[:, 1].min() > 80


@pytest.mark.parametrize("name", [*PYRAMIDS, "test_vit", SWIN])
def test_layers_of_maps_hold_every_parameter_once(name: str) -> None:
    body = maps_of(name, (224, 224) if name == SWIN else (160, 160))
    ids = [id(p) for layer in body.layers() for p in layer]
    assert len(ids) == len(set(ids))
    assert set(ids) == {id(p) for p in body.parameters()}
    assert len(body.layers()) >= (4 if name != SWIN else 3)
    if name in ("test_efficientnet", "mobilenetv2_100", "resnet18"):
        # Those of the same net without maps, and its stem in two, less what comes after the maps.
        assert len(body.layers()) >= len(make(name).layers()) - 2
    first = next(m for m in body.modules() if isinstance(m, nn.Conv2d))
    assert id(first.weight) in {id(p) for p in body.layers()[0]}


@pytest.mark.parametrize("channels", [1, 4])
def test_maps_of_grey_and_rgba_pictures(channels: Any) -> None:
    body = maps_of("test_resnet", channels=channels).eval()
    assert len(body.mean) == len(body.std) == body.channels == channels
    assert len(body(torch.randn(1, channels, 64, 64))) == len(body.features)


def test_trying_maps_leaves_no_trace() -> None:
    model = timm.create_model("test_resnet", pretrained=False, features_only=True).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    body = TimmMaps(model, (64, 64), "random", False, channels=3)
    assert body.training
    assert body.model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_gradients_reach_every_layer_through_the_maps() -> None:
    body = maps_of("test_resnet").train()
    sum(one.square().sum() for one in body(torch.randn(2, 3, 64, 64))).backward()
    assert all(p.grad is not None for p in body.parameters())


def test_maps_at_a_size_that_the_model_cannot_take() -> None:
    with pytest.raises(WeightsError, match="does not take pictures of 100x100"):
        maps_of("mixer_s32_224", (100, 100))


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext"])
def test_weights_of_a_file_reach_the_maps(
    name: str,
    saved: Callable[..., Path],
    state: Callable[[str], dict[str, torch.Tensor]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("WARNING"):
        body: Any = Timm(name=name, weights=saved(name)).build((160, 160), maps=True)
    assert not [one for one in caplog.records if one.name.startswith("timm")]
    assert body.pretrained
    held = state(name)
    own = {
        key.removeprefix("model.").removeprefix("model."): v for key, v in body.state_dict().items()
    }
    same = [
        torch.equal(value, held[other])
        for key, value in own.items()
        for other in held
        if key in (other, other.replace(".", "_", 1)) and value.shape == held[other].shape
    ]
    assert len(same) > 0.9 * len(own)
    assert all(same)


def test_real_weights_reach_the_maps(real: Callable[[str], Path]) -> None:
    """The deepest map is what the whole network has before its last convolution."""
    file = real("mobilenetv2_100")
    body: Any = Timm(name="mobilenetv2_100", weights=file).build((96, 96), maps=True).eval()
    assert body.pretrained
    plain = timm.create_model("mobilenetv2_100", pretrained=False)
    plain.load_state_dict(load_file(file))
    images = torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        deepest = plain.eval().blocks(plain.bn1(plain.conv_stem(images)))
        found = body(images)
    assert torch.allclose(found[-1], deepest, atol=1e-4)
    assert body.features == (16, 24, 32, 96, 320)
    assert body.strides == (2, 4, 8, 16, 32)


def test_weights_of_another_model_are_refused_for_maps(saved: Callable[..., Path]) -> None:
    with pytest.raises(WeightsError, match="do not fit"):
        Timm(name="test_resnet", weights=saved("test_convnext")).build((160, 160), maps=True)
