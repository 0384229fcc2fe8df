"""Pictures to pixels, compared with Pillow's own conversion."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, ImageOps

from kitbox.data import images, masks
from kitbox.data.images import decode
from kitbox.data.looks import look
from kitbox.errors import LabelError, PictureError


@pytest.fixture
def rgb() -> np.ndarray:
    """A smooth picture (40, 60, 3) whose corners and channels all differ."""
    y, x = np.mgrid[0:40, 0:60]
    return np.stack([x * 4, y * 6, (x + y) * 2], axis=-1).clip(0, 255).astype(np.uint8)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def as_rgb(path: Path) -> np.ndarray:
    """Pillow's own conversion; transparency is dropped, not blended."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA").convert("RGB"))


def png(rows: np.ndarray, color: int, depth: int, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG written by hand: rows (H, bytes per row)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    pixels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color] * depth // 8
    header = struct.pack(">IIBBBBB", rows.shape[1] // pixels, len(rows), depth, color, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = [(b"IHDR", header), *extra, (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks)


LOSSLESS = [
    (suffix, mode)
    for suffix in ("png", "bmp", "tif", "gif", "webp")
    for mode in ("RGB", "L", "P", "1", "RGBA", "LA", "PA")
    if (suffix, mode) not in {("bmp", "LA"), ("bmp", "PA"), ("png", "PA"), ("gif", "PA")}
]


@pytest.mark.parametrize(("suffix", "mode"), LOSSLESS)
def test_every_mode_in_every_lossless_format(
    rgb: np.ndarray, suffix: str, mode: str, tmp_path: Path
) -> None:
    image = Image.fromarray(rgb)
    if mode in ("RGBA", "LA", "PA"):
        image.putalpha(Image.fromarray(rgb[:, :, 0]))
    path = tmp_path / f"a.{suffix}"
    image.convert(mode).save(path, **({"lossless": True} if suffix == "webp" else {}))
    got, size = decode(path, 60)
    assert size == (40, 60)
    assert got.dtype == np.uint8
    assert got.flags.c_contiguous
    # WebP may change a colour that nobody sees: compare where something is to be seen.
    with Image.open(path) as opened:
        seen = np.asarray(opened.convert("RGBA"))[:, :, 3:] > 0
    assert np.array_equal(np.where(seen, got, 0), np.where(seen, as_rgb(path), 0))
    assert difference(got, as_rgb(path)) < 4


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "1"])
def test_channels(rgb: np.ndarray, mode: str, channels: int, tmp_path: Path) -> None:
    image = Image.fromarray(rgb)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(rgb[:, :, 0]))
    image.convert(mode).save(tmp_path / "a.png")
    got, _ = decode(tmp_path / "a.png", 60, channels)
    assert got.shape == (40, 60, channels)
    with Image.open(tmp_path / "a.png") as opened:
        if channels == 4:
            wanted = np.asarray(opened.convert("RGBA"))
        else:
            colours = opened.convert("RGBA").convert("RGB")
            wanted = np.asarray(colours.convert({1: "L", 3: "RGB"}[channels]))
    # OpenCV and Pillow round the weights of grey differently.
    assert np.abs(got.astype(int) - wanted.reshape(got.shape)).max() <= 1


def test_palette_with_transparency_drops_it(tmp_path: Path) -> None:
    image = Image.new("P", (8, 4), 1)
    image.putpalette([255, 0, 0, 10, 200, 30])
    image.save(tmp_path / "a.png", transparency=1)
    image.save(tmp_path / "a.gif", transparency=1)
    for name in ("a.png", "a.gif"):
        got, _ = decode(tmp_path / name, 8)
        assert (got == (10, 200, 30)).all(), name
        assert (decode(tmp_path / name, 8, 4)[0][..., 3] == 0).all(), name


