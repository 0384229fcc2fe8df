"""Log-mel pictures of sound."""

from __future__ import annotations

import numpy as np

LEAST = 1e-10
"""Power that counts as silence."""
BLOCK = 4096
"""Windows that are transformed at once."""


def hertz_to_mel(hertz: np.ndarray | float) -> np.ndarray:
    """O'Shaughnessy, "Speech Communication", 1987."""
    return 2595 * np.log10(1 + np.asarray(hertz, np.float64) / 700)


def mel_to_hertz(mel: np.ndarray | float) -> np.ndarray:
    """The way back."""
    return 700 * (10 ** (np.asarray(mel, np.float64) / 2595) - 1)


def filters(bands: int, window: int, rate: int, low: float, high: float) -> np.ndarray:
    """Triangles (bands, window // 2 + 1) over the frequencies of a Fourier transform.

    They are equally wide in mel from `low` to `high` Hz, and half overlap. Each adds up to
    1, so that a band is a mean; one that is narrower than the transform's steps takes the
    nearest frequency.
    """
    frequencies = np.arange(window // 2 + 1) * rate / window
    edges = mel_to_hertz(np.linspace(hertz_to_mel(low), hertz_to_mel(high), bands + 2))
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    found = np.maximum(0, np.minimum(rising, falling))
    for band in np.flatnonzero(found.sum(axis=1) == 0):
        found[band, abs(frequencies - edges[band + 1]).argmin()] = 1
    return found / found.sum(axis=1, keepdims=True)


def log_mel(
    sound: np.ndarray,
    rate: int,
    *,
    bands: int,
    window: int,
    hop: int,
    low: float,
    high: float,
    decibels: float,
) -> np.ndarray:
    """A picture (bands, frames) uint8 of a sound (N,): time to the right, high tones above.

    White is the loudest place, black is `decibels` below it and less.

    Args:
        window, hop: of the Fourier transform, in samples.
    """
    if len(sound) < window:
        sound = np.pad(sound, (0, window - len(sound)))
    count = 1 + (len(sound) - window) // hop
    windows = np.lib.stride_tricks.sliding_window_view(sound, window)[::hop]
    shape, triangles = np.hanning(window + 1)[:-1], filters(bands, window, rate, low, high)
    mel = np.empty((bands, count))
    for start in range(0, count, BLOCK):  # an hour's windows at once would fill the memory
        part = windows[start : start + BLOCK] * shape
        mel[:, start : start + BLOCK] = triangles @ (abs(np.fft.rfft(part, axis=1)) ** 2).T
    loud = 10 * np.log10(np.maximum(mel, LEAST))
    below = np.clip(loud - loud.max(), -decibels, 0)
    if mel.max() <= LEAST:  # silence has no loudest place
        below = np.full_like(below, -decibels)
    return np.rint(255 * (1 + below[::-1] / decibels)).astype(np.uint8)
