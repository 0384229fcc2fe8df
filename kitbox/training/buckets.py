"""Sums over processes in buckets of a bounded size, whatever the size of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import torch

from kitbox.errors import TrainingError

SIZE = 25 * 2**20 // 4
"""Numbers (float32) in a bucket: 25 MB."""


class _Piece(NamedTuple):
    """Numbers `start` to `stop` of the tensor at a place, flat."""

    place: int
    start: int
    stop: int


@dataclass(eq=False)
class Buckets:
    """Sums tensors over processes, a bucket at a time, in the tensors' order.

    The memory of a bucket is taken once and kept.

    Attributes:
        size: numbers in a bucket.
    """

    size: int = SIZE
    _bucket: torch.Tensor = field(default_factory=lambda: torch.empty(0), init=False)

    @torch.no_grad()
    def sum(
        self, tensors: Sequence[torch.Tensor], total: Callable[[torch.Tensor], torch.Tensor]
    ) -> None:
        """Sum tensors of one device, in place.

        Args:
            total: the sum of a float32 tensor (n,) over processes; all of them call it.

        Raises:
            TrainingError: when the device's memory is full.
        """
        counts = [one.numel() for one in tensors]
        self._take(min(self.size, sum(counts)), tensors[0].device)
        flats: dict[int, torch.Tensor] = {}  # of the bucket's tensors: views, or copies
        for pieces in _plan(counts, self.size):
            summed = total(_fitting(partial(self._filled, tensors, flats, pieces)))
            at = 0
            for place, start, stop in pieces:
                flats[place][start:stop].copy_(summed[at : at + stop - start])
                at += stop - start
                if stop == counts[place]:
                    flat, tensor = flats.pop(place), tensors[place]
                    if flat.data_ptr() != tensor.data_ptr():
                        tensor.copy_(flat.view_as(tensor))

    def _take(self, size: int, device: torch.device) -> None:
        if self._bucket.numel() < size or self._bucket.device != device:
            self._bucket = torch.empty(0)  # lets go of the smaller one
            self._bucket = _fitting(lambda: torch.empty(size, device=device))

    def _filled(
        self, tensors: Sequence[torch.Tensor], flats: dict[int, torch.Tensor], pieces: list[_Piece]
    ) -> torch.Tensor:
        for piece in pieces:
            if piece.place not in flats:
                flats[piece.place] = tensors[piece.place].reshape(-1)
        parts = [flats[place][start:stop] for place, start, stop in pieces]
        bucket = self._bucket[: sum(len(part) for part in parts)]
        return torch.cat(parts, out=bucket)


def _plan(counts: Sequence[int], size: int) -> Iterator[list[_Piece]]:
    """What goes into each bucket, of tensors with so many numbers."""
    pieces: list[_Piece] = []
    room = size
    for place, count in enumerate(counts):
        start = 0
        while start < count:
            stop = min(count, start + room)
            pieces.append(_Piece(place, start, stop))
            start, room = stop, room - (stop - start)
            if not room:
                yield pieces
                pieces, room = [], size
    if pieces:
        yield pieces


def _fitting(make: Callable[[], torch.Tensor]) -> torch.Tensor:
    """What `make` gives, tried again with the allocator's unused memory given back.

    Nothing is on its way to other processes meanwhile, so they only wait.
    """
    try:
        return make()
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
    try:
        return make()
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            "The device's memory is full where the processes add up their gradients",
            found=str(error).splitlines()[0],
            do="Use a smaller `batch_size`; the same command goes on from the last checkpoint",
        ) from error
