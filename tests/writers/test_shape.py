import pandas as pd
import pytest

from kitbox.writers.shape import Shape, guess, holds_runs


@pytest.mark.parametrize(
    ("name", "asked", "written", "runs"),
    [
        ("rle_mask", ["1 1"], ["1 5", ""], True),
        ("EncodedPixels", [""], ["", ""], True),
        ("EncodedPixels", ["-1"], ["-1", "3 4"], True),
        ("encoded_pixels", ["-"], ["-"], True),
        ("Predicted", ["1 1 5 1"], ["3 9"], True),
        ("predicted", ["", ""], ["7 2", ""], True),
        ("predicted", ["", ""], ["", ""], True),
        ("predicted", [""], [0.5], False),
        ("predicted", [""], ["0.5", ""], False),
        ("Predicted", ["0"], ["0 1", "2 3"], False),
        ("attribute_ids", ["0 1 2"], ["0 1", "4 3"], False),
        ("labels", ["0 1"], ["0 1", "2 10"], False),
        ("tags", ["primary clear"], ["primary"], False),
        ("mask_area", ["0.5"], ["7 2"], False),
        ("Id", ["new_whale w_1"], [""], False),
    ],
)
def test_columns_of_run_lengths(
    name: str, asked: list[str], written: list[object], runs: bool
) -> None:
    assert holds_runs(name, asked, pd.Series(written)) is runs


def frame(header: str, *lines: str) -> pd.DataFrame:
    rows = [line.split(",") for line in lines]
    return pd.DataFrame(rows, columns=header.split(","), dtype=str)


def test_guesses() -> None:
    plain = frame("id,rle_mask", "a,1 1", "b,1 1")
    assert guess(plain, plain) == Shape(repeats=True, blank=frozenset({"rle_mask"}))
    two = frame("id,class,predicted", "a,x,", "a,y,")
    assert guess(two, two) == Shape(keys=2, blank=frozenset({"predicted"}))
    assert guess(None, frame("id,class,predicted", "a,x,3 1", "a,y,")).keys == 2
    joined = frame("ImageId_ClassId,EncodedPixels", "a_1,1 1", "a_2,1 1")
    assert guess(joined, joined) == Shape(blank=frozenset({"EncodedPixels"}))
    wide = frame("id,sky,road", "a,1 1,1 1")
    assert guess(wide, wide) == Shape(blank=frozenset({"sky", "road"}))
    numbers = frame("id,p", "a,0.5")
    assert guess(numbers, numbers) == Shape()
    assert guess(numbers, frame("q", "a")) == Shape()
    assert guess(None, pd.DataFrame()) == Shape()
