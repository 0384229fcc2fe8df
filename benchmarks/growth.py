"""Time and memory as pictures double, and with far more pictures than memory for them.

    python benchmarks/growth.py [--counts 500 1000 2000 4000]

A run (one frozen epoch of a small net, prediction included) on pictures written for it, each
in a process of its own: seconds, and the most memory that was its own (not the files mapped
into it). Cost should be linear, and the memory that a picture adds small: its pixels stay in
the file that they were decoded to.
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
from machine import say_machine

SIDE = 160


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


def main() -> None:
    """Measure each count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", type=int, nargs="+", default=[500, 1000, 2000, 4000])
    given = parser.parse_args()
    say_machine()
    print(f"{'pictures':>9} {'pixels MB':>10} {'s first':>9} {'s again':>9} {'own memory MB':>14}")
    for count in given.counts:
        with tempfile.TemporaryDirectory(prefix="kitbox-growth-") as name:
            place = Path(name)
            write(place / "data", count)
            file = place / "recipe.yaml"
            file.write_text(yaml.safe_dump(recipe(place / "data")))
            found = []
            for out in ("one", "two"):  # the second decodes nothing
                done = subprocess.run(
                    [sys.executable, "-c", MEASURED, str(file), str(place / out)],
                    env={**os.environ, "KITBOX_CACHE": str(place / "cache")},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                found.append(json.loads(done.stdout.splitlines()[-1]))
            pixels = sum(one.stat().st_size for one in (place / "cache").rglob("*.pixels"))
            print(
                f"{count:>9} {pixels / 1e6:>10.0f} {found[0]['seconds']:>9.1f} "
                f"{found[1]['seconds']:>9.1f} {found[0]['memory'] / 1e6:>14.0f}"
            )


if __name__ == "__main__":
    main()
