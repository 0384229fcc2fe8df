"""Sharing batches among processes."""

from __future__ import annotations

import numpy as np
import pytest

from kitbox.data.sharing import Share


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("batch", [*range(1, 20), 63, 64])
def test_every_row_is_done_once_and_beside_its_partner(count: int, batch: int) -> None:
    shares = [Share(index, count) for index in range(count)]
    if not shares[0].divides(batch):
        assert count == 1 or count > -(-batch // 2)
        assert all(share.places(batch).tolist() == list(range(batch)) for share in shares)
        return
    parts = [share.places(batch) for share in shares]
    assert sorted(np.concatenate(parts).tolist()) == list(range(batch))
    for part in parts:
        np.testing.assert_array_equal(part[::-1], batch - 1 - part)
    sizes = [len(part) for part in parts]
    assert min(sizes) > 0
    assert max(sizes) - min(sizes) <= 2
    for own, part in zip(shares, parts, strict=True):
        np.testing.assert_array_equal(own.all_places(batch)[own.index], part)


def test_one_process_does_all_in_order() -> None:
    assert Share().places(5).tolist() == [0, 1, 2, 3, 4]
    assert not Share().divides(64)


def test_two_processes() -> None:
    assert Share(0, 2).places(7).tolist() == [0, 2, 4, 6]
    assert Share(1, 2).places(7).tolist() == [1, 3, 5]
    assert Share(1, 2).places(2).tolist() == [0, 1]  # one pair: both do it
