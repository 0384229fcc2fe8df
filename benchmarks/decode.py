"""Cache building beside OpenCV's bare rate, on the same files with the same threads.

    python benchmarks/decode.py [--rounds 5] [--pictures 2000]

OpenCV alone reads the bytes, decodes (reduced where the file is at least twice the side) and
shrinks by area; nothing is kept, or (second column) all in memory: a virtual machine may take
longer to hand out fresh memory than to decode into it. The cache does the same and also turns,
checks, and keeps all in an array that lies in a file. In turn, in one process; pictures per
second, until every picture can be used. (The file is flushed to the disk behind that, while
the training begins; here that is waited for, but not counted.) A set with fewer pictures is gone
through again and again.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from machine import ROOT, alone, alternate, middle, say_machine

from kitbox.data import pixels
from kitbox.environment import cores

SETS = {"flowers17": "train", "camvid": "images", "bccd": "train"}


def bare(path: Path, side: int, *, keep: bool = False) -> np.ndarray | None:
    """Decode one picture to at most `side`."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    height, width = SHAPES[path]
    reduced = cv2.IMREAD_REDUCED_COLOR_2 if max(height, width) >= 2 * side else cv2.IMREAD_COLOR
    picture = cv2.imdecode(data, reduced | cv2.IMREAD_IGNORE_ORIENTATION)
    factor = side / max(picture.shape[:2])
    if factor < 1:
        small = round(picture.shape[1] * factor), round(picture.shape[0] * factor)
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return picture if keep else None


SHAPES: dict[Path, tuple[int, int]] = {}


def main() -> None:
    """Measure each set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--side", type=int, default=240)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    say_machine()
    threads = cores()
    print(f"{threads} threads, pictures of at most {given.side} pixels; pictures a second")
    print(
        f"{'set':>12} {'pictures':>9} {'OpenCV':>8} {'kept':>8} {'cache':>8} "
        f"{'share':>7} {'of kept':>7}"
    )
    for name, folder in SETS.items():
        place = ROOT.parent / "shared" / "data" / name / folder
        there = sorted(place.rglob("*.jpg"))
        if not there:
            print(f"{name:>12}  not here")
            continue
        paths = list(itertools.islice(itertools.cycle(there), given.pictures))
        for path in there:
            SHAPES[path] = cv2.imread(str(path)).shape[:2]
        cache = Path(tempfile.mkdtemp(prefix="kitbox-decode-"))

        def plain(paths: list[Path] = paths, *, keep: bool = False) -> list[object]:
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(partial(bare, side=given.side, keep=keep), paths))

        def build(
            paths: list[Path] = paths, place: Path = place, cache: Path = cache
        ) -> pixels.Pixels:
            names = [path.relative_to(place).as_posix() for path in paths]
            return pixels.load(
                place, names, side=given.side, channels=3, cache=cache, workers=threads
            )

        def clear(made: object, cache: Path = cache) -> None:
            if isinstance(made, pixels.Pixels):
                made.settle()  # what was written has reached the disk
                shutil.rmtree(cache)

        parts = {"OpenCV": plain, "kept": partial(plain, keep=True), "cache": build}
        with alone():
            taken = alternate(parts, given.rounds, clear)
        rates = {kind: len(paths) / middle(seconds) for kind, seconds in taken.items()}
        cache_rate = rates["cache"]
        print(
            f"{name:>12} {len(paths):>9} {rates['OpenCV']:>8.0f} {rates['kept']:>8.0f} "
            f"{cache_rate:>8.0f} {cache_rate / rates['OpenCV']:>7.2f} "
            f"{cache_rate / rates['kept']:>7.2f}"
        )


if __name__ == "__main__":
    main()
