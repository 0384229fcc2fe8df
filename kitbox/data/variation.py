"""What an augmentation does to pictures, found out by trying it."""

from __future__ import annotations

import numpy as np

from kitbox.contracts import Augmentation, Variation
from kitbox.data import pipelines

SIDE = 64
TRIES = 64
"""Enough that one picture in ten being mirrored is seen all but surely (1 - 0.9^64)."""


def seen(augmentation: Augmentation) -> Variation:
    """What some tries show; the same every time.

    Where an augmentation cannot be tried (its transforms take no points, say),
    nothing is known of it, and nothing is said.
    """
    try:
        factors = _factors(augmentation)
    except Exception:  # noqa: BLE001  a stranger's transforms may fail in any way; a run tells it
        return Variation()
    kept = float((1 / np.abs(factors)).min(initial=1.0, where=factors != 0))
    return Variation(mirrors=bool((factors < 0).any()), kept=kept)


def _factors(augmentation: Augmentation) -> np.ndarray:
    """How areas grow in each of the tries (N,); negative where the picture is mirrored."""
    import cv2

    transforms = augmentation.transforms(SIDE, SIDE, cv2.INTER_LINEAR)
    if callable(transforms):
        drawn = [transforms(np.random.default_rng(n), (SIDE, SIDE)) for n in range(TRIES)]
        return np.array([1 / np.linalg.det(warp.matrix / warp.matrix[2, 2]) for warp in drawn])
    if not transforms:
        return np.ones(0)
    points = pipelines.albumentations().KeypointParams(format="xy", remove_invisible=False)
    compose = pipelines.compose(transforms, {"keypoint_params": points})
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    corner = np.array([[28, 28], [36, 28], [28, 36]], np.float32)
    factors = []
    for number in range(TRIES):
        compose.set_random_seed(number)
        moved = compose(image=picture, keypoints=corner)["keypoints"]
        (ax, ay), (bx, by) = (np.array(moved[place]) - np.array(moved[0]) for place in (1, 2))
        factors.append((ax * by - ay * bx) / 64)
    return np.array(factors)
