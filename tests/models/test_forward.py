"""The pass without targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from training.conftest import changed, copy, make_loader, make_model, make_task, together

from kitbox.data.targets import Fixed
from kitbox.models.forward import BothWays, predict

SIZE = (16, 16)
ROWS = np.array([30, 2, 17, 5, 9, 1, 33, 12, 0, 8, 22])


def test_predict_keeps_the_order_of_the_rows() -> None:
    model, loader = make_model().train(), make_loader()
    before, shown = copy(model), []
    batches = predict(model, loader, ROWS, SIZE, lambda n=1, note="": shown.append(n))
    found, frames = together(batches)
    assert (found.dtype, found.shape) == (np.float32, (11, 3))
    assert sum(shown) == len(frames) == loader.count(11)
    assert all(one.size == SIZE for one in frames)
    model.eval()
    for row, output in zip(ROWS, found, strict=True):
        (images, _, _) = next(iter(loader.fixed([row], SIZE)))
        np.testing.assert_allclose(model(images)[0].detach().numpy(), output, atol=1e-5)
    assert len(np.unique(found, axis=0)) == 11
    assert changed(model, before) == set()


def test_predict_asks_for_no_targets() -> None:
    class Unknown(Fixed):
        def view(self, *args: object) -> np.ndarray:
            raise AssertionError("test pictures have no targets")

    loader = make_loader()
    loader = replace(loader, targets=Unknown(np.zeros(36)))
    assert len(together(predict(make_model(), loader, ROWS, SIZE))[0]) == 11


def test_nothing_to_predict() -> None:
    assert list(predict(make_model(), make_loader(), np.array([], int), SIZE)) == []


class Column(torch.nn.Module):
    """Outputs that say what is at the left, at the right, or everywhere."""

    def __init__(self, maps: bool) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (
            images if self.maps else torch.stack([images[..., 0], images[..., -1]], 1).mean((2, 3))
        )


@pytest.mark.parametrize("maps", [True, False])
def test_both_ways_is_the_mean_of_a_picture_and_its_mirror_image(maps: bool) -> None:
    images = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    model = Column(maps)
    found = BothWays(model, make_task())(images)
    if maps:  # mirrored back, they are the same
        torch.testing.assert_close(found, images)
    else:
        plain = model(images)
        torch.testing.assert_close(found, (plain + plain.flip(1)) / 2)


def test_a_task_says_how_its_outputs_are_mirrored_back() -> None:
    class Where(type(make_task())):  # type: ignore[misc]
        def mirrored(self, outputs: torch.Tensor) -> torch.Tensor:
            return outputs.flip(1)

    images = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    task = Where.model_construct()
    model = Column(False)
    torch.testing.assert_close(BothWays(model, task)(images), model(images))
