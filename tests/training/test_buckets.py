"""Sums over processes in buckets of a bounded size."""

from __future__ import annotations

import pytest
import torch

from kitbox.errors import TrainingError
from kitbox.training import buckets
from kitbox.training.buckets import Buckets


def tensors(seed: int) -> list[torch.Tensor]:
    """Of many layouts and sizes: none, one and many numbers, channels last, half precision."""
    torch.manual_seed(seed)
    return [
        torch.randn(3, 4),
        torch.randn(()),
        torch.empty(0),
        torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.randn(41),
        torch.randn(5, 7).t(),
        torch.randn(6).bfloat16(),
    ]


@pytest.mark.parametrize("size", [1, 7, 12, 40, 1000])
def test_the_sum_is_that_of_one_message_whatever_the_size(size: int) -> None:
    mine, theirs = tensors(0), tensors(1)
    strides = [one.stride() for one in mine]
    flat = torch.cat([one.reshape(-1).float() for one in theirs])
    wanted = [one + other for one, other in zip(mine, theirs, strict=True)]
    sent: list[int] = []

    def total(values: torch.Tensor) -> torch.Tensor:
        assert values.dtype == torch.float32
        start = sum(sent)
        sent.append(len(values))
        return values.add_(flat[start : start + len(values)])

    Buckets(size).sum(mine, total)
    assert sum(sent) == len(flat) == 12 + 1 + 120 + 41 + 35 + 6
    assert max(sent) <= size
    assert len(sent) == -(-len(flat) // size)
    for one, other in zip(mine, wanted, strict=True):
        assert torch.equal(one, other)
    assert [one.stride() for one in mine] == strides


def test_a_bucket_holds_25_mb_and_is_kept() -> None:
    big = [torch.ones(2 * buckets.SIZE + 1)]
    sent: list[torch.Tensor] = []

    def total(values: torch.Tensor) -> torch.Tensor:
        sent.append(values)
        return values

    kept = Buckets()
    kept.sum(big, total)
    kept.sum([torch.ones(5)], total)
    assert [one.nbytes for one in sent] == [25 * 2**20] * 2 + [4, 20]
    assert len({one.data_ptr() for one in sent}) == 1


def test_a_full_memory_is_tried_again_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything of the bucket is sent: the other processes wait meanwhile."""
    cat, full = torch.cat, [True]
    emptied: list[bool] = []

    def make(*of: object, **named: object) -> torch.Tensor:
        if full and full.pop():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 26.00 MiB")
        return cat(*of, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(torch, "cat", make)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    ones = [torch.ones(3)]
    Buckets().sum(ones, lambda values: values * 2)
    assert torch.equal(ones[0], torch.full((3,), 2.0))
    assert emptied == [True]
    full += [True, True]
    with pytest.raises(TrainingError, match="memory is full where the processes add up"):
        Buckets().sum(ones, lambda values: pytest.fail("sent"))
