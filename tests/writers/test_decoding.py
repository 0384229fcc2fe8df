import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitbox.runs import Runs
from kitbox.writers import decoding
from kitbox.writers.decoding import Reading, run_faults

KEYS = ["a", "b", "c"]


def said(written: list[str], asked: list[str], reading: Reading | None = None) -> str:
    keys = KEYS[: len(written)]
    return "; ".join(run_faults("rle", keys, written, asked, reading or Reading()))


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        (["1 1", "", "7 6"], ["1 1"] * 3),
        (["1 1", "-", "7 6"], ["-"] * 3),
        (["1 1", "-1", "7 6"], ["-1", "", "-1"]),
        (["0 1", "", "7 5"], []),
        (["1 1", "-", ""], []),
        (["1 1  5 2", " ", "7 6 "], ["1 1"] * 3),
    ],
)
def test_nothing_wrong(written: list[str], asked: list[str]) -> None:
    assert said(written, asked) == ""
    assert said(written, asked, Reading((3, 4))) == ""


@pytest.mark.parametrize(
    ("written", "asked", "fault"),
    [
        (["1 1", "2", "5 1"], [""], r"1 cell of run lengths .*: b: 1 numbers are no pairs"),
        (["1 1 1 1", "cat", "-5 1"], [""], r"3 cells.*a: runs overlap.*b: 'cat' is.*c: '-5' is no"),
        (["1 1", "-", "5 1"], [""], r"b: '-' is no whole number"),
        (["1 1", "", "5 1"], ["-"], r"1 blank cell \(b\).*empty mask as '-'"),
        (["1 1", "-1", "5 1"], ["-"], r"b: '-1' is no"),
        (["1 1", "nan", "5 1"], [""], r"b: 'nan' is no"),
        (["1 0", "2 1", "3 1"], [""], r"a: the run from 1 has no pixels"),
        (["5 1 2 1", "1 1", "1 1"], [""], r"do not ascend.*would decode as relative"),
        (["1 " + "9" * 40, "1 1", "1 1"], [""], r"a: 9+\.\.\. lies outside"),
    ],
)
def test_what_is_wrong(written: list[str], asked: list[str], fault: str) -> None:
    import re

    assert re.search(fault, said(written, asked))


def test_inside_the_picture() -> None:
    assert "c: the run of 2 from 12 leaves the picture" in said(
        ["1 12", "12 1", "12 2"], [""], Reading((3, 4))
    )
    # Where a run starts at 0, all count from 0.
    assert "b: the run of 1 from 12 leaves" in said(["0 12", "12 1"], [""], Reading((3, 4)))
    assert said(["10 2 0 5"], [""], Reading((3, 6), relative=True)) == ""
    assert "a: the run of 6" in said(["13 1 0 6"], [""], Reading((3, 6), relative=True))


def test_many_faults_are_counted() -> None:
    keys = [str(n) for n in range(50_000)]
    (fault,) = run_faults("rle", keys, ["1 1"] * 25_000 + ["x"] * 25_000, [""], Reading())
    assert "25,000 cells" in fault
    assert "25000: 'x' is no whole number" in fault
    assert "24,997 more" in fault


def test_rows_of_one_picture() -> None:
    keys = ["a", "a", "b", "b", "c"]
    assert run_faults("rle", keys, ["1 2", "3 2", "9 1", "1 1", ""], [""], Reading()) == []
    faults = run_faults("rle", keys, ["1 9", "3 2", "9 1", "", ""], [""], Reading())
    assert faults == [
        "1 id with several rows have an empty one among them (b)",
        "masks of column 'rle' overlap in 1 id with several rows (a)",
    ]


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(
        st.lists(st.integers(0, 14), max_size=6).map(lambda n: " ".join(map(str, n)))
        | st.sampled_from(["-", "x", "1 1", "1 2 5 3"]),
        max_size=6,
    ),
    relative=st.booleans(),
    block=st.sampled_from([1, 2, 100]),
)
def test_the_same_cells_as_decoding_one_by_one(
    cells: list[str], relative: bool, block: int
) -> None:
    filled = [n for n, cell in enumerate(cells) if cell]
    base = 0 if any(cells[n].split()[0] == "0" for n in filled) else 1
    wrong = []
    for place, n in enumerate(filled):
        try:
            Runs.decode(cells[n], 3, 4, base=base, relative=relative)  # type: ignore[arg-type]
        except ValueError:
            wrong.append(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "_BLOCK", block)
        texts = [cells[n] for n in filled]
        found = decoding._undecodable(texts, Reading((3, 4), relative), base)  # type: ignore[arg-type]
    assert found == wrong


def test_large_files_are_quick() -> None:
    import time

    rng = np.random.default_rng(0)
    cells = [f"{a} 5 {a + 9} 7" for a in rng.integers(1, 500, 200_000).tolist()]
    keys = [str(n // 2) for n in range(200_000)]
    began = time.perf_counter()
    run_faults("rle", keys, cells, [""], Reading((100, 100)))
    assert time.perf_counter() - began < 80
