"""timm backbones: built with the weights they are said to have, or not at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from huggingface_hub import constants
from pydantic import ValidationError

from kitbox.errors import WeightsError
from kitbox.models import weights
from kitbox.models.backbone import Timm

State = dict[str, torch.Tensor]


def body_state(body: Any) -> State:
    return body.model.state_dict()


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext", "test_efficientnet"])
@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_the_weights_arrive(
    name: str,
    suffix: str,
    saved: Callable[..., Path],
    state: Callable[[str], State],
    tmp_path: Path,
) -> None:
    file = saved(name, tmp_path / f"any name.{suffix}")
    body = Timm(name=name, weights=file).build((160, 160))
    given = state(name)
    got = body_state(body)
    assert got
    for key, value in got.items():
        assert torch.equal(value, given[key]), key
    assert body.pretrained
    assert str(file) in body.weights
    assert weights.digest(file)[:16] in body.weights


def test_the_same_outputs_as_timm_alone(saved: Callable[..., Path]) -> None:
    file = saved("test_resnet")
    body: Any = Timm(name="test_resnet", weights=file).build((64, 64))
    other = timm.create_model("test_resnet", num_classes=0)
    timm.models.load_checkpoint(other, str(file), strict=False)
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(body.eval()(images), other.eval()(images))


def test_building_leaves_the_random_state(saved: Callable[..., Path]) -> None:
    file = saved("test_resnet")
    before = torch.get_rng_state()
    Timm(name="test_resnet", weights=file).build((64, 64))
    assert torch.equal(torch.get_rng_state(), before)


def test_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find", lambda *_: pytest.fail("nobody asked for weights"))
    backbone = Timm(name="test_resnet", pretrained=False)
    assert backbone.find_weights().source == "random (pretrained: false)"
    torch.manual_seed(0)
    first = backbone.build((64, 64))
    second = backbone.build((64, 64))
    assert not first.pretrained
    assert first.weights == "random (pretrained: false)"
    key = "conv1.0.weight"
    assert not torch.equal(body_state(first)[key], body_state(second)[key])
    # A saved model is about to be loaded: no weights are looked for either.
    assert not Timm(name="test_resnet").build((64, 64), load=False).pretrained


def test_unknown_models_are_refused_even_without_weights() -> None:
    backbone = Timm(name="resnt18", pretrained=False)
    with pytest.raises(WeightsError, match="Did you mean"):
        backbone.find_weights()
    with pytest.raises(WeightsError, match="Did you mean"):
        backbone.build((64, 64))


def test_attached_weights(
    saved: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved("test_resnet", tmp_path / "attached" / "test_resnet.safetensors")
    monkeypatch.setenv(weights.ATTACHED, str(tmp_path / "attached"))
    backbone = Timm(name="test_resnet")
    assert backbone.find_weights().source == f"{file}, attached to this machine"
    assert backbone.build((64, 64)).weights.startswith(f"{file}, attached to this machine, SHA-256")


def test_from_the_hub(hub: Any, saved: Callable[..., Path], state: Callable[[str], State]) -> None:
    file = saved("test_resnet")
    path = "/timm/test_resnet.r160_in1k/resolve/main/model.safetensors"
    hub.files[path] = file.read_bytes()
    backbone = Timm(name="test_resnet")
    assert "from the hub" in backbone.find_weights().source
    assert hub.asked == []
    body = backbone.build((64, 64))
    assert torch.equal(body_state(body)["conv1.0.weight"], state("test_resnet")["conv1.0.weight"])
    assert "local cache" in backbone.find_weights().source


def test_no_network_never_trains_from_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=r"test_resnet\.safetensors.*pretrained: false"):
        Timm(name="test_resnet").build((64, 64))


def test_a_truncated_file(saved: Callable[..., Path], tmp_path: Path) -> None:
    for suffix in ("safetensors", "pth"):
        file = saved("test_resnet", tmp_path / f"a.{suffix}")
        data = file.read_bytes()
        for share in (0.9, 0.5, 0.001, 0):
            file.write_bytes(data[: int(len(data) * share)])
            with pytest.raises(WeightsError, match=rf"a\.{suffix} do not fit.*whole"):
                Timm(name="test_resnet", weights=file).build((64, 64))


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth", "a.bin", "a.npz", "a.txt"])
@pytest.mark.parametrize("content", [b"text\n" * 50, b"\x80\x02}q\x00.", b"PK\x03\x04 no archive"])
def test_a_file_of_something_else(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="do not fit"):
        Timm(name="test_resnet", weights=tmp_path / name).build((64, 64))


def test_a_file_that_runs_code_is_refused(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "it ran",))

    torch.save({"state_dict": Bomb()}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="do not fit"):
        Timm(name="test_resnet", weights=tmp_path / "a.pth").build((64, 64))
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("test_resnet", "test_efficientnet"),
        ("test_vit", "test_resnet"),  # no name in common: timm alone loads nothing, silently
        ("test_resnet", "test_vit"),
        ("test_convnext", "test_convnext2"),
        ("test_convnext2", "test_convnext"),
        ("test_vit", "test_vit2"),  # every name is there, and two blocks more
        ("test_vit2", "test_vit"),
    ],
)
def test_weights_of_another_model(name: str, other: str, saved: Callable[..., Path]) -> None:
    file = saved(other)
    with pytest.raises(WeightsError, match=f"do not fit the model '{name}'"):
        Timm(name=name, weights=file).build((160, 160))


def test_weights_of_a_shorter_model(tmp_path: Path, state: Callable[[str], State]) -> None:
    """resnet18 has resnet34's layers, only fewer: nothing clashes, half is missing."""
    shorter = {k: v for k, v in state("test_vit").items() if not k.startswith("blocks.5")}
    torch.save(shorter, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"no weights for blocks\.5"):
        Timm(name="test_vit", weights=tmp_path / "a.pth").build((160, 160))


