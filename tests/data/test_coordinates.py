"""Which columns are a point."""

from __future__ import annotations

import pytest

from kitbox.data.coordinates import pair, point_name


@pytest.mark.parametrize(
    ("columns", "pairs", "left"),
    [
        (["x0", "y0", "x1", "y1"], [("x0", "y0"), ("x1", "y1")], []),
        (["y0", "x0"], [("x0", "y0")], []),
        (
            ["left_eye_center_x", "left_eye_center_y"],
            [("left_eye_center_x", "left_eye_center_y")],
            [],
        ),
        (["noseX", "noseY", "X9", "Y9"], [("noseX", "noseY"), ("X9", "Y9")], []),
        (["lmk.x.12", "lmk.y.12"], [("lmk.x.12", "lmk.y.12")], []),
        (["x", "y"], [("x", "y")], []),
        (["x0", "y1", "person"], [], ["x0", "y1", "person"]),
        (["max", "may", "box", "boy"], [], ["max", "may", "box", "boy"]),
        (["x_x", "x_y", "y_x"], [("x_x", "x_y")], ["y_x"]),
        ([], [], []),
    ],
)
def test_an_x_finds_its_y(
    columns: list[str], pairs: list[tuple[str, str]], left: list[str]
) -> None:
    assert pair(columns) == (pairs, left)


def test_every_column_is_used_once() -> None:
    columns = [f"{axis}{i}" for i in range(68) for axis in "xy"] + ["person"]
    pairs, left = pair(columns)
    assert [name for one in pairs for name in one] == columns[:-1]
    assert left == ["person"]


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (("x36", "y36"), "36"),
        (("left_eye_x", "left_eye_y"), "left_eye"),
        (("x", "y"), "x"),
        (("lon", "lat"), "lon"),
        (("a", "bb"), "a"),
    ],
)
def test_the_name_is_what_both_have(columns: tuple[str, str], name: str) -> None:
    assert point_name(columns) == name
