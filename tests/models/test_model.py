"""Freezing, held statistics and parameter groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import timm
import torch
from torch import nn

from kitbox.errors import RecipeError
from kitbox.models.body import TimmBody, TimmMaps
from kitbox.models.head import linear
from kitbox.models.model import Model, parameter_groups, shape_of_outputs, spread

FAMILIES = ["test_resnet", "mobilenetv1_100", "test_convnext", "test_vit"]


def make(name: str = "test_resnet", outputs: int = 3) -> Model:
    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False, num_classes=0)
    body = TimmBody(network, (160, 160), "random", False)
    assert isinstance(body.features, int)
    return Model(body, linear(body.features, outputs))


def step(model: Model, optimizer: torch.optim.Optimizer | None = None) -> None:
    """One training step in training mode."""
    model.train()
    optimizer = optimizer or torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], 0.1
    )
    images = torch.randn(4, 3, 160, 160) * 3 + 1
    nn.functional.cross_entropy(model(images), torch.tensor([0, 1, 2, 0])).backward()
    optimizer.step()
    optimizer.zero_grad()


def copy(model: nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in model.state_dict().items()}


def changed(model: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    return {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}


def is_statistic(key: str) -> bool:
    return key.endswith(("running_mean", "running_var", "num_batches_tracked"))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_frozen_body_stays_and_the_head_learns(name: str) -> None:
    model = make(name)
    model.freeze(True, hold_norm=False)
    body, head = copy(model.body), copy(model.head)
    for _ in range(2):
        step(model)
    assert changed(model.body, body) == set()
    assert changed(model.head, head) == set(head)
    assert all(p.grad is None for p in model.body.parameters())


def test_a_frozen_body_runs_forward_only() -> None:
    model = make()
    model.freeze(True, hold_norm=True)
    model.train()
    seen: list[torch.Tensor] = []
    model.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(torch.randn(2, 3, 64, 64)).sum().backward()
    assert not seen[0].requires_grad
    assert model.head.training
    assert not any(module.training for module in model.body.modules())


def test_a_trained_body_learns_all_and_updates_statistics() -> None:
    model = make()
    before = copy(model.body)
    for _ in range(5):  # the first wakes the blocks that start as zero
        step(model)
    assert changed(model.body, before) == set(before)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_held_statistics_stay_while_scale_and_shift_learn() -> None:
    model = make()
    model.freeze(False, hold_norm=True)
    before = copy(model.body)
    for _ in range(5):
        step(model)
    after = changed(model.body, before)
    statistics = {key for key in before if is_statistic(key)}
    assert statistics
    assert after == set(before) - statistics
    norm = next(m for m in model.body.modules() if isinstance(m, nn.BatchNorm2d))
    assert norm.weight.requires_grad


def test_held_statistics_are_those_that_are_used() -> None:
    """In training mode a picture's outputs do not depend on the rest of its batch."""
    model = make()
    model.freeze(False, hold_norm=True)
    model.train()
    images = torch.randn(4, 3, 64, 64)
    assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)
    model.freeze(False, hold_norm=False)
    assert not torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)


def test_hold_norm_leaves_dropout_alone() -> None:
    model = make()
    model.body.model.extra = nn.Dropout(0.5)
    model.freeze(False, hold_norm=True)
    model.train()
    assert model.body.model.extra.training


def test_freezing_and_back() -> None:
    model = make()
    model.train()
    model.freeze(True, hold_norm=True)
    assert not model.body.training
    model.freeze(False, hold_norm=False)  # takes effect at once, without another `.train()`
    assert all(module.training for module in model.modules())
    assert all(p.requires_grad for p in model.parameters())
    model.eval()
    model.freeze(False, hold_norm=True)
    assert not any(module.training for module in model.modules())