def test_palette_with_a_transparency_of_bytes(tmp_path: Path) -> None:
    image = Image.new("P", (8, 4), 2)
    image.putpalette([255, 0, 0, 0, 255, 0, 10, 200, 30])
    image.save(tmp_path / "a.png", transparency=bytes([255, 128, 64]))
    assert (decode(tmp_path / "a.png", 8)[0] == (10, 200, 30)).all()
    assert (decode(tmp_path / "a.png", 8, 4)[0] == (10, 200, 30, 64)).all()


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpeg(rgb: np.ndarray, mode: str, tmp_path: Path) -> None:
    Image.fromarray(rgb).convert(mode).save(tmp_path / "a.jpg", quality=90)
    got, size = decode(tmp_path / "a.jpg", 60)
    assert size == (40, 60)
    assert difference(got, as_rgb(tmp_path / "a.jpg")) < 1.5


def test_cmyk_jpeg(rgb: np.ndarray, tmp_path: Path) -> None:
    """Pillow writes CMYK as Adobe does, inverted; both it and the plain kind are read."""
    inverted = tmp_path / "adobe.jpg"
    Image.fromarray(rgb).convert("CMYK").save(inverted, quality=95)
    assert b"Adobe" in inverted.read_bytes()
    got, _ = decode(inverted, 60)
    assert difference(got, as_rgb(inverted)) == 0
    assert difference(got, rgb) < 8  # Pillow's conversion to CMYK and back is plain
    plain = tmp_path / "plain.tif"
    Image.fromarray(rgb).convert("CMYK").save(plain)
    assert difference(decode(plain, 60)[0], rgb) < 3


def test_multi_picture_jpeg_gives_the_first(rgb: np.ndarray, tmp_path: Path) -> None:
    first, second = Image.fromarray(rgb), Image.fromarray(255 - rgb)
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second], quality=95)
    with Image.open(tmp_path / "a.jpg") as opened:
        assert opened.format == "MPO"
    assert difference(decode(tmp_path / "a.jpg", 60)[0], rgb) < 4


@pytest.mark.parametrize("suffix", ["gif", "webp", "tif", "png"])
def test_animation_gives_the_first_frame(suffix: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        **({"lossless": True} if suffix == "webp" else {}),
    )
    assert (decode(path, 8)[0] == (255, 0, 0)).all()


def test_16_bit_grey_is_scaled(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 48 * 32).reshape(32, 48).astype(np.uint16)
    wanted = np.rint(values / 257).astype(np.uint8)
    for name in ("a.png", "a.tif"):
        Image.fromarray(values).save(tmp_path / name)
        for channels in (1, 3):
            got, _ = decode(tmp_path / name, 48, channels)
            assert np.abs(got.astype(int) - wanted[:, :, None]).max() <= 1, (name, channels)
    with_alpha = decode(tmp_path / "a.png", 48, 4)[0]
    assert (with_alpha[..., 3] == 255).all()
    assert np.abs(with_alpha[..., :3].astype(int) - wanted[:, :, None]).max() <= 1


def test_dark_16_bit_grey_stays_dark(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 200, np.uint16)).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png", 8)[0].max() <= 1


@pytest.mark.parametrize(("color", "planes"), [(2, 3), (6, 4), (4, 2)])
def test_16_bit_colours_are_scaled(color: int, planes: int, tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 32 * 48 * planes).reshape(32, 48, planes).astype(">u2")
    (tmp_path / "a.png").write_bytes(png(values.reshape(32, -1).view(np.uint8), color, 16))
    wanted = np.rint(values / 257)[:, :, :3] if planes > 2 else np.rint(values[:, :, :1] / 257)
    got, _ = decode(tmp_path / "a.png", 48)
    assert np.abs(got.astype(int) - wanted).max() <= 1


