"""Made-up recordings: tones that rise or fall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

RATE = 8000


def tone(rises: bool, seed: int, seconds: float = 0.5) -> np.ndarray:
    """A tone from one frequency to another, and some noise: int16."""
    rng = np.random.default_rng(seed)
    ends = rng.uniform(300, 600), rng.uniform(1500, 3000)
    pitch = np.linspace(*(ends if rises else ends[::-1]), round(seconds * RATE))
    sound = np.sin(2 * np.pi * np.cumsum(pitch) / RATE) + rng.normal(0, 0.05, len(pitch))
    return (sound * 12000).astype(np.int16)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A competition: does the tone rise or fall?"""
    folder = tmp_path / "raw"
    for part in ("train", "test"):
        (folder / part).mkdir(parents=True)
    lines, sample = ["audio,what,who"], ["id,what"]
    for number in range(40):
        rises = bool(number % 2)
        part = "train" if number < 30 else "test"
        wavfile.write(folder / part / f"{number:03d}.wav", RATE, tone(rises, number))
        if part == "train":
            lines.append(f"{number:03d}.wav,{'up' if rises else 'down'},p{number // 6}")
        else:
            sample.append(f"{number:03d},up")
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    (folder / "sample_submission.csv").write_text("\n".join(sample) + "\n")
    return folder
