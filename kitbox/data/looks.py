"""One look at a picture file: whether all of it decodes, its size, and prints that tell copies."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitbox.data import gate
from kitbox.data.images import FORMATS, decode, open_picture, quiet
from kitbox.errors import PictureError

if TYPE_CHECKING:
    import numpy as np

MOST_PIXELS = 178_000_000
"""Larger pictures are refused unread; just below the size at which Pillow refuses."""

_SIDE, _THUMB = 128, 8


class TooLarge(PictureError):  # noqa: N818 - it says what kind of PictureError
    """A picture with more pixels than are allowed; it was not decoded."""


@dataclass(frozen=True)
class Look:
    """What is known of a picture file.

    Attributes:
        ending: the suffix that its content deserves, `jpg` say; '' where there is no file.
        width, height: pixels, upright.
        sha256: of the file's bytes (or the pixels), hex digits.
        shape: a perceptual hash of its shapes, 64 bits: copies differ in few of them.
        colors: 8 x 8 pixels RGB, row by row: copies have nearly the same.
    """

    ending: str
    width: int
    height: int
    sha256: str
    shape: int
    colors: bytes


def look(path: Path, *, most_pixels: int = MOST_PIXELS) -> Look:
    """Decode a picture file in full and describe it.

    Raises:
        PictureError: the reason why it is no picture that a run could use;
            `TooLarge` when that is its size.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise PictureError("the file is missing") from error
    except OSError as error:
        raise PictureError(f"the file cannot be read ({error.strerror})") from error
    if not data:
        raise PictureError("the file is empty")
    try:
        ending = _load(data, most_pixels)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError(f"the file is no picture that can be read{_kind(data)}") from error
    except Image.DecompressionBombError as error:
        raise TooLarge(f"the picture is too large ({error})") from error
    except Exception as error:  # damage makes Pillow raise nearly anything
        reason = str(error) or type(error).__name__
        raise PictureError(f"the picture is damaged ({reason})") from error
    # As a run would see it: upright, any mode as RGB.
    pixels, (height, width) = decode(path, _SIDE)
    shape, colors = _prints(Image.fromarray(pixels))
    return Look(ending, width, height, hashlib.sha256(data).hexdigest(), shape, colors)


def of_pixels(pixels: np.ndarray) -> Look:
    """A look at a picture (H, W, C) uint8 that was decoded before; its prints are near a file's.

    The hash is of the pixels: equal ones are copies, whatever their files' bytes.
    """
    import cv2
    import numpy as np
    from PIL import Image

    height, width = pixels.shape[:2]
    shrunk = _SIDE / max(height, width)
    if shrunk < 1:
        size = max(1, round(width * shrunk)), max(1, round(height * shrunk))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    pixels = np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], -1)[..., :3])
    if pixels.shape[2] != 3:
        pixels = np.repeat(pixels[..., :1], 3, axis=2)
    shape, colors = _prints(Image.fromarray(pixels))
    return Look("", width, height, hashlib.sha256(pixels.tobytes()).hexdigest(), shape, colors)


def _load(data: bytes, most_pixels: int) -> str:
    """Decode all of a picture, and forget it; its suffix."""
    with quiet(), open_picture(io.BytesIO(data)) as image:
        _check_size(image, most_pixels)
        with gate.held(image):
            image.load()  # strict: a truncated picture is no picture
        return FORMATS[str(image.format)]


def _check_size(image: Any, most_pixels: int) -> None:
    if image.width * image.height > most_pixels:
        raise TooLarge(
            f"the picture is too large ({image.width} x {image.height} pixels, "
            f"{most_pixels / 1e6:g} million are allowed)"
        )


def _prints(image: Any) -> tuple[int, bytes]:
    import imagehash
    from PIL import Image

    shape = int(str(imagehash.phash(image)), 16)
    return shape, image.resize((_THUMB, _THUMB), Image.Resampling.BOX).tobytes()


def _kind(data: bytes) -> str:
    """What a file that is no picture seems to be, for a message."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    kinds = {
        b"<!doctype html": "a web page",
        b"<html": "a web page",
        b"<svg": "an SVG drawing",
        b"<?xml": "XML",
        b"%pdf": "a PDF",
        b"{": "JSON",
    }
    for start, kind in kinds.items():
        if head.startswith(start):
            return f" (it seems to be {kind})"
    return " (AVIF)" if head[4:12] in (b"ftypavif", b"ftypavis") else ""
