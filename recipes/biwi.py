"""The centre of the head in BIWI's pictures, as fast.ai's course computes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def centre(pose: Path) -> tuple[float, float]:
    """Where a head's centre is on its picture, in pixels.

    Args:
        pose: a file of three rows that rotate, an empty one, and the centre in
            millimetres as the depth camera sees it. The camera of the pictures is
            described beside it, in `rgb.cal`.
    """
    x, y, z = np.genfromtxt(pose, skip_header=3)
    camera = np.genfromtxt(pose.parent / "rgb.cal", skip_footer=6)
    return x * camera[0][0] / z + camera[0][2], y * camera[1][1] / z + camera[1][2]
