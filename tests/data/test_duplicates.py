from __future__ import annotations

import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from sources.web.serving import picture

from kitbox.data.duplicates import BITS, Copy, Finder
from kitbox.data.looks import Look, look


def seen(shape, color=0, sha=None):
    return Look("jpg", 1, 1, sha or f"{shape}-{color}", shape, bytes([color]) * 192)


def of(tmp_path, image, **more):
    path = tmp_path / "x.jpg"
    image.save(path, "JPEG", **{"quality": 90, **more})
    return look(path)


def variants(image):
    width, height = image.size
    yield "recompressed", image, {"quality": 40}
    yield "halved", image.resize((width // 2, height // 2)), {}
    yield "brighter", ImageEnhance.Brightness(image).enhance(1.05), {}
    yield "grown", image.resize((2 * width, 2 * height)), {}


@pytest.mark.parametrize("number", range(12))
def test_near_copies_are_found(tmp_path, number):
    image = Image.open(io.BytesIO(picture(number, side=200)))
    for name, variant, options in variants(image):
        finder = Finder()
        assert finder.add("one", of(tmp_path, image)) is None
        assert finder.add("two", of(tmp_path, variant, **options)) == Copy(
            "near-duplicate", "one"
        ), name


def test_other_pictures_are_no_copies(tmp_path):
    finder = Finder()
    for number in range(150):
        image = Image.open(io.BytesIO(picture(number)))
        assert finder.add(str(number), of(tmp_path, image)) is None
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        assert finder.add(f"-{number}", of(tmp_path, mirrored)) is None


def test_plain_areas_of_other_colours_are_no_copies(tmp_path):
    finder = Finder()
    for color in ("black", "white", "red", "green", "blue"):
        assert finder.add(color, of(tmp_path, Image.new("RGB", (64, 64), color))) is None
    again = finder.add("again", of(tmp_path, Image.new("RGB", (32, 32), "red")))
    assert again == Copy("near-duplicate", "red")


def test_exact_copies_name_the_one_with_these_bytes():
    finder = Finder()
    assert finder.add("a", seen(0, sha="1")) is None
    assert finder.add("b", seen(1, sha="2")) == Copy("near-duplicate", "a")
    assert finder.add("c", seen(1, sha="2")) == Copy("duplicate", "b")
    assert finder.add("d", seen(0, sha="1")) == Copy("duplicate", "a")


def test_a_chain_of_small_steps_does_not_make_one_of_all():
    finder, step = Finder(), (1 << BITS) - 1
    assert finder.add("a", seen(0)) is None
    assert finder.add("b", seen(step)) == Copy("near-duplicate", "a")
    assert finder.add("c", seen(step | step << BITS)) is None  # near `b`, not near `a`


def test_what_must_stay_is_compared_with():
    finder, step = Finder(), (1 << BITS) - 1
    finder.add("a", seen(0), original=True)
    assert finder.add("b", seen(step), original=True) == Copy("near-duplicate", "a")
    assert finder.add("c", seen(step | step << BITS)) == Copy("near-duplicate", "b")


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 60), st.integers(0, 60))),
    st.integers(-1, 12),
)
def test_as_comparing_each_with_each(values, bits):
    finder, originals = Finder(bits=bits, colors=9.5), []
    for row, (shape, color) in enumerate(values):
        near = [
            ((shape ^ s).bit_count(), name)
            for name, (s, c) in originals
            if (shape ^ s).bit_count() <= bits and abs(color - c) <= 9.5
        ]
        found = finder.add(str(row), seen(shape, color, sha=f"{row}"))
        if near:
            least = min(distance for distance, _ in near)
            first = next(name for distance, name in near if distance == least)
            assert found == Copy("near-duplicate", first)
        else:
            assert found is None
            originals.append((str(row), (shape, color)))


def test_ten_thousand_pictures_take_no_time():
    shapes = np.random.default_rng(1).integers(0, 2**63, 10_000).tolist()
    for many in (shapes, [5] * 10_000):
        finder, began = Finder(), time.monotonic()
        for row, shape in enumerate(many):
            finder.add(str(row), seen(shape, row % 250, sha=str(row)))
        assert time.monotonic() - began < 60
