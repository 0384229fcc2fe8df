"""Cached pictures on a GPU: all of them, or those of a batch at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch

    from kitbox.data.pixels import Pixels

SHARE = 0.3
"""The share of a GPU's free memory that cached pictures may take."""


class Resident:
    """Gives batches of cached pictures on a device, which then warps them itself.

    Args:
        pixels: the cache. Once every picture is decoded all of them are sent, where they fit;
            until then, or where they do not, those of a batch.
        device: where they go.
        say: told which of these it is.
    """

    def __init__(
        self, pixels: Pixels, device: str, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self._pixels, self._device, self._say = pixels, device, say
        self._all: torch.Tensor | None = None
        self._tried = False

    def settle(self) -> None:
        """Send all pictures, where that can be and was not done; called between passes."""
        if self._tried or not self._pixels.decoded:
            return
        self._tried = True
        free, need = _free(self._device), self._pixels.canvas.nbytes
        if not self._pixels.whole or need > SHARE * free:
            self._say(
                f"pixels: sent to the GPU batch by batch ({need / 1e6:.0f} MB, of "
                f"{free / 1e6:.0f} MB that are free there {SHARE:.0%} may be taken)"
            )
            return
        import torch

        canvas = self._pixels.canvas
        try:
            there = torch.empty(canvas.shape, dtype=torch.uint8, device=self._device)
        except torch.OutOfMemoryError:  # free, but in pieces
            self._say("pixels: sent to the GPU batch by batch, whose memory is in pieces")
            return
        for start in range(0, len(canvas), 256):  # in pieces: they may be larger than the RAM
            there[start : start + 256] = torch.from_numpy(canvas[start : start + 256].copy())
        self._all = there
        self._say(f"pixels: on the GPU too ({need / 1e6:.0f} MB of {free / 1e6:.0f} MB free)")

    def fetch(self, rows: np.ndarray) -> np.ndarray | None:
        """What has to be sent for a batch, (B, S, S, C) uint8; None where all are there."""
        return self._pixels.squares(rows) if self._all is None else None

    def batch(
        self,
        rows: np.ndarray,
        fetched: np.ndarray | None,
        send: Callable[[np.ndarray], torch.Tensor],
    ) -> torch.Tensor:
        """Pictures of the rows on the device, (B, S, S, C) uint8, from what `fetch` gave."""
        if fetched is not None:
            return send(fetched)
        assert self._all is not None
        return self._all[send(rows)]


def _free(device: str) -> int:
    """Free bytes of a device's memory."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info()[0])
    from kitbox.environment import free_memory

    return free_memory()
