"""Tests of the contract of backbones, to inherit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch

from kitbox.contracts import Backbone, Weights
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests


class BackboneTests(PluginTests):
    """What every backbone keeps to.

    Fixture: `plugin`, a backbone whose weights are here or random. `size` is a rectangle
    (H, W) that it takes; `maps` says whether it gives feature maps too.
    """

    kind: ClassVar[str] = "backbone"
    size: ClassVar[tuple[int, int]] = (64, 96)
    maps: ClassVar[bool] = True

    def test_weights_are_found_without_a_network(self, plugin: Backbone) -> None:
        with offline():
            found = plugin.find_weights()
        assert isinstance(found, Weights), f"expected kitbox.contracts.Weights, found {found!r}"
        assert found.source, "`source` of the weights says nothing"

    def test_a_vector_a_picture(self, plugin: Backbone) -> None:
        """Also of one picture, and of a rectangle."""
        body = self._built(plugin)
        assert isinstance(body.features, int), f"expected a number, found {body.features!r}"
        assert body.strides == (), f"expected no strides for a vector, found {body.strides!r}"
        for count in (1, 3):
            found = tuple(body(self._images(body, count)).shape)
            assert found == (count, body.features)

    def test_what_it_says_of_its_input(self, plugin: Backbone) -> None:
        body = self._built(plugin)
        assert len(body.mean) == len(body.std) == body.channels
        assert all(value > 0 for value in body.std)
        assert isinstance(body.interpolation, str)
        assert isinstance(body.weights, str)
        assert body.weights
        assert isinstance(body.pretrained, bool)

    def test_layers_hold_every_parameter_once(self, plugin: Backbone) -> None:
        body = self._built(plugin)
        listed = [id(parameter) for layer in body.layers() for parameter in layer]
        assert len(listed) == len(set(listed)), "a parameter is in two layers"
        missing = [name for name, one in body.named_parameters() if id(one) not in set(listed)]
        assert not missing, f"in no layer: {missing[:5]}"
        assert all(body.layers()), "a layer without parameters"

    def test_it_learns(self, plugin: Backbone) -> None:
        body = self._built(plugin).train()
        body(self._images(body, 2)).square().sum().backward()
        reached = [one.grad is not None for one in body.parameters()]
        assert any(reached), "no parameter has a gradient"

    def test_it_is_deterministic(self, plugin: Backbone) -> None:
        """Built twice from one seed, and run twice."""
        first, second = self._built(plugin), self._built(plugin)
        images = self._images(first, 2)
        assert torch.equal(first(images), first(images))
        assert torch.equal(first(images), second(images)), "the same seed built another network"

    def test_a_saved_model_comes_back(self, plugin: Backbone) -> None:
        """`load=False` builds the same network, without weights of its own."""
        body = self._built(plugin)
        torch.manual_seed(7)
        with offline():
            empty: Any = plugin.build(self.size, load=False)
        empty.load_state_dict(body.state_dict())
        images = self._images(body, 2)
        assert torch.equal(body(images), empty.eval()(images))

    def test_maps(self, plugin: Backbone) -> None:
        """Maps of the strides that it says, finest first, also of sides that do not divide."""
        if not self.maps:
            pytest.skip("it gives no maps")
        body = self._built(plugin, maps=True)
        assert isinstance(body.features, tuple)
        assert list(body.strides) == sorted(body.strides), "expected the finest map first"
        last = body.strides[-1]
        for height, width in (self.size, (self.size[0] + 1, self.size[1] + 3)):
            found = body(torch.zeros(2, body.channels, height, width))
            padded = [-(-side // last) * last for side in (height, width)]
            expected = [
                (2, features, padded[0] // stride, padded[1] // stride)
                for features, stride in zip(body.features, body.strides, strict=True)
            ]
            assert [tuple(one.shape) for one in found] == expected

    def test_speed(self, plugin: Backbone, report: Callable[[str, int, float], None]) -> None:
        """Reported, not judged."""
        body = self._built(plugin)
        images = self._images(body, 8)
        body(images)
        began = time.perf_counter()
        body(images)
        report(f"forward at {self.size[0]}x{self.size[1]}", 8, time.perf_counter() - began)

    def _built(self, plugin: Any, maps: bool = False) -> Any:
        torch.manual_seed(0)
        with offline():
            body = plugin.build(self.size, maps=maps)
        assert isinstance(body, torch.nn.Module), f"expected an nn.Module, found {type(body)}"
        return body.eval()

    def _images(self, body: Any, count: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1)
        return torch.randn(count, body.channels, *self.size, generator=generator)
