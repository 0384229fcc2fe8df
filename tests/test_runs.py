"""Run lengths, against a decoder written apart, pixel by pixel."""

import contextlib
import pickle
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kitbox.runs import Runs, spans

MASKS = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9))


def painted(
    text: str, height: int, width: int, order: str, base: int, relative: bool
) -> np.ndarray:
    """A mask painted from run lengths as the competitions' pages describe them."""
    mask = np.zeros((height, width), bool)
    numbers = [int(word) for word in text.split()]
    at = 0
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        first = at + start if relative else start
        if base == 1 and not (relative and at):
            first -= 1
        for place in range(first, first + length):
            row, column = (place % height, place // height)
            if order == "rows":
                row, column = (place // width, place % width)
            assert not mask[row, column]
            mask[row, column] = True
        at = first + length
    return mask


@given(mask=MASKS)
def test_mask_and_text_come_back(mask: np.ndarray) -> None:
    runs = Runs.of(mask)
    assert np.array_equal(runs.mask(), mask)
    assert runs.mask().dtype == bool
    assert runs.area == mask.sum()
    assert Runs.parse(str(runs)) == runs
    assert hash(Runs.parse(str(runs))) == hash(runs)
    assert pickle.loads(pickle.dumps(runs)) == runs


@settings(max_examples=200)
@given(
    mask=MASKS,
    order=st.sampled_from(["columns", "rows"]),
    base=st.sampled_from([0, 1]),
    relative=st.booleans(),
)
def test_encoded_and_decoded(mask: np.ndarray, order: str, base: int, relative: bool) -> None:
    how = {"order": order, "base": base, "relative": relative}
    text = Runs.of(mask).encode(**how)  # type: ignore[arg-type]
    assert np.array_equal(painted(text, *mask.shape, **how), mask)  # type: ignore[arg-type]
    assert Runs.decode(text, *mask.shape, **how) == Runs.of(mask)  # type: ignore[arg-type]


@given(one=MASKS, other=MASKS)
def test_equal_as_masks_are_equal(one: np.ndarray, other: np.ndarray) -> None:
    assert (Runs.of(one) == Runs.of(other)) == np.array_equal(one, other)


def test_known_texts() -> None:
    mask = np.array([[0, 1, 0], [1, 1, 0]], np.uint8)
    runs = Runs.of(mask)
    assert str(runs) == "2x3 2 3"
    assert runs.encode("rows") == "2 1 4 2"
    assert runs.encode("rows", base=0) == "1 1 3 2"
    assert runs.encode("rows", base=0, relative=True) == "1 1 1 2"
    assert runs.encode("rows", base=1, relative=True) == "2 1 1 2"
    assert str(Runs.of(np.zeros((2, 3), bool))) == "2x3"
    assert repr(runs) == "Runs(2x3, 1 runs, 3 pixels)"
    assert runs != "2x3 2 3"


def test_runs_that_touch_become_one() -> None:
    assert str(Runs.decode("1 2 3 2", 2, 3)) == "2x3 1 4"
    assert str(Runs.decode("1 2 3 2", 2, 3, order="rows")) == "2x3 1 3 5 1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1", "1 numbers are no pairs"),
        ("1 2 3", "3 numbers are no pairs"),
        ("a b", "'a' is no whole number"),
        ("1.0 3", "'1.0' is no whole number"),
        ("-1 3", "'-1' is no whole number"),
        ("-", "'-' is no whole number"),
        ("1 ٣", "'٣' is no whole number"),
        ("nan", "'nan' is no whole number"),
        ("0 1", "starts at 0, before the first pixel, 1"),
        ("1 0", "the run from 1 has no pixels"),
        ("5 1 3 1", "do not ascend: after 5 1 comes one from 3"),
        ("1 3 2 3", "overlap: after 1 3 comes one from 2"),
        ("1 3 1 3", "overlap"),
        ("6 2", "run of 2 from 6 leaves the picture of 2x3 pixels, whose last pixel is 6"),
        ("7 1", "leaves the picture"),
        ("1 " + "9" * 30, "lies outside"),
        ("1 " + "9" * 6000, "lies outside"),
        ("000000000000001 1", "more than 12 digits"),
        ("x" * 5000, "x{20}\\.\\.\\.' is no whole"),
    ],
)
def test_refused_texts(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Runs.decode(text, 2, 3)


@settings(max_examples=300)
@given(text=st.text() | st.lists(st.integers(-2, 12)).map(lambda n: " ".join(map(str, n))))
def test_any_text_is_a_mask_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        runs = Runs.decode(text, 3, 4)
        assert np.array_equal(painted(text, 3, 4, "columns", 1, False), runs.mask())


def test_a_size_is_not_needed_for_spans() -> None:
    starts, lengths = spans("3 2 1 4", base=0, relative=True)
    assert starts.tolist() == [3, 6]
    assert lengths.tolist() == [2, 4]
    assert [len(part) for part in spans(" ")] == [0, 0]


@pytest.mark.parametrize("text", ["", "2 3", "0x5", "2x3x4 1 1", "-2x3 1 1", "2x3 1"])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|pixels|pairs"):
        Runs.parse(text)


@pytest.mark.parametrize(
    "mask", [np.zeros((2, 3, 1), bool), np.zeros((2, 3)), np.zeros((0, 3), bool), np.zeros(3, int)]
)
def test_of_refuses(mask: np.ndarray) -> None:
    with pytest.raises(ValueError, match="mask"):
        Runs.of(mask)


@pytest.mark.parametrize(
    ("starts", "lengths"),
    [([0], []), ([-1], [1]), ([0], [7]), ([0, 1], [1, 1]), ([3, 0], [1, 1]), ([0], [0])],
)
def test_only_runs_in_their_one_form(starts: list[int], lengths: list[int]) -> None:
    with pytest.raises(ValueError, match=r"runs|starts"):
        Runs(2, 3, np.array(starts), np.array(lengths))


def test_a_value_does_not_change() -> None:
    starts = np.array([0])
    runs = Runs(2, 3, starts, np.array([2]))
    starts[0] = 4
    assert runs.starts.tolist() == [0]
    with pytest.raises(ValueError, match="read-only"):
        runs.starts[0] = 1


def test_in_a_table_and_in_a_csv_file() -> None:
    masks = [Runs.of(np.eye(3, dtype=bool)), Runs.of(np.zeros((2, 2), bool))]
    table = pd.DataFrame({"id": ["a", "b"], "car": masks})
    cells = table.to_csv(index=False).splitlines()
    assert cells == ["id,car", "a,3x3 1 1 5 1 9 1", "b,2x2"]
    assert [Runs.parse(line.split(",")[1]) for line in cells[1:]] == masks


def test_large_masks_are_quick() -> None:
    row, column = np.ogrid[:2000, :2000]
    mask = (row - 1000) ** 2 + (column - 900) ** 2 < 700**2
    began = time.perf_counter()
    for order in ("columns", "rows"):
        text = Runs.of(mask).encode(order)  # type: ignore[arg-type]
        assert np.array_equal(Runs.decode(text, 2000, 2000, order).mask(), mask)  # type: ignore[arg-type]
    assert time.perf_counter() - began < 20
