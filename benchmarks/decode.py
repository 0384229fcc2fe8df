"""Cache building beside OpenCV's bare rate, on the same files with the same threads.

    python benchmarks/decode.py [--rounds 5] [--pictures 1000]

OpenCV alone reads the bytes, decodes (reduced where the file is at least twice the side) and
shrinks by area; nothing is kept. The cache does the same and also turns, checks, keeps the
aspect ratio, and writes an array and an index. In turn, in one process; pictures per second.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from machine import ROOT, alternate, middle, say_machine, spread

from kitbox.data import pixels
from kitbox.environment import cores

SETS = {"flowers17": "train", "camvid": "images", "bccd": "train"}


def bare(path: Path, side: int) -> None:
    """Decode one picture to at most `side`."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    height, width = SHAPES[path]
    reduced = cv2.IMREAD_REDUCED_COLOR_2 if max(height, width) >= 2 * side else cv2.IMREAD_COLOR
    picture = cv2.imdecode(data, reduced | cv2.IMREAD_IGNORE_ORIENTATION)
    factor = side / max(picture.shape[:2])
    if factor < 1:
        small = round(picture.shape[1] * factor), round(picture.shape[0] * factor)
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


SHAPES: dict[Path, tuple[int, int]] = {}


def main() -> None:
    """Measure each set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--side", type=int, default=240)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    say_machine()
    threads = cores()
    print(f"{threads} threads, pictures of at most {given.side} pixels; pictures a second")
    print(f"{'set':>12} {'pictures':>9} {'OpenCV':>8} {'cache':>8} {'share':>7}   by round")
    for name, folder in SETS.items():
        place = ROOT.parent / "shared" / "data" / name / folder
        paths = sorted(place.glob("*.jpg"))[: given.pictures]
        if not paths:
            print(f"{name:>12}  not here")
            continue
        for path in paths:
            SHAPES[path] = cv2.imread(str(path)).shape[:2]
        cache = Path(tempfile.mkdtemp(prefix="kitbox-decode-"))

        def plain(paths: list[Path] = paths) -> None:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(partial(bare, side=given.side), paths))

        def build(paths: list[Path] = paths, place: Path = place, cache: Path = cache) -> None:
            shutil.rmtree(cache, ignore_errors=True)
            names = [path.name for path in paths]
            pixels.load(place, names, side=given.side, channels=3, cache=cache, workers=threads)

        taken = alternate({"OpenCV": plain, "cache": build}, given.rounds)
        shutil.rmtree(cache, ignore_errors=True)
        rates = {kind: len(paths) / middle(seconds) for kind, seconds in taken.items()}
        shares = [a / b for a, b in zip(taken["OpenCV"], taken["cache"], strict=True)]
        print(
            f"{name:>12} {len(paths):>9} {rates['OpenCV']:>8.0f} {rates['cache']:>8.0f} "
            f"{rates['cache'] / rates['OpenCV']:>7.2f}   {spread(shares)}"
        )


if __name__ == "__main__":
    main()
