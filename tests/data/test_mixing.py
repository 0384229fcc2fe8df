"""Mixed batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from kitbox.data.mixing import Mix


def batch(count: int = 5, size: tuple[int, int] = (12, 20)) -> torch.Tensor:
    """Picture b has the value b everywhere."""
    return torch.arange(float(count))[:, None, None, None].expand(count, 3, *size).contiguous()


def test_blends_are_shares_of_both() -> None:
    for seed in range(20):
        images = batch()
        mixed, own = Mix(mixup=0.4).apply(images, (seed,))
        assert 0 <= own <= 1
        assert torch.equal(images, batch())
        expected = own * images + (1 - own) * images.flip(0)
        torch.testing.assert_close(mixed, expected)


def test_cuts_are_one_rectangle_of_the_share() -> None:
    shares = []
    for seed in range(200):
        images = batch(4)
        mixed, own = Mix(cutmix=1.0).apply(images, (seed,))
        other = mixed != images
        assert torch.equal(other[0], other[3])  # the same place in all
        assert torch.equal(mixed[other], images.flip(0)[other])
        part = other[0, 0]
        assert 1 - float(part.float().mean()) == pytest.approx(own)
        rows, columns = part.any(dim=1), part.any(dim=0)
        assert int(part.sum()) == int(rows.sum()) * int(columns.sum())
        shares.append(own)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.06)  # Beta(1, 1) is even
    assert min(shares) < 0.1
    assert max(shares) > 0.9


def test_a_share_of_the_batches_and_a_seed() -> None:
    mix = Mix(mixup=0.4, cutmix=1.0, share=0.5)
    results = [mix.apply(batch(), (7, seed)) for seed in range(300)]
    assert np.mean([own == 1.0 for _, own in results]) == pytest.approx(0.5, abs=0.1)
    again, own = mix.apply(batch(), (7, 3))
    assert torch.equal(again, results[3][0])
    assert own == results[3][1]
    cuts = [set(mixed.unique().tolist()) <= set(range(5)) for mixed, own in results if own < 1]
    assert 0.3 < np.mean(cuts) < 0.7


def test_options() -> None:
    with pytest.raises(ValidationError, match="expected `mixup`, `cutmix` or both"):
        Mix()
    with pytest.raises(ValidationError):
        Mix(mixup=-1)