def test_every_kind_of_running_statistics_is_held() -> None:
    class Odd(nn.Module):
        """Statistics of its own, as some layers of timm have."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("running_var", torch.ones(3))

    model = make()
    body: Any = model.body.model
    body.odd, body.batch, body.layer = Odd(), nn.SyncBatchNorm(3), nn.LayerNorm(3)
    model.freeze(False, hold_norm=True)
    model.train()
    assert [body.odd.training, body.batch.training, body.layer.training] == [False, False, True]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("frozen", [True, False])
def test_groups_hold_every_trained_parameter_once(name: str, frozen: bool) -> None:
    model = make(name)
    model.freeze(frozen, hold_norm=True)
    groups = parameter_groups(model, (1e-5, 1e-3), 0.05)
    ids = [id(p) for group in groups for p in group["params"]]
    assert len(ids) == len(set(ids))
    assert set(ids) == {id(p) for p in model.parameters() if p.requires_grad}
    torch.optim.AdamW(groups)  # which refuses a parameter that comes twice


@pytest.mark.parametrize("name", FAMILIES)
def test_rates_rise_geometrically_from_the_input_to_the_head(name: str) -> None:
    model = make(name)
    groups = parameter_groups(model, (1e-5, 1e-3), 0.05)
    rate = {id(p): group["lr"] for group in groups for p in group["params"]}
    layers = [*model.body.layers(), list(model.head.parameters())]
    by_layer = [{rate[id(p)] for p in layer} for layer in layers]
    assert all(len(rates) == 1 for rates in by_layer)
    rates = [rates.pop() for rates in by_layer]
    assert rates[0] == pytest.approx(1e-5)
    assert rates[-1] == pytest.approx(1e-3)
    factors = [b / a for a, b in pairwise(rates)]
    assert factors == pytest.approx([100 ** (1 / (len(rates) - 1))] * (len(rates) - 1))
    first = next(m for m in model.body.modules() if isinstance(m, nn.Conv2d))
    assert rate[id(first.weight)] == min(rates)
    assert rate[id(next(model.head.parameters()))] == max(rates)


@pytest.mark.parametrize("name", FAMILIES)
def test_vectors_get_no_weight_decay(name: str) -> None:
    for group in parameter_groups(make(name), 1e-3, 0.05):
        dimensions = {p.ndim > 1 for p in group["params"]}
        assert dimensions == {group["weight_decay"] > 0}
        assert group["weight_decay"] in (0.0, 0.05)
        assert group["lr"] == 1e-3


def test_a_frozen_body_keeps_the_heads_rate() -> None:
    model = make()
    model.freeze(True, hold_norm=True)
    assert {group["lr"] for group in parameter_groups(model, (1e-5, 1e-3), 0)} == {1e-3}


def test_a_step_follows_the_rates() -> None:
    """With SGD and equal gradients the change of a weight is its group's rate."""
    model = make()
    groups = parameter_groups(model, (1e-4, 1e-2), 0.0)
    before = {id(p): p.detach().clone() for p in model.parameters()}
    optimizer = torch.optim.SGD(groups)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    for group in groups:
        for parameter in group["params"]:
            moved = (before[id(parameter)] - parameter.detach()).mean().item()
            assert moved == pytest.approx(group["lr"], rel=0.01)


@pytest.mark.parametrize(
    ("lr", "count", "rates"),
    [
        (0.01, 3, [0.01, 0.01, 0.01]),
        ((1e-5, 1e-3), 3, [1e-5, 1e-4, 1e-3]),
        ((1e-5, 1e-3), 1, [1e-3]),
        ((1e-5, 1e-3), 2, [1e-5, 1e-3]),
        ((1e-3, 1e-3), 4, [1e-3] * 4),
    ],
)
def test_spread(lr: Any, count: int, rates: list[float]) -> None:
    assert spread(lr, count) == pytest.approx(rates)


def test_shape_of_outputs_leaves_no_trace() -> None:
    model = make(outputs=7)
    model.freeze(True, hold_norm=True)
    model.train()
    before = copy(model)
    assert shape_of_outputs(model, (64, 96)) == (7,)
    assert changed(model, before) == set()
    assert model.training
    assert model.head.training
    assert not model.body.training


def test_it_saves_and_loads() -> None:
    model, other = make(), make()
    step(model)
    other.load_state_dict(model.state_dict())
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(model.eval()(images), other.eval()(images))


# Frozen up to a layer.


def trained(model: Model) -> list[bool]:
    """Whether each layer of the body is trained; a layer is never trained in part."""
    found = []
    for layer in model.body.layers():
        flags = {p.requires_grad for p in layer}
        assert len(flags) == 1
        found.append(flags.pop())
    return found


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("frozen", [0, 1, 2, -1, -2])
def test_a_number_freezes_the_first_layers(name: str, frozen: int) -> None:
    model = make(name)
    count = len(model.body.layers())
    model.freeze(frozen, hold_norm=False)
    held = frozen if frozen >= 0 else count + frozen
    assert trained(model) == [False] * held + [True] * (count - held)
    assert all(p.requires_grad for p in model.head.parameters())


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_frozen_stays_and_the_rest_learns(name: str) -> None:
    model = make(name)
    model.freeze(-2, hold_norm=False)
    held = {id(p) for layer in model.body.layers()[:-2] for p in layer}
    before = copy(model)
    for _ in range(3):  # the first wakes the blocks that start as zero
        step(model)
    after = changed(model, before)
    names = dict(model.named_parameters())
    assert not {key for key, p in names.items() if id(p) in held} & after
    assert {f"head.{key}" for key in model.head.state_dict()} <= after
    model(torch.randn(4, 3, 160, 160)).square().sum().backward()
    assert {id(p) for p in names.values() if p.grad is not None} == {
        *map(id, names.values())
    } - held


