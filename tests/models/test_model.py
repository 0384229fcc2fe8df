"""Freezing, held statistics and parameter groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import timm
import torch
from torch import nn

from kitbox.models.body import TimmBody
from kitbox.models.head import linear
from kitbox.models.model import Model, count_outputs, parameter_groups, spread

FAMILIES = ["test_resnet", "mobilenetv1_100", "test_convnext", "test_vit"]


def make(name: str = "test_resnet", outputs: int = 3) -> Model:
    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False, num_classes=0)
    body = TimmBody(network, (160, 160), "random", False)
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


def test_count_outputs_leaves_no_trace() -> None:
    model = make(outputs=7)
    model.freeze(True, hold_norm=True)
    model.train()
    assert count_outputs(model) == 7
    assert model.training
    assert model.head.training
    assert not model.body.training


def test_it_saves_and_loads() -> None:
    model, other = make(), make()
    step(model)
    other.load_state_dict(model.state_dict())
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(model.eval()(images), other.eval()(images))
