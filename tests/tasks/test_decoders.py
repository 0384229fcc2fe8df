"""Decoders over maps of every usual kind of backbone."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from kitbox.errors import RecipeError
from kitbox.tasks import decoders
from kitbox.tasks.decoders import Decoder, make
from kitbox.tasks.segmentation import Segmentation

FIVE = ((8, 12, 16, 24, 32), (2, 4, 8, 16, 32))
FOUR = ((12, 16, 24, 32), (4, 8, 16, 32))
SIX = ((6, 8, 12, 16, 24, 32), (1, 2, 4, 8, 16, 32))


def maps(strides: tuple[int, ...], features: tuple[int, ...], hw: tuple[int, int]) -> list:
    torch.manual_seed(0)
    height, width = hw
    return [
        torch.randn(2, f, height // s, width // s) for f, s in zip(features, strides, strict=True)
    ]


@pytest.mark.parametrize("name", get_args(Decoder))
@pytest.mark.parametrize("kind", [FIVE, FOUR, SIX], ids=["five", "four", "six"])
def test_outputs_have_the_picture_s_size_and_all_of_the_decoder_learns(
    name: Decoder, kind: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    features, strides = kind
    if name in decoders.EVERY_HALVING and 2 not in strides:
        with pytest.raises(RecipeError, match=r"strides 2, 4, 8, 16, 32.*unet"):
            make(name, features, strides, 3, width=0.125)
        return
    head = make(name, features, strides, 3, width=0.125).train()
    outputs = head(maps(strides, features, (64, 96)))
    assert outputs.shape == (2, 3, 64, 96)
    outputs.square().mean().backward()
    idle = [n for n, p in head.named_parameters() if p.grad is None or not torch.any(p.grad)]
    # Gates as narrow as these (one channel) may be shut at first.
    assert not [n for n in idle if "weight" in n and "center" not in n and "SE_" not in n]


@pytest.mark.parametrize("name", get_args(Decoder))
def test_a_batch_of_one_trains(name: Decoder) -> None:
    features, strides = FIVE
    head = make(name, features, strides, 3, width=0.125).train()
    outputs = head([one[:1] for one in maps(strides, features, (64, 64))])
    assert outputs.shape == (1, 3, 64, 64)
    outputs.square().mean().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in head.parameters())


def test_a_single_value_is_normalised_by_the_running_statistics() -> None:
    norm = decoders.Norm(2)
    norm(torch.tensor([[1.0, 2.0], [3.0, 6.0]])[:, :, None, None])
    seen = norm.running_mean.clone()
    one = torch.tensor([[5.0, -1.0]])[:, :, None, None]
    trained = norm.train()(one)
    assert torch.equal(norm.running_mean, seen)
    assert torch.equal(trained, norm.eval()(one))


@pytest.mark.parametrize("name", get_args(Decoder))
def test_every_map_matters(name: Decoder) -> None:
    """But for the one of stride 2 in decoders that begin at 4, and middle ones in DeepLab."""
    features, strides = FIVE
    head = make(name, features, strides, 3, width=0.125).eval()
    given = maps(strides, features, (64, 64))
    before = head(list(given))
    used = set()
    for number, stride in enumerate(strides):
        other = list(given)
        other[number] = other[number] + 1
        if not torch.allclose(head(other), before):
            used.add(stride)
    expected = {
        "fpn": {4, 8, 16, 32},
        "upernet": {4, 8, 16, 32},
        "deeplabv3plus": {4, 32},
    }.get(name, {2, 4, 8, 16, 32})
    assert used == expected


def test_the_unet_is_smp_s_own() -> None:
    """With the same weights, the decoder gives what smp.Unet's gives on its encoder's maps."""
    import segmentation_models_pytorch as smp

    torch.manual_seed(0)
    net = smp.Unet("resnet18", encoder_weights=None, classes=3).eval()
    features, strides = tuple(net.encoder.out_channels[1:]), FIVE[1]
    head = make("unet", features, strides, 3).eval()
    head.decoder.load_state_dict(net.decoder.state_dict())
    head.last.load_state_dict(net.segmentation_head[0].state_dict())
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.allclose(head(net.encoder(images)[1:]), net(images), atol=1e-5)


def test_width_is_a_factor() -> None:
    def count(width: float) -> int:
        return sum(p.numel() for p in make("unet", *FIVE, 3, width=width).parameters())

    assert count(0.5) < 0.4 * count(1)
    assert make("unet", *FIVE, 3, width=0.5).last.in_channels == 8


@pytest.mark.parametrize("strides", [(4, 8, 8, 8), (7, 14, 28, 56), (8, 16, 32), (2, 4)])
def test_strides_that_do_not_halve_are_refused(strides: tuple[int, ...]) -> None:
    told = ", ".join(map(str, strides))
    with pytest.raises(RecipeError, match=f"'unet'.*{told}"):
        make("unet", (8,) * len(strides), strides, 3)


def test_the_task_offers_all_of_them() -> None:
    """It names them itself, because a recipe is checked before torch is imported."""
    offered = Segmentation.model_fields["decoder"].annotation
    assert get_args(offered) == get_args(Decoder) == tuple(decoders._MAKERS)
