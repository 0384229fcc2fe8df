"""WAV files as sound."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

RATES = 100, 1_000_000
"""Samples a second that a recording may have; others are of a damaged header."""


def read(file: Path, rate: int) -> np.ndarray:
    """A WAV file as sound (N,) float64 from -1 to 1, channels averaged, at `rate`.

    Raises:
        ValueError: when it cannot be read, is empty, or holds what is no number.
    """
    import numpy as np
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks that are not sound
            own, values = wavfile.read(file)
    except OSError:  # of the disk
        raise
    # What scipy stumbles over in a damaged header.
    except (EOFError, struct.error, ArithmeticError, LookupError, TypeError, NameError) as error:
        raise ValueError(f"it is damaged ({error})") from error
    if not values.size:
        raise ValueError("it holds no sound")
    if not RATES[0] <= own <= RATES[1]:
        raise ValueError(f"it says that it has {own} samples a second")
    sound = _to_unit(values)
    if not np.isfinite(sound).all():
        raise ValueError("it holds samples that are no numbers")
    sound = sound.mean(axis=1) if sound.ndim > 1 else sound
    if own != rate:
        common = int(np.gcd(own, rate))
        sound = resample_poly(sound, rate // common, own // common)
    return sound


def of_length(sound: np.ndarray, length: int) -> np.ndarray:
    """A sound (N,) cut to a length, or with silence after it."""
    import numpy as np

    return np.pad(sound[:length], (0, max(0, length - len(sound))))


def _to_unit(values: np.ndarray) -> np.ndarray:
    """Samples of any kind as floats from -1 to 1."""
    import numpy as np

    kinds: dict[str, Any] = {"u": lambda v: (v - 128) / 128, "f": lambda v: v}
    whole = values.astype(np.float64)
    if values.dtype.kind in kinds:
        return kinds[values.dtype.kind](whole)
    return whole / -float(np.iinfo(values.dtype).min)
