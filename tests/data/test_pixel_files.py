"""The files of the pixel cache: what they are keyed by, and what of them is not believed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kitbox.data.pixel_files import Facts, Files

SIDE, NAMES = 4, ["a.png", "b.png", "c.png"]


def make(tmp_path: Path, names: list[str] = NAMES, side: int = SIDE, channels: int = 1) -> Files:
    folder = tmp_path / "pictures"
    folder.mkdir(exist_ok=True)
    for name in names:
        if not (folder / name).exists():
            (folder / name).write_text(name)
    return Files(tmp_path / "cache", folder, names, side, channels)


def fill(files: Files, count: int = 3, value: int = 1) -> None:
    """Row n holds `value` + n; the picture is 2 by 3."""
    place = files.begin(count)
    for row in range(count):
        place.put(row, np.full((2, 3, 1), value + row, np.uint8))
    place.finish(Facts(np.array([[2, 3]] * 3), np.array([[20, 30]] * 3), {}))


def test_what_was_put_is_read(tmp_path: Path) -> None:
    files = make(tmp_path)
    assert files.read() is None
    fill(files)
    held = make(tmp_path).read()
    assert held is not None
    canvas, facts = held
    assert canvas[:, :2, :3, 0].reshape(3, -1).tolist() == [[1] * 6, [2] * 6, [3] * 6]
    assert canvas.sum() == 36
    assert facts.sizes.tolist() == [[20, 30]] * 3


@pytest.mark.parametrize("change", ["names", "side", "channels", "size", "time"])
def test_keyed(tmp_path: Path, change: str) -> None:
    fill(make(tmp_path))
    changed: dict[str, Any] = {
        "names": {"names": NAMES[:2]},
        "side": {"side": 5},
        "channels": {"channels": 3},
    }.get(change, {})
    if change == "size":
        (tmp_path / "pictures" / "b.png").write_text("longer than before")
    if change == "time":
        os.utime(tmp_path / "pictures" / "b.png", (1, 1))
    assert make(tmp_path, **changed).read() is None
    assert make(tmp_path).read() is None or change in ("names", "side", "channels")


@pytest.mark.parametrize(
    "forged",
    [
        {"kept": 2},  # the file has three
        {"kept": 4},
        {"states": []},
        {"names": ["a.png"]},
        {"extents": [[2, 3]] * 2 + [[5, 3]]},
        {"extents": [[2, 3]] * 2 + [[0, 3]]},
        {"extents": [[2, 3]] * 4},
        {"sizes": "text"},
        {"broken": {"3": "beyond the end"}},
        {"broken": {"-1": "before the start"}},
        {"broken": []},
        {"states": [["a", "b"]] * 3},
    ],
)
def test_an_index_that_does_not_fit_is_not_believed(tmp_path: Path, forged: dict[str, Any]) -> None:
    fill(make(tmp_path))
    (index,) = (tmp_path / "cache" / "pixels").glob("*.json")
    good = json.loads(index.read_text())
    index.write_text(json.dumps({**good, **forged}))
    held = make(tmp_path).read()
    assert held is None
    assert not make(tmp_path).relatives()._opened


def test_a_part(tmp_path: Path) -> None:
    fill(make(tmp_path), count=2)
    held = make(tmp_path).read()
    assert held is not None
    assert held[0].shape == (2, SIDE, SIDE, 1)
    (file,) = (tmp_path / "cache" / "pixels").glob("*.pixels")
    with file.open("r+b") as opened:
        opened.truncate(SIDE * SIDE)
    assert make(tmp_path).read() is None  # the index knows that there were two


def test_relatives(tmp_path: Path) -> None:
    """By name, size and time; not those that were broken."""
    fill(make(tmp_path))
    other = make(tmp_path, ["c.png", "new.png", "a.png"])
    found = other.relatives()
    squares = [found.square(row) for row in range(3)]
    assert [None if one is None else int(one[0, 0, 0]) for one in squares] == [3, None, 1]
    assert [one.tolist() for one in found.facts(2)] == [[2, 3], [20, 30]]
    place = other.begin(3)
    place.abandon()
    assert len(list((tmp_path / "cache" / "pixels").iterdir())) == 2