def test_statistics_of_frozen_layers_are_held_and_those_above_are_not() -> None:
    model = make()
    model.freeze("layer3", hold_norm=False)
    model.train()
    norms = {
        name: module.training
        for name, module in model.body.model.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }
    below = {name: on for name, on in norms.items() if not name.startswith(("layer3", "layer4"))}
    assert below
    assert not any(below.values())
    assert all(on for name, on in norms.items() if name not in below)
    before = copy(model.body)
    step(model)
    moved = {key for key in changed(model.body, before) if is_statistic(key)}
    assert moved
    assert all(key.startswith(("model.layer3", "model.layer4")) for key in moved)
    model.freeze("layer3", hold_norm=True)
    model.train()
    assert not any(m.training for m in model.body.modules() if isinstance(m, nn.BatchNorm2d))


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("test_resnet", "layer3"),
        ("test_resnet", "layer2.0"),
        ("test_vit", "blocks.2"),
        ("test_convnext", "stages.1"),
        ("mobilenetv1_100", "blocks.3"),
    ],
)
def test_a_name_freezes_all_before_that_layer(name: str, layer: str) -> None:
    model = make(name)
    network = model.body.model
    model.freeze(layer, hold_norm=False)
    flags = trained(model)
    assert flags == sorted(flags)  # frozen ones first
    assert flags.count(False) > 0
    assert all(p.requires_grad for p in network.get_submodule(layer).parameters())
    first = {id(p) for p in model.body.layers()[flags.index(True)]}
    assert first & {id(p) for p in network.get_submodule(layer).parameters()}


def test_the_first_layer_s_name_freezes_nothing() -> None:
    model = make()
    model.freeze("conv1", hold_norm=False)
    assert all(trained(model))


@pytest.mark.parametrize("name", ["layer", "layer33", "Layer3", "", "ayer3", "weight", "layer3."])
def test_a_layer_that_is_not_there(name: str) -> None:
    model = make()
    with pytest.raises(RecipeError, match="no layer") as caught:
        model.freeze(name, hold_norm=False)
    assert "layer3" in str(caught.value)


def test_more_layers_than_there_are() -> None:
    model = make()
    count = len(model.body.layers())
    model.freeze(count - 1, hold_norm=False)
    assert trained(model) == [False] * (count - 1) + [True]
    model.freeze(1 - count, hold_norm=False)
    assert trained(model) == [False] + [True] * (count - 1)
    for frozen in (count, -count, 1000, -1000):
        with pytest.raises(RecipeError, match=f"has {count} layers, {abs(frozen)} of them"):
            model.freeze(frozen, hold_norm=False)


def test_a_refused_freeze_leaves_the_model_as_it_was() -> None:
    model = make()
    model.freeze(-1, hold_norm=True)
    model.train()
    before = [p.requires_grad for p in model.parameters()], [m.training for m in model.modules()]
    with pytest.raises(RecipeError):
        model.freeze("nothing", hold_norm=False)
    model.train()
    after = [p.requires_grad for p in model.parameters()], [m.training for m in model.modules()]
    assert after == before


def test_frozen_layers_come_loose_again() -> None:
    model = make()
    model.freeze(2, hold_norm=False)
    model.freeze(False, hold_norm=False)
    model.train()
    assert all(p.requires_grad for p in model.parameters())
    assert all(module.training for module in model.modules())


def test_groups_leave_out_frozen_layers_and_the_others_keep_their_rates() -> None:
    model = make()
    whole = {
        id(p): group["lr"]
        for group in parameter_groups(model, (1e-5, 1e-3), 0.05)
        for p in group["params"]
    }
    model.freeze("layer3", hold_norm=True)
    groups = parameter_groups(model, (1e-5, 1e-3), 0.05)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert set(rates) == {id(p) for p in model.parameters() if p.requires_grad}
    assert rates == {key: whole[key] for key in rates}


# Maps.


def test_outputs_that_are_maps_have_the_picture_s_size() -> None:
    """What padding added is cut off; the rest is what the padded picture gives."""
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", pretrained=False, features_only=True)
    body = TimmMaps(network, (64, 64), "random", False, channels=3)

    class Up(nn.Module):
        def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
            return nn.functional.interpolate(maps[-1][:, :5], scale_factor=body.strides[-1])

    model = Model(body, Up()).eval()
    images = torch.randn(2, 3, 50, 71)
    outputs = model(images)
    assert outputs.shape == (2, 5, 50, 71)
    padded = nn.functional.pad(images, (0, 96 - 71, 0, 64 - 50), mode="replicate")
    assert torch.equal(outputs, model(padded)[..., :50, :71])
    assert shape_of_outputs(model, (50, 71)) == (5, 50, 71)


def test_layers_are_listed_once_in_the_network_s_order() -> None:
    model = make()
    with pytest.raises(RecipeError, match=r"it has conv1, bn1, layer1, layer2, layer3, layer4\.$"):
        model.freeze("nowhere", hold_norm=False)
