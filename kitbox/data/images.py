"""One picture file to pixels: any mode, any depth, upright, no larger than needed."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from kitbox.data import gate, jpeg
from kitbox.errors import PictureError

if TYPE_CHECKING:
    import numpy as np

DECODER = 3
"""Raise when pixels of the same file may change; the pixel cache is keyed by it."""

FORMATS = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "BMP": "bmp",
    "GIF": "gif",
    "TIFF": "tif",
    "WEBP": "webp",
    "PPM": "ppm",
    "JPEG2000": "jp2",
    "AVIF": "avif",
}
"""Formats that are opened, by Pillow's names, and the suffix of each.

No others, whatever a file is called: some of Pillow's readers start a program
(EPS: Ghostscript).
"""

_READERS = [name for name in FORMATS if name != "MPO"]  # which JPEG's reader opens
_STRIP = 1 << 18  # pixels that are converted at once
_FAST = {"JPEG": ("RGB", "L"), "MPO": ("RGB",), "PNG": ("RGB", "L", "P")}


def open_picture(source: Path | BinaryIO) -> Any:
    """Pillow's image of a file, of one of `FORMATS`; its header is read, no pixels."""
    from PIL import Image

    Image.init()  # `formats` knows only those whose readers are loaded
    return Image.open(source, formats=[name for name in _READERS if name in Image.OPEN])


def decode(path: Path, side: int, channels: int = 3) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode a picture so that it just fits into a square.

    EXIF orientation is applied, transparency is dropped (kept with 4 channels),
    16-bit pictures are scaled to 8, CMYK and palettes become RGB. Of an
    animation the first frame is taken.

    Args:
        path: the file.
        side: of the square, pixels; the picture's longer side becomes this long.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).

    Returns:
        The picture (h, w, channels) uint8, and its own (height, width).

    Raises:
        PictureError: the reason why it cannot be decoded.
    """
    from PIL import Image, UnidentifiedImageError

    data = _read(path)
    try:
        picture, size, turn = _plain_jpeg(data, side, channels) or _any(data, side, channels)
    except UnidentifiedImageError as error:
        raise PictureError("the file is no picture that can be read") from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"the picture is too large ({error})") from error
    except Exception as error:  # damage makes Pillow raise nearly anything
        reason = str(error) or type(error).__name__
        raise PictureError(f"the picture is damaged ({reason})") from error
    return _upright(picture, turn), size[::-1] if turn in (5, 6, 7, 8) else size


def _read(path: Path, most: int = -1) -> bytes:
    """The first bytes of a file that has some, all by default."""
    try:
        if most < 0:
            data = path.read_bytes()
        else:
            with path.open("rb") as file:
                data = file.read(most)
    except FileNotFoundError as error:
        raise PictureError("the file is missing") from error
    except OSError as error:
        raise PictureError(f"the file cannot be read ({error.strerror})") from error
    if not data:
        raise PictureError("the file is empty")
    return data


def _plain_jpeg(
    data: bytes, side: int, channels: int
) -> tuple[np.ndarray, tuple[int, int], int] | None:
    """A picture scaled to fit, its own size, and its orientation; None where `_any` has to."""
    known = jpeg.header(data)
    if known is None or known.height * known.width > gate.MOST:
        return None
    if channels == 4 or known.components not in (1, 3):
        return None
    with gate.held(known):
        size = known.height, known.width
        picture = _fast(data, size, side, channels, jpeg=True)
        return None if picture is None else (picture, size, known.turn)


def _any(data: bytes, side: int, channels: int) -> tuple[np.ndarray, tuple[int, int], int]:
    """A picture of any kind, scaled to fit, its own size, and its orientation."""
    with quiet(), open_picture(io.BytesIO(data)) as image, gate.held(image):
        size, picture = (image.height, image.width), None
        if channels != 4 and image.mode in _FAST.get(image.format, ()):
            picture = _fast(data, size, side, channels, jpeg=image.format != "PNG")
        if picture is None:
            picture = _resize(_careful(image, channels), fitted(size, side))
        return picture, size, _turn(data, image)


def fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Height and width of a picture of `size` when its longer side is `side` pixels.

    >>> fitted((375, 500), 240)
    (180, 240)
    """
    scale = side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def size(path: Path) -> tuple[int, int]:
    """Height and width of a picture, upright, from its header.

    Raises:
        PictureError: the reason why it cannot be told.
    """
    return _looked(path, _read(path, _HEAD))


def probe(path: Path) -> tuple[int, int]:
    """As `size`, where the file also ends as a whole one does, as far as that shows.

    Raises:
        PictureError: the reason why it cannot be decoded.
    """
    head = _read(path, _HEAD)
    found = _looked(path, head)
    kind = next((end for start, end in _ENDS.items() if head.startswith(start)), b"")
    if kind not in head[-64:]:
        try:
            with path.open("rb") as file:
                file.seek(-64, 2)
                tail = file.read()
        except OSError as error:
            raise PictureError(f"the file cannot be read ({error.strerror})") from error
        if kind not in tail:
            return decode(path, 64)[1]  # it may be whole all the same
    return found


_HEAD = 1 << 16
"""Bytes that nearly always hold the header of a picture."""
_ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND"}
"""How files begin, and how they then end."""


def _looked(path: Path, head: bytes) -> tuple[int, int]:
    """Height and width, upright, from the first bytes, or with Pillow from the file."""
    if (found := jpeg.header(head)) is not None:
        upright, turn = (found.height, found.width), found.turn
    else:
        try:
            with quiet(), open_picture(path) as image:
                upright = image.height, image.width
                turn = _turn(head, image)
        except Exception as error:  # damage makes Pillow raise nearly anything
            raise PictureError(f"the picture cannot be read ({error})") from error
    return upright[::-1] if turn in (5, 6, 7, 8) else upright


