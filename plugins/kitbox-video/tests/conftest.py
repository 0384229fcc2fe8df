"""Made-up films: a bright square that goes to the left or to the right, on one of two colours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

FRAMES, RATE = 12, 6.0


def film(path: Path, seed: int, blue: bool, frames: int = FRAMES) -> None:
    """Write a film of 64x48 pixels. The number of a frame is how far its square has come."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (64, 48))
    colour = np.array([150, 40, 40] if blue else [40, 40, 150])
    for number in range(frames):
        frame = np.clip(colour + rng.integers(-25, 25, (48, 64, 3)), 0, 255).astype(np.uint8)
        frame[16:32, 4 * number : 4 * number + 8] = 255
        out.write(frame)
    out.release()


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A competition: is the film blue or red?"""
    folder = tmp_path / "raw"
    for number in range(10):
        name = "blue" if number % 2 else "red"
        film(folder / "train" / name / f"f{number}.avi", number, bool(number % 2))
    for number in range(4):
        film(folder / "test" / f"t{number}.avi", 90 + number, bool(number % 2))
    sample = "film,what\n" + "".join(f"t{number}.avi,red\n" for number in range(4))
    (folder / "sample_submission.csv").write_text(sample)
    return folder