@pytest.mark.parametrize("channels", [1, 4])
def test_channels_adapt_the_first_convolution(channels: int, real: Callable[[str], Path]) -> None:
    file = real("mobilenetv1_100")
    rgb: Any = Timm(name="mobilenetv1_100", weights=file).build((64, 64)).eval()  # type: ignore[attr-defined]
    body: Any = Timm(name="mobilenetv1_100", weights=file, channels=channels).build((64, 64)).eval()  # type: ignore[attr-defined]
    assert (rgb.channels, body.channels) == (3, channels)
    first, wanted = body.model.conv_stem.weight, rgb.model.conv_stem.weight
    if channels == 1:
        assert torch.allclose(first, wanted.sum(dim=1, keepdim=True), atol=1e-6)
        grey = torch.randn(2, 1, 64, 64)
        # A grey picture gives what the same picture gives in three equal channels.
        assert torch.allclose(body(grey), rgb(grey.expand(2, 3, 64, 64)), atol=1e-3)
    else:
        assert torch.allclose(first[:, :3], wanted * 0.75, atol=1e-6)
    assert len(body.mean) == len(body.std) == channels


def test_statistics_come_from_the_weights(real: Callable[[str], Path]) -> None:
    """Not every model uses ImageNet's; these two differ."""
    half = Timm(name="mobilenetv1_100", weights=real("mobilenetv1_100")).build((64, 64))
    assert (half.mean, half.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    usual = Timm(name="mobilenetv2_100", weights=real("mobilenetv2_100")).build((64, 64))
    assert usual.mean == (0.485, 0.456, 0.406)
    assert usual.std == (0.229, 0.224, 0.225)
    assert half.interpolation == usual.interpolation == "bicubic"


def test_real_weights_tell_classes_apart(real: Callable[[str], Path]) -> None:
    """Features of real weights of two noises of one kind are nearer than of different kinds."""
    body: Any = Timm(name="mobilenetv2_100", weights=real("mobilenetv2_100")).build((96, 96))
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:96, 0:96]
    stripes = [np.sin(x / 4 + p) + rng.normal(0, 0.1, x.shape) for p in (0, 2)]
    blobs = [np.sin(x / 9 + p) * np.sin(y / 9) + rng.normal(0, 0.1, x.shape) for p in (0, 2)]
    images = torch.tensor(np.stack([*stripes, *blobs]), dtype=torch.float32)
    with torch.no_grad():
        features = body.eval()(images[:, None].expand(-1, 3, -1, -1))
    near = torch.nn.functional.cosine_similarity(features[None], features[:, None], dim=-1)
    assert near[0, 1] > near[0, 2]
    assert near[2, 3] > near[2, 1]


