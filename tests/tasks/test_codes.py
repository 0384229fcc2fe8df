"""Class codes: pixel values to class numbers, and what is said of strange ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kitbox.errors import LabelError
from kitbox.tasks.codes import VOID, Codes, advice, check_colors, check_void, packed, read_names

NAMES = ("sky", "void", "road")
PLAIN = dict(enumerate(NAMES))


def test_void_has_no_number_and_the_others_close_up() -> None:
    codes = Codes(NAMES, PLAIN, void="void")
    assert codes.classes == ("sky", "road")
    values = np.array([[0, 1], [2, 2]], np.uint8)
    assert codes.encode(values, "m").tolist() == [[0, VOID], [1, 1]]
    assert codes.encode(values, "m").dtype == np.uint8
    assert Codes(NAMES, PLAIN).encode(values, "m").tolist() == values.tolist()


def test_values_may_be_any_and_several_may_mean_the_same() -> None:
    codes = Codes(("bg", "salt"), {0: "bg", 255: "salt", 7: "salt", 900: "bg"})
    wide = np.array([[900, 7], [255, 0]], np.int32)
    assert codes.encode(wide, "m").tolist() == [[0, 1], [1, 0]]
    assert codes.encode(wide[1:].astype(np.uint8), "m").tolist() == [[1, 0]]


def test_colours() -> None:
    codes = Codes(("a", "b"), colors={"a": (0, 0, 0), "b": (255, 0, 10)}, void="b")
    values = np.array([[0, packed((255, 0, 10))]], np.int32)
    assert codes.encode(values, "m").tolist() == [[0, VOID]]
    with pytest.raises(LabelError, match=r"colours that are no class.*\[1, 2, 3\]"):
        codes.encode(np.array([[packed((1, 2, 3))]], np.int32), "m")


def test_classes_of_one_colour_are_refused() -> None:
    check_colors({"a": (0, 0, 0), "b": (255, 0, 10)})
    with pytest.raises(LabelError, match=r"same colour.*\[0, 0, 0\] for a, c"):
        check_colors({"a": (0, 0, 0), "b": (255, 0, 10), "c": (0, 0, 0)})


def test_few_values_above_255_are_named_one_by_one() -> None:
    assert "`values: {0: ..., 300: ..., 700: ...}`" in advice([700, 0, 300])
    assert "`values: {0: background, 300: salt}`" in advice([0, 300], ("background", "salt"))
    assert "`values: {0: background, 300: object}`" in advice([0, 300])
    assert "no class numbers" in advice(range(200, 900))


def test_a_black_and_white_mask_is_recognised_and_explained() -> None:
    codes = Codes(("background", "salt"), {0: "background", 1: "salt"})
    with pytest.raises(LabelError) as caught:
        codes.encode(np.array([[0, 255]], np.uint8), "masks/a.png")
    said = str(caught.value)
    assert "masks/a.png" in said
    assert "255" in said
    assert "`values: {0: background, 255: salt}`" in said


def test_values_out_of_range_are_named_with_the_classes() -> None:
    with pytest.raises(LabelError, match=r"m\.png.*12.*0 \(sky\), 1 \(void\), 2 \(road\)"):
        Codes(NAMES, PLAIN).encode(np.array([[0, 12]], np.uint8), "m.png")


def test_advice() -> None:
    assert "255: void" in advice([0, 1, 20, 255])
    assert "JPEG" in advice(list(range(0, 250, 3)))
    assert "0 to 3" in advice([0, 1, 3])
    assert "255: object" in advice([0, 255])


def test_names_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "codes.txt"
    file.write_bytes("\ufeffsky\r\nsign symbol \r\n\r\n".encode())
    assert read_names(tmp_path, file.name) == ("sky", "sign symbol")
    file.write_text("a\nb\na\n")
    with pytest.raises(LabelError, match="a more than once"):
        read_names(tmp_path, file.name)
    file.write_text("\n")
    with pytest.raises(LabelError, match="is empty"):
        read_names(tmp_path, file.name)
    with pytest.raises(LabelError, match=r"no file 'a.lst' .*codes\.txt in .*a name a line"):
        read_names(tmp_path, "a.lst")
    with pytest.raises(LabelError, match=r"no file 'code.txt' .* Did you mean 'codes\.txt'\?$"):
        read_names(tmp_path, "code.txt")


def test_a_void_that_is_no_class() -> None:
    check_void(None, NAMES)
    check_void("void", NAMES)
    with pytest.raises(LabelError, match="Did you mean 'void'"):
        check_void("Void", NAMES)