def _resize(picture: np.ndarray, to: tuple[int, int]) -> np.ndarray:
    """A picture (h, w, C) scaled to the size `to` (H, W)."""
    import cv2

    if picture.shape[:2] == to:
        return picture
    shrinks = to[0] * to[1] < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized = cv2.resize(picture, to[::-1], interpolation=how)
    return resized.reshape(*to, picture.shape[2])


def _fast(
    data: bytes, size: tuple[int, int], side: int, channels: int, *, jpeg: bool
) -> np.ndarray | None:
    """A picture scaled to fit, by OpenCV's decoder, reduced where that is enough.

    None where it may get it wrong.
    """
    import cv2
    import numpy as np

    if not (b"\xff\xd9" in data[-64:] if jpeg else _is_whole_png(data)):
        return None  # OpenCV fills what is missing with grey and says nothing
    flag, factor = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR, 1
    if jpeg:
        reduced = {
            8: (cv2.IMREAD_REDUCED_GRAYSCALE_8, cv2.IMREAD_REDUCED_COLOR_8),
            4: (cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_COLOR_4),
            2: (cv2.IMREAD_REDUCED_GRAYSCALE_2, cv2.IMREAD_REDUCED_COLOR_2),
        }
        for times, flags in reduced.items():
            if max(size) >= times * side:
                flag, factor = flags[channels != 1], times
                break
    try:
        # Orientation is applied below, the same way for every format and version.
        picture = cv2.imdecode(
            np.frombuffer(data, np.uint8), int(flag) | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:
        return None
    if picture is None or picture.shape[:2] != (-(-size[0] // factor), -(-size[1] // factor)):
        return None
    if channels == 1:
        return _resize(picture[:, :, None], fitted(size, side))
    return cv2.cvtColor(_resize(picture, fitted(size, side)), cv2.COLOR_BGR2RGB)


def _is_whole_png(data: bytes) -> bool:
    """Whether the chunks follow each other to the end.

    OpenCV believes a damaged length and takes gigabytes for it.
    """
    at = 8
    while at + 12 <= len(data):
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False


def _careful(image: Any, channels: int) -> np.ndarray:
    """Pillow's decoder, strict about damage, for every mode.

    What it decodes is turned into pixels strip by strip: copies of a whole picture in
    other types would be several times its size.
    """
    import numpy as np

    image.load()
    white = _white(image)
    picture = np.empty((image.height, image.width, channels), np.uint8)
    for start, strip in _strips(image):
        rows = picture[start : start + strip.height]
        if white is None:
            rows[:] = _plain(strip, channels)
        else:
            grey = np.clip(np.rint(_numbers(strip) * (255.0 / white)), 0, 255)
            rows[..., : min(channels, 3)] = grey[..., None]
            rows[..., 3:] = 255
    return picture


def _strips(image: Any) -> Iterator[tuple[int, Any]]:
    """A loaded image from top to bottom: the first row of each strip, and the strip."""
    height = max(1, _STRIP // image.width)
    for start in range(0, image.height, height):
        end = min(start + height, image.height)
        yield start, image.crop((0, start, image.width, end))


def _plain(strip: Any, channels: int) -> np.ndarray:
    """Pixels (h, w, channels) of an image of 8 bits or less."""
    import numpy as np

    if strip.mode in ("P", "PA", "LA") and channels != 4:
        strip = strip.convert("RGBA").convert("RGB")
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    return np.asarray(strip.convert(mode)).reshape(strip.height, strip.width, channels)


def _numbers(strip: Any) -> np.ndarray:
    """Values (h, w) of a deeper image, float64; 0 for what is no number."""
    import numpy as np

    return np.nan_to_num(np.asarray(strip).astype(np.float64), posinf=0, neginf=0)


def _white(image: Any) -> float | None:
    """The value that is white in an image of more than 8 bits; None where it has no more."""
    if image.mode.startswith("I;16"):
        return 65535.0
    if image.mode.startswith("I") or image.mode == "F":
        return _top(max(float(_numbers(strip).max(initial=0)) for _, strip in _strips(image)))
    return None


def _top(greatest: float) -> float:
    """White, for numbers whose type does not tell it: the least usual one that holds them."""
    return next((top for top in (1.0, 255.0, 65535.0) if greatest <= top), greatest)


def _turn(data: bytes, image: Any) -> int:
    """EXIF's orientation, 1 to 8; 1 where it is unknown or its block is damaged."""
    if image.format == "PNG" and not any(
        word in data for word in (b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp")
    ):
        return 1  # Pillow would decode the whole picture to look behind it
    try:
        turn = image.getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001  the picture itself was decoded
        return 1
    return turn if turn in range(1, 9) else 1


_calls = 0
_calls_lock = threading.Lock()
_filters: warnings.catch_warnings[None] | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore Pillow's warnings (large pictures, odd tags) while any thread decodes.

    `warnings.catch_warnings` alone would be restored out of order by threads.
    """
    global _calls, _filters  # noqa: PLW0603
    with _calls_lock:
        if _calls == 0:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\b")
        _calls += 1
    try:
        yield
    finally:
        with _calls_lock:
            _calls -= 1
            if _calls == 0 and _filters is not None:
                _filters.__exit__(None, None, None)


def _upright(picture: np.ndarray, turn: int) -> np.ndarray:
    """Undo the rotation and mirroring that EXIF's orientation (1 to 8) names."""
    import numpy as np

    if turn in (5, 6, 7, 8):
        picture = picture.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if turn in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)
