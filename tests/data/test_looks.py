from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sources.web.serving import HTML, bomb, picture

from kitbox.data.images import FORMATS
from kitbox.data.looks import TooLarge, look
from kitbox.errors import PictureError


def put(folder, content):
    path = folder / "picture.dat"  # the name says nothing
    path.write_bytes(content)
    return path


def encoded(kind, **more):
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(1))).resize((60, 40)).save(file, kind, **more)
    return file.getvalue()


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "MPO"])
def test_the_type_comes_from_the_content(tmp_path, kind):
    content = encoded(kind)
    seen = look(put(tmp_path, content))
    assert (seen.ending, seen.width, seen.height) == (FORMATS[kind], 60, 40)
    assert seen.sha256 == hashlib.sha256(content).hexdigest()
    assert len(seen.colors) == 192
    assert 0 <= seen.shape < 2**64


def test_a_phone_s_picture_with_two_frames_is_a_jpg(tmp_path):
    file = io.BytesIO()
    frame = Image.new("RGB", (60, 40), "red")
    frame.save(file, "MPO", save_all=True, append_images=[frame])
    assert look(put(tmp_path, file.getvalue())).ending == "jpg"


def test_the_size_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = look(put(tmp_path, encoded("JPEG", exif=exif)))
    assert (upright.width, upright.height) == (40, 60)
    turned = io.BytesIO()
    image = Image.open(io.BytesIO(encoded("PNG")))
    image.transpose(Image.Transpose.ROTATE_270).save(turned, "PNG")
    plain = look(put(tmp_path, turned.getvalue()))
    assert (plain.shape ^ upright.shape).bit_count() <= 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (HTML, "a web page"),
        (b"\n <svg xmlns='x'/>", "an SVG"),
        (b"%PDF-1.7", "a PDF"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "no picture"),
        (b"gimp xcf v011", "no picture"),
        (picture(1)[: len(picture(1)) // 2], "damaged"),
        (encoded("PNG")[:-200], "damaged"),
    ],
)
def test_what_is_no_picture_is_told_why(tmp_path, content, words):
    with pytest.raises(PictureError, match=words):
        look(put(tmp_path, content))


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(PictureError, match="missing"):
        look(tmp_path / "none")
    with pytest.raises(PictureError, match="cannot be read"):
        look(tmp_path)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    for side, most in ((30_000, 178_000_000), (2_000, 3_999_999), (10_000, 50_000_000)):
        with pytest.raises(TooLarge, match="too large"):
            look(put(tmp_path, bomb(side)), most_pixels=most)
    with pytest.raises(TooLarge, match=r"60 x 40 pixels, 0\.002 million"):
        look(put(tmp_path, encoded("PNG")), most_pixels=2_000)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_gives_a_look_or_a_reason(tmp_path_factory, data):
    content = bytearray(encoded(data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "TIFF"]))))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    try:
        seen = look(put(tmp_path_factory.mktemp("p"), bytes(content)), most_pixels=10**6)
    except PictureError:
        pass
    else:
        assert seen.width * seen.height <= 10**6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_has_prints(tmp_path, mode):
    pixels = Image.open(io.BytesIO(picture(2)))
    image = (
        Image.fromarray(np.asarray(pixels.convert("L")).astype(np.uint16) * 257)
        if mode == "I;16"
        else pixels.convert(mode)
    )
    file = io.BytesIO()
    image.save(file, "TIFF")
    seen, rgb = look(put(tmp_path, file.getvalue())), look(put(tmp_path, picture(2)))
    if mode not in ("1", "P", "CMYK"):
        assert (seen.shape ^ rgb.shape).bit_count() <= 6