def test_32_bit_whole_numbers(tmp_path: Path) -> None:
    for top in (255, 65535, 2_000_000):
        values = np.linspace(0, top, 256).reshape(16, 16).astype(np.int32)
        Image.fromarray(values, "I").save(tmp_path / "a.tif")
        got = decode(tmp_path / "a.tif", 16)[0][..., 0].astype(int)
        assert np.abs(got - values * (255 / top)).max() <= 0.51, top


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_float_tiff(top: float, tmp_path: Path) -> None:
    values = np.linspace(0, top, 256, dtype=np.float32).reshape(16, 16)
    Image.fromarray(values).save(tmp_path / "a.tif")
    got = decode(tmp_path / "a.tif", 16)[0][..., 1].astype(int)
    assert np.abs(got - values * (255 / top)).max() <= 0.51


def test_float_tiff_with_holes(tmp_path: Path) -> None:
    values = np.array([[np.nan, np.inf], [-3.0, 0.5]], np.float32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert decode(tmp_path / "a.tif", 2)[0][..., 0].tolist() == [[0, 0], [0, 128]]


DEEP = {
    "I;16": np.uint16,
    "I": np.int32,
    "F": np.float32,
}


@pytest.mark.parametrize("mode", [*DEEP, "RGB", "RGBA", "LA", "P", "CMYK", "1"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_strips_give_what_the_whole_gives(
    mode: str, channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    if mode in DEEP:
        values = rng.integers(0, 60_000, (23, 17)).astype(DEEP[mode])
        values[20, 3] = 300_000 if mode != "I;16" else 0  # the greatest is not in the first strip
        image = Image.fromarray(values)
    else:
        image = Image.fromarray(rng.integers(0, 256, (23, 17, 3), np.uint8)).convert(mode)
    image.save(tmp_path / "a.tif")
    whole, _ = decode(tmp_path / "a.tif", 23, channels)
    assert whole.std() > 10
    for pixels in (1, 34, 100):
        monkeypatch.setattr(images, "_STRIP", pixels)
        assert np.array_equal(decode(tmp_path / "a.tif", 23, channels)[0], whole), pixels


MEMORY = """
import re, sys
from pathlib import Path
from kitbox.data.images import decode
paths = [Path(one) for one in sys.argv[1:]]
status = Path("/proc/self/status")  # ru_maxrss would begin at the parent's
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]) * 1024
decode(paths[0], 64)
before = peak()
decode(paths[1], 64)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak")
@pytest.mark.parametrize(
    ("mode", "most"), [("I;16", 7), ("I", 10), ("F", 10), ("RGBA", 10), ("LA", 10)]
)
def test_memory_of_a_large_picture(mode: str, most: float, tmp_path: Path) -> None:
    """Bytes a pixel: Pillow's image (2 or 4), the pixels, little else; whole floats were 25."""
    for name, side in (("small", 64), ("large", 3000)):
        shape = (side, side, len(mode)) if mode in ("RGBA", "LA") else (side, side)
        values = np.zeros(shape, DEEP.get(mode, np.uint8))
        image = Image.fromarray(values)
        assert image.mode == mode
        image.save(tmp_path / f"{name}.tif", compression="tiff_lzw")
    command = [sys.executable, "-c", MEMORY, tmp_path / "small.tif", tmp_path / "large.tif"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 1 < int(done.stdout) / 3000**2 < most


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_orientation_is_pillows(rgb: np.ndarray, suffix: str, turn: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    path = tmp_path / f"a.{suffix}"
    options = {"jpg": {"quality": 95}, "webp": {"lossless": True}}.get(suffix, {})
    Image.fromarray(rgb).save(path, exif=exif, **options)
    with Image.open(path) as opened:
        wanted = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    got, size = decode(path, 60)
    assert size == wanted.shape[:2]
    assert difference(got, wanted) < 1.5
    if suffix == "jpg":  # as well where decoding is reduced
        small, size = decode(path, 30)
        assert size == wanted.shape[:2]
        assert difference(small, images._resize(wanted, images.fitted(size, 30))) < 6


def test_orientation_where_the_tag_says_nonsense(rgb: np.ndarray, tmp_path: Path) -> None:
    for turn in (0, 9, 77):
        exif = Image.Exif()
        exif[0x0112] = turn
        Image.fromarray(rgb).save(tmp_path / "a.jpg", exif=exif)
        assert decode(tmp_path / "a.jpg", 60)[0].shape == (40, 60, 3)


def test_a_png_is_not_decoded_twice(
    rgb: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(rgb).save(tmp_path / "a.png")
    monkeypatch.setattr(images, "_careful", lambda *_: pytest.fail("OpenCV can read this one"))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("decoded by Pillow"))
    assert np.array_equal(decode(tmp_path / "a.png", 60)[0], rgb)


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize(("mode", "odd", "most"), [("RGB", 0, 1.5), ("L", 0, 1.5), ("RGB", 3, 4)])
def test_reduced_decoding_is_close_to_full(
    factor: int, mode: str, odd: int, most: float, tmp_path: Path
) -> None:
    """A side that is no multiple of the factor is rounded up: at most a pixel's shift."""
    side = 48
    height, width = factor * (side - 7) + odd, factor * (side + 2) + odd
    y, x = np.mgrid[0:height, 0:width] / factor
    waves = [128 + 90 * np.sin(x / 7 + k) * np.cos(y / 5) for k in range(3)]
    full = Image.fromarray(np.stack(waves, axis=-1).astype(np.uint8)).convert(mode)
    full.save(tmp_path / "a.jpg", quality=95)
    channels = 3 if mode == "RGB" else 1
    got, size = decode(tmp_path / "a.jpg", side, channels)
    assert size == (height, width)
    with Image.open(tmp_path / "a.jpg") as opened:
        wanted = np.asarray(opened.resize((got.shape[1], got.shape[0]), Image.Resampling.BOX))
    assert max(got.shape[:2]) == side
    assert abs(got.shape[0] - side * height / width) <= 1
    assert difference(got, wanted.reshape(got.shape)) < most


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "gif", "webp", "tif"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_truncated(rgb: np.ndarray, suffix: str, share: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = (rgb * 0.5 + rng.integers(0, 127, rgb.shape)).astype(np.uint8)
    whole = io.BytesIO()
    Image.fromarray(noise).save(whole, {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper()))
    data = whole.getvalue()
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(PictureError, match=r"damaged|no picture"):
        decode(path, 60)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_opencv_is_not_given_half_a_picture(
    rgb: np.ndarray, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of its versions fill the rest with grey and say nothing."""
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(rgb).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    monkeypatch.setattr("cv2.imdecode", lambda *_: pytest.fail("half a picture"))
    with pytest.raises(PictureError, match="damaged"):
        decode(path, 60)


def test_a_png_with_a_damaged_length_takes_no_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(png(np.zeros((4, 12), np.uint8), 2, 8))
    at = data.index(b"IDAT") - 4
    data[at : at + 4] = b"\x7f\xff\xff\xff"
    (tmp_path / "a.png").write_bytes(data)
    monkeypatch.setattr("cv2.imdecode", lambda *_: pytest.fail("it would believe the length"))
    with suppress(PictureError):  # Pillow may find the pixels all the same
        assert decode(tmp_path / "a.png", 4)[0].shape == (4, 4, 3)


def test_damage_in_the_middle_of_a_png(rgb: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(rgb).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(PictureError, match="damaged"):
        decode(tmp_path / "a.png", 60)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "tif", "bmp"])
def test_noise_in_a_file_raises_nothing_else(rgb: np.ndarray, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(rgb).save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(60):
        data = bytearray(whole)
        for at in rng.integers(0, min(len(data), 400), 3):
            data[at] = rng.integers(0, 256)
        path.write_bytes(data)
        try:
            got, _ = decode(path, 32)
        except PictureError:
            continue
        assert got.shape[2] == 3
        assert max(got.shape) <= 32


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"Not a picture.\n" * 20, "no picture"), (b"\xff\xd8\xff", "no picture")],
)
def test_what_is_no_picture(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(PictureError, match=reason):
        decode(tmp_path / "a.jpg", 32)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PictureError, match="missing"):
        decode(tmp_path / "a.jpg", 32)
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(PictureError, match="directory"):
        decode(tmp_path / "folder.jpg", 32)
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(PictureError, match="directory"):
        decode(tmp_path / "file" / "a.jpg", 32)

    def refuse(path: Path) -> bytes:  # root may read everything, so permissions are played
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PictureError, match="Permission denied"):
        decode(tmp_path / "file", 32)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("shape", [(1, 500), (500, 1), (1, 1), (3, 2000)])
def test_extreme_shapes(shape: tuple[int, int], suffix: str, tmp_path: Path) -> None:
    pixels = np.full((*shape, 3), 90, np.uint8)
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}")
    got, size = decode(tmp_path / f"a.{suffix}", 100)
    assert size == shape
    assert max(got.shape[:2]) == 100
    assert min(got.shape[:2]) >= 1
    assert np.abs(got.astype(int) - 90).max() <= 2


def test_small_pictures_are_enlarged(tmp_path: Path) -> None:
    corner = np.zeros((4, 8), np.uint8)
    corner[:, 4:] = 255
    Image.fromarray(corner).save(tmp_path / "a.png")
    got, size = decode(tmp_path / "a.png", 64, 1)
    assert (got.shape, size) == ((32, 64, 1), (4, 8))
    assert got[:, :24].max() < 30
    assert got[:, 40:].min() > 225


def test_no_warnings_and_the_filters_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that decode at once leave Python's warning filters as they were."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\0\0\x99\0\0\0"  # promises too much
    Image.new("RGB", (40, 40), "red").save(tmp_path / "a.jpg", exif=exif)
    Image.new("RGB", (40, 40), "red").save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # each picture is a "bomb" of 1600
    with pytest.raises(Image.DecompressionBombWarning):
        Image.open(tmp_path / "a.png")
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        names = ["a.jpg", "a.png"] * 60
        results = list(pool.map(lambda name: decode(tmp_path / name, 40)[0], names))
    assert warnings.filters == before
    for got in results:
        assert np.abs(got.astype(int) - (255, 0, 0)).max() <= 2


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (80, 80)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(PictureError, match="too large"):
        decode(tmp_path / "a.png", 40)


EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 20 20
%%EndComments
0 0 moveto
showpage
%%EOF
"""


@pytest.mark.parametrize("name", ["dog.jpg", "dog.eps", "dog.tif"])
def test_no_picture_starts_a_program(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow's reader of EPS starts Ghostscript, whatever the file is called."""
    ghostscript = tmp_path / "bin" / "gs"
    ghostscript.parent.mkdir()
    ghostscript.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\necho 9.5\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ghostscript.parent}:{os.environ['PATH']}")
    for attribute in ("gs_binary", "gs_windows_binary"):  # found once a process
        monkeypatch.setattr(EpsImagePlugin, attribute, None)
    (tmp_path / name).write_bytes(EPS)
    with suppress(OSError), Image.open(tmp_path / name) as opened:
        opened.load()
    assert (tmp_path / "started").exists()  # this Pillow would start it
    (tmp_path / "started").unlink()
    with pytest.raises(PictureError, match="no picture"):
        decode(tmp_path / name, 16)
    with pytest.raises(PictureError, match="cannot be read"):
        images.size(tmp_path / name)
    with pytest.raises(PictureError, match="no picture"):
        look(tmp_path / name)
    with pytest.raises(LabelError, match="cannot be read"):
        masks.read(tmp_path / name, name)
    assert not (tmp_path / "started").exists()


def test_nothing_else_of_pillow_opens_files() -> None:
    """So that the formats are limited in one place."""
    root = Path(images.__file__).parents[1]
    found = [path.name for path in root.rglob("*.py") if "Image.open(" in path.read_text()]
    assert found == ["images.py"]


def test_importing_is_light() -> None:
    code = "import sys, kitbox.data.images; print({'PIL', 'cv2', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
