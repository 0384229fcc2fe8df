"""The header of a JPEG, beside Pillow's reading of it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kitbox.data import images
from kitbox.data.jpeg import Header, header


def saved(mode: str = "RGB", **options: object) -> bytes:
    """A JPEG of 40 by 30 pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize(("mode", "components"), [("RGB", 3), ("L", 1), ("CMYK", 4)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"comment": "hm"}, {"dpi": (9, 9)}])
def test_sizes(mode: str, components: int, options: dict[str, object]) -> None:
    assert header(saved(mode, **options)) == Header(30, 40, components, 1)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("endian", ["<", ">"])
def test_orientation(turn: int, endian: str) -> None:
    exif = Image.Exif()
    exif.endian = endian
    exif[0x010F], exif[0x0112] = "a camera", turn
    assert header(saved(exif=exif)) == Header(30, 40, 3, turn)


def test_no_orientation_in_exif() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    assert header(saved(exif=exif)) == Header(30, 40, 3, 1)


@pytest.mark.parametrize("turn", [0, 9, 77])
def test_nonsense_is_left_to_others(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    assert header(saved(exif=exif)) is None


def test_xmp() -> None:
    assert header(saved(xmp=b"<x:xmpmeta><rdf/></x:xmpmeta>")) == Header(30, 40, 3, 1)
    assert header(saved(xmp=b'<x:xmpmeta tiff:Orientation="6"/>')) is None


def with_segments(*parts: bytes) -> bytes:
    """A JPEG with segments of metadata (APP1) right after its start."""
    whole = saved()
    segments = [b"\xff\xe1" + (len(part) + 2).to_bytes(2, "big") + part for part in parts]
    return whole[:2] + b"".join(segments) + whole[2:]


def exif_of(turn: int | None) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    if turn is not None:
        exif[0x0112] = turn
    return exif.tobytes()


XMP = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:tiff="t" tiff:Orientation="6"/>'


@pytest.mark.parametrize(
    "parts",
    [(exif_of(6), exif_of(3)), (exif_of(6), exif_of(None)), (XMP, exif_of(None)), (XMP,)],
)
def test_what_tells_twice_is_left_to_others(parts: tuple[bytes, ...], tmp_path: Path) -> None:
    """And then both readers of a file agree about it."""
    data = with_segments(*parts)
    assert header(data) is None
    (tmp_path / "a.jpg").write_bytes(data)
    assert images.size(tmp_path / "a.jpg") == images.decode(tmp_path / "a.jpg", 40)[1]


def test_segments_by_hand() -> None:
    assert header(with_segments(exif_of(6))) == Header(30, 40, 3, 6)
    assert header(with_segments(exif_of(None))) == Header(30, 40, 3, 1)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n"])
def test_no_jpeg(data: bytes) -> None:
    assert header(data) is None


@settings(max_examples=400)
@given(st.integers(0, 700), st.binary(min_size=1, max_size=8))
def test_damage_gives_none_or_what_pillow_reads(at: int, bytes_: bytes) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = saved(exif=exif)
    data = whole[:at] + bytes_ + whole[at + len(bytes_) :]
    found = header(data)
    if found is None:
        return
    try:
        image = Image.open(io.BytesIO(data))
    except Exception:  # noqa: BLE001  damage makes Pillow raise nearly anything
        return
    assert (found.height, found.width) == (image.height, image.width)
    assert found.turn == image.getexif().get(0x0112, 1)
