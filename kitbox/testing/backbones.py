"""Tests of the contract of backbones, to inherit."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

import torch

from kitbox.contracts import Backbone, Weights
from kitbox.errors import WeightsError
from kitbox.testing.network import offline
from kitbox.testing.plugins import PluginTests, refuses


class BackboneTests(PluginTests):
    """What every backbone keeps to.

    Fixture: `plugin`, a backbone whose weights are here or random. `size` is a rectangle
    (H, W) that it takes; `maps` says whether it gives feature maps too, or refuses to.
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

    def test_layers_go_from_the_input_to_the_output(self, plugin: Backbone) -> None:
        """Rates are spread along them, and a stage freezes the first ones.

        Told by how many operations lie between a layer's farthest parameter and the features.
        """
        body = self._built(plugin)
        found = far(body(self._images(body, 2)))
        reach = [max(found.get(id(one), 0) for one in layer) for layer in body.layers()]
        known = [(number, depth) for number, depth in enumerate(reach) if depth]
        wrong = [
            f"layer {later} ({deeper} operations from the features) after {earlier} ({depth})"
            for (earlier, depth), (later, deeper) in pairwise(known)
            if deeper > depth
        ]
        assert not wrong, f"expected the layer nearest to the input first, found {wrong[0]}"

    def test_a_picture_s_features_are_its_own(self, plugin: Backbone) -> None:
        """Where nothing is trained, whatever the other pictures of the batch are."""
        for maps in (False, True) if self.maps else (False,):
            body = self._built(plugin, maps=maps)
            images = self._images(body, 3)
            with torch.no_grad():
                together = _all(body(images))
                for number in range(3):
                    alone = _all(body(images[number : number + 1]))
                    off = max(
                        float((one[0] - whole[number]).abs().max() / whole.abs().max().clamp(1e-6))
                        for one, whole in zip(alone, together, strict=True)
                    )
                    assert off < 1e-3, (
                        "the features of a picture depend on the other pictures of the batch: "
                        f"expected the same when it comes alone, found them {off:.2g} of the "
                        "largest beside them"
                    )

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
            refuses(lambda: self._built(plugin, maps=True), WeightsError, "build() for maps")
            return
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


def far(features: torch.Tensor | list[torch.Tensor]) -> dict[int, int]:
    """How many operations lie at most between each parameter, by `id`, and the features."""
    roots = [one.grad_fn for one in _all(features) if one.grad_fn is not None]
    order: list[Any] = []  # an operation after all that it feeds
    seen: set[Any] = set()
    waiting: list[tuple[Any, bool]] = [(root, False) for root in roots]
    while waiting:
        node, done = waiting.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(before, False) for before, _ in node.next_functions if before is not None]
    depth = dict.fromkeys(roots, 1)
    found: dict[int, int] = {}
    for node in reversed(order):
        if hasattr(node, "variable"):
            found[id(node.variable)] = depth[node]
        for before, _ in node.next_functions:
            if before is not None:
                depth[before] = max(depth.get(before, 0), depth[node] + 1)
    return found


def _all(features: torch.Tensor | list[torch.Tensor]) -> list[torch.Tensor]:
    return [features] if isinstance(features, torch.Tensor) else features
