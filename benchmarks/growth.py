"""Time and memory as pictures double, and with far more pictures than room for them.

    python benchmarks/growth.py [--counts 500 1000 2000 4000 8000]

A run (a frozen epoch and a full one of a small net, validation included) on pictures written
for it, each in a process of its own: seconds, and the most memory that was its own (not the files
mapped into it). Cost should be linear, and the memory that a picture adds small: its pixels stay
in the file that they were decoded to.

Then with a budget for decoded pictures (KITBOX_PIXELS) that the least count just fills, no cache on
the disk: the memory beyond the budget should not grow with the pictures' pixels, up to ten times
the budget and more; pictures beyond it are decoded in every epoch.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import yaml
from machine import alone, say_machine

from kitbox.data.pixels import side_for

SIDE = 160
EACH = side_for((SIDE, SIDE)) ** 2 * 3
"""Bytes of a decoded picture."""


def write(folder: Path, count: int) -> None:
    """`count` pictures of two classes."""
    rng = np.random.default_rng(0)
    for kind in range(2):
        (folder / "train" / str(kind)).mkdir(parents=True)
    for number in range(count):
        coarse = rng.integers(0, 255, (8, 10, 3), dtype=np.uint8)
        coarse[..., number % 2] //= 2
        picture = cv2.resize(coarse, (320, 256), interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(str(folder / "train" / str(number % 2) / f"{number}.jpg"), picture)


def recipe(folder: Path) -> dict[str, object]:
    """A run that is mostly data."""
    return {
        "name": "growth",
        "source": {"use": "folder", "path": str(folder)},
        "labeler": {"use": "folder", "path": "train"},
        "task": "single-label",
        "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
        "size": SIDE,
        "stages": [{"epochs": 1, "freeze": True}, {"epochs": 1}],
    }


MEASURED = """
import json, resource, sys, threading, time
from pathlib import Path

most, over = 0, threading.Event()

def watch():
    global most
    while not over.wait(0.05):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                most = max(most, int(line.split()[1]) * 1024)

threading.Thread(target=watch, daemon=True).start()
from kitbox.recipe import read
from kitbox.runner import run
from kitbox.progress import Progress
began = time.monotonic()
run(read(sys.argv[1]), sys.argv[2], progress=Progress(quiet=True))
over.set()
print(json.dumps({"seconds": time.monotonic() - began, "memory": most}))
"""


def measure(file: Path, out: Path, **variables: str) -> dict[str, float]:
    """Seconds and bytes of a run in a process of its own."""
    with alone():
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, str(file), str(out)],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure each count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", type=int, nargs="+", default=[500, 1000, 2000, 4000, 8000])
    given = parser.parse_args()
    say_machine()
    budget = min(given.counts) * EACH
    rows = []
    print(f"{'pictures':>9} {'pixels MB':>10} {'s first':>9} {'s again':>9} {'own memory MB':>14}")
    for count in given.counts:
        with tempfile.TemporaryDirectory(prefix="kitbox-growth-") as name:
            place = Path(name)
            write(place / "data", count)
            file = place / "recipe.yaml"
            file.write_text(yaml.safe_dump(recipe(place / "data")))
            cache = str(place / "cache")
            first = measure(file, place / "one", KITBOX_CACHE=cache)
            again = measure(file, place / "two", KITBOX_CACHE=cache)  # decodes nothing
            print(
                f"{count:>9} {count * EACH / 1e6:>10.0f} {first['seconds']:>9.1f} "
                f"{again['seconds']:>9.1f} {first['memory'] / 1e6:>14.0f}",
                flush=True,
            )
            (place / "file").write_text("no folder: nothing can be cached below")
            small = measure(
                file,
                place / "three",
                KITBOX_CACHE=str(place / "file" / "cache"),
                KITBOX_PIXELS=f"{budget}B",
            )
            rows.append((count, small))
    print(f"\nin memory only, with a budget of {budget / 1e6:.0f} MB for decoded pictures")
    print(f"{'pictures':>9} {'x budget':>10} {'seconds':>9} {'own memory MB':>14}")
    for count, small in rows:
        times, memory = count * EACH / budget, small["memory"] / 1e6
        print(f"{count:>9} {times:>10.1f} {small['seconds']:>9.1f} {memory:>14.0f}")


if __name__ == "__main__":
    main()