@pytest.mark.parametrize("name", ["test_vit", "test_vit3", "test_convnext", "test_resnet"])
@pytest.mark.parametrize("size", [(160, 160), (96, 96), (64, 128), (224, 96)])
def test_other_and_rectangular_sizes(
    name: str, size: tuple[int, int], saved: Callable[..., Path]
) -> None:
    body: Any = Timm(name=name, weights=saved(name)).build(size).eval()  # type: ignore[attr-defined]
    with torch.no_grad():
        features = body(torch.randn(2, 3, *size))
    assert features.shape == (2, body.features)
    assert features.isfinite().all()


def test_a_vit_takes_another_size_after_it_was_built(saved: Callable[..., Path]) -> None:
    """Progressive resizing: a stage may have a size of its own."""
    body: Any = Timm(name="test_vit", weights=saved("test_vit")).build((128, 128)).eval()  # type: ignore[attr-defined]
    assert body(torch.randn(1, 3, 64, 96)).shape == (1, body.features)


def test_a_size_that_the_model_cannot_take() -> None:
    with pytest.raises(WeightsError, match=r"8x8|Choose another size|choose a size"):
        Timm(name="swin_tiny_patch4_window7_224", pretrained=False).build((7, 5))


@pytest.mark.parametrize(
    ("name", "pool", "factor"),
    [
        ("test_resnet", "avg", 1),
        ("test_resnet", "max", 1),
        ("test_resnet", "avgmax", 1),
        ("test_resnet", "catavgmax", 2),
        ("test_efficientnet", "catavgmax", 2),
        ("test_vit", "avg", 1),
    ],
)
def test_pooling(name: str, pool: Any, factor: int) -> None:
    plain = Timm(name=name, pretrained=False).build((160, 160))
    pooled: Any = Timm(name=name, pretrained=False, pool=pool).build((160, 160))
    assert pooled.features == factor * plain.features
    assert pooled.eval()(torch.randn(2, 3, 160, 160)).shape == (2, pooled.features)


def test_pooling_twice_is_the_mean_and_the_greatest(saved: Callable[..., Path]) -> None:
    file = saved("test_resnet")
    images = torch.randn(2, 3, 64, 64)
    parts = []
    for pool in ("avg", "max", "catavgmax"):
        body: Any = Timm(name="test_resnet", weights=file, pool=pool).build((64, 64))  # type: ignore[arg-type]
        with torch.no_grad():
            parts.append(body.eval()(images))
    assert torch.allclose(parts[2], torch.cat(parts[:2], dim=1), atol=1e-5)


@pytest.mark.parametrize("name", ["test_vit", "test_convnext"])
@pytest.mark.parametrize("pretrained", [True, False])
def test_a_pooling_that_the_model_has_not(
    name: str, pretrained: bool, saved: Callable[..., Path]
) -> None:
    file = saved(name)
    with pytest.raises(WeightsError, match="`pool`"):
        Timm(name=name, pool="catavgmax", pretrained=pretrained, weights=file).build((160, 160))


def test_dropout_and_stochastic_depth_reach_the_model() -> None:
    body: Any = Timm(name="test_vit", pretrained=False, drop_path=0.3).build((160, 160))
    rates = [
        getattr(m, "drop_prob", 0) for m in body.model.modules() if "DropPath" in repr(type(m))
    ]
    assert max(rates) == pytest.approx(0.3)
    torch.manual_seed(0)
    images = torch.randn(4, 3, 160, 160)
    body = Timm(name="test_resnet", pretrained=False, drop=0.5).build((160, 160))
    zeros = (body.train()(images) == 0).float().mean()
    assert 0.3 < zeros < 0.9


def test_weights_that_were_no_state_dict_at_first(
    state: Callable[[str], State], saved: Callable[..., Path], tmp_path: Path
) -> None:
    """timm marks ViTs whose first weights came from JAX; their files on the hub are usual ones."""
    name = "vit_tiny_patch16_224"
    assert weights.config(name).custom_load
    file = saved(name, tmp_path / f"{name}.safetensors")
    body = Timm(name=name, weights=file).build((64, 64))
    key = "blocks.3.mlp.fc1.weight"
    assert torch.equal(body_state(body)[key], state(name)[key])


@pytest.mark.parametrize(
    "options",
    [{"channels": 2}, {"pool": "median"}, {"drop": 1.0}, {"drop_path": -0.1}, {"weight": "a.pth"}],
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Timm(**options)


def test_importing_is_light() -> None:
    code = "import sys, kitbox.models.backbone; print({'torch', 'timm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
