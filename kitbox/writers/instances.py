"""A mask taken apart: every connected piece is an instance."""

from __future__ import annotations

from typing import Literal

from kitbox.runs import Runs


def instances(runs: Runs, connectivity: Literal[4, 8] = 8) -> list[Runs]:
    """The connected pieces of a mask, each of the mask's size, in the order of their first pixels.

    Args:
        connectivity: 8 joins pixels that touch at a corner, 4 does not.
    """
    import cv2
    import numpy as np

    if not len(runs.starts):
        return []
    mask = np.ascontiguousarray(runs.mask(), dtype=np.uint8)
    _, labels = cv2.connectedComponents(mask, connectivity=connectivity)
    flat = labels.ravel(order="F")  # stretches of one label are runs, already in order
    changes = np.flatnonzero(np.append(True, flat[1:] != flat[:-1]))
    values, lengths = flat[changes], np.diff(np.append(changes, len(flat)))
    pieces: dict[int, list[int]] = {}
    for place, value in enumerate(values.tolist()):
        if value:
            pieces.setdefault(value, []).append(place)
    return [
        Runs(runs.height, runs.width, changes[places], lengths[places])
        for places in pieces.values()
    ]
