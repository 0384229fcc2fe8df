"""The pass without targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from training.conftest import changed, copy, make_loader, make_model, together

from kitbox.data.targets import Fixed
from kitbox.models.forward import predict

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
