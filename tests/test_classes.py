"""Class names and their order."""

import numpy as np
import pytest

from kitbox.classes import in_order, is_whole, name


def test_in_order() -> None:
    assert in_order(map(str, range(11, -1, -1))) == [str(n) for n in range(12)]
    assert in_order(["b", "B", "a"]) == ["B", "a", "b"]
    assert in_order(["010", "9"]) == ["010", "9"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [(3, "3"), (3.0, "3"), (np.float32(3), "3"), (np.int64(-3), "-3"), (0.5, "0.5"), ("03", "03")],
)
def test_a_label_names_its_class(label: object, expected: str) -> None:
    assert name(label) == expected


def test_what_a_whole_number_is() -> None:
    assert [one for one in ("0", "-7", "007", "+1", "1.0", "-0", "", "٣") if is_whole(one)] == [
        "0",
        "-7",
    ]
