"""Runs that are killed, interrupted or out of room, from outside."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from results import SMALL

from kitbox.training import checkpoints

KILLS = 16
"""Of each recipe, at least."""
SMALL_DISK = 13 << 20
"""Bytes: two checkpoints of a small net and its best weights, not three."""
SAME = (
    "best.safetensors",
    "last.safetensors",
    "log.csv",
    "table.csv",
    "predictions_valid.csv",
    "predictions_test.csv",
    "submission.csv",
    "model/model.safetensors",
    "model/model.json",
    "batch.png",
    "recipe.yaml",
)


class Zygote:
    """`tests/zygote.py`, one run at a time."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "KITBOX_CACHE": str(place / "cache")},
            cwd=place,
            bufsize=0,
        )
        assert self.answer() == "ready"

    def answer(self, seconds: float = 300) -> str | None:
        """A line, or None when none came in time."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return None
        return self.process.stdout.readline().decode().strip()

    def start(self, *arguments: str) -> int:
        """Start a command; the number of its process."""
        assert self.process.stdin is not None
        line = json.dumps([str(self.place / "said.txt"), *arguments])
        self.process.stdin.write(f"{line}\n".encode())
        return int(self.answer() or "")

    def end(self) -> int:
        """Wait for the command to end; its exit status, -9 when it was killed."""
        return int(self.answer() or "")

    def run(self, *arguments: str, kill_after: float | None = None) -> int:
        """Run a command; its exit status, -9 when it lived for `kill_after` seconds."""
        number = self.start(*arguments)
        if kill_after is None:
            return self.end()
        if (status := self.answer(kill_after)) is not None:
            return int(status)
        os.kill(number, signal.SIGKILL)
        return self.end()

    def said(self) -> str:
        """By the last run."""
        return (self.place / "said.txt").read_text()


@pytest.fixture
def zygote(tmp_path: Path) -> Iterator[Zygote]:
    one = Zygote(tmp_path)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.communicate()


def digits(place: Path) -> dict[str, Any]:
    """One label a picture; the rate is found; a stage in which rows are drawn by rarity."""
    return {
        **SMALL,
        "stages": [{"epochs": 2, "freeze": True, "lr": "find"}, {"epochs": 4, "size": 48}],
        "sampler": "balanced",
        "checkpoint_every": "0.1s",
    }


def scenes(place: Path) -> dict[str, Any]:
    """A class a pixel, masks in files, an epoch a checkpoint."""
    rng = np.random.default_rng(0)
    for part, count in (("images", 40), ("test", 10)):
        (place / "scenes" / part).mkdir(parents=True)
        (place / "scenes" / "labels").mkdir(exist_ok=True)
        for n in range(count):
            mask = np.zeros((60, 80), np.uint8)
            y, x, side = rng.integers([0, 0, 10], [30, 50, 40])
            mask[y : y + side, x : x + side] = 1
            picture = rng.integers(0, 80, (60, 80, 3)) + 150 * mask[:, :, None]
            cv2.imwrite(str(place / "scenes" / part / f"{n}.jpg"), picture.astype(np.uint8))
            if part == "images":
                cv2.imwrite(str(place / "scenes" / "labels" / f"{n}.png"), mask)
    return {
        "name": "scenes",
        "source": {"use": "folder", "path": str(place / "scenes")},
        "labeler": {"use": "masks", "images": "images", "path": "labels/{stem}.png"},
        "test": {"folder": "test"},
        "split": {"use": "random", "valid": 0.25},
        "task": {"use": "segmentation", "codes": ["ground", "square"]},
        "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
        "augmentation": {"use": "standard", "area": [0.7, 1]},
        "size": [64, 96],
        "batch_size": 8,
        "stages": [{"epochs": 1, "freeze": True}, {"epochs": 4}],
        "submission": {},
    }


def differing(out: Path, whole: Path) -> list[str]:
    """Files of a run that are not as in the undisturbed one, or should not be there."""
    left = [*out.rglob("*.part"), *out.glob("checkpoint*")]
    return [path.name for path in left] + [
        name for name in SAME if (out / name).read_bytes() != (whole / name).read_bytes()
    ]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [digits, scenes])
def test_a_run_killed_anywhere_ends_as_one_that_was_not(
    zygote: Zygote, recipe: Any, tmp_path: Path
) -> None:
    """The same command after each kill: the same files, byte for byte.

    The moments are random, over the whole way from the first look at the source to the
    last file; a failure prints them.
    """
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe(tmp_path), sort_keys=False))
    command = ("run", str(file), "--out")
    assert zygote.run(*command, str(tmp_path / "warm")) == 0, zygote.said()
    began = time.monotonic()
    assert zygote.run(*command, str(tmp_path / "whole")) == 0, zygote.said()
    length = time.monotonic() - began

    rng = random.Random(1)
    moments: list[float] = []
    runs = 0
    while len(moments) < KILLS:
        runs += 1
        out = tmp_path / f"killed-{runs}"
        for cache in tmp_path.glob("cache/*"):
            cache.rename(tmp_path / f"old-{runs}-{cache.name}")  # its building is killed too
        lives = 0
        while True:
            after = rng.uniform(0, 0.8 * length) if lives < 12 else None
            status = zygote.run(*command, str(out), kill_after=after)
            lives += 1
            if status == 0:
                break
            assert status == -9, f"killed after {moments}: {zygote.said()}"
            moments.append(round(after or 0, 3))
        assert differing(out, tmp_path / "whole") == [], f"killed after {moments} of {length:.1f} s"
    sys.stdout.write(f"{len(moments)} kills in {runs} runs of {length:.1f} s: {moments}\n")


def soon(there: Callable[[], bool]) -> None:
    """Wait until it is so."""
    until = time.monotonic() + 60
    while not there():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.slow
def test_ctrl_c_once_predicts_and_twice_ends_at_once(zygote: Zygote, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(digits(tmp_path), sort_keys=False))
    assert zygote.run("run", str(file), "--out", str(tmp_path / "whole")) == 0, zygote.said()

    once = tmp_path / "once"
    number = zygote.start("run", str(file), "--out", str(once))
    soon((once / "log.csv").exists)
    os.kill(number, signal.SIGINT)
    assert zygote.end() == 130, zygote.said()
    assert "Traceback" not in zygote.said()
    assert json.loads((once / "run.json").read_text())["state"] == "stopped"
    sample = (once / "submission.csv").read_text().splitlines()
    assert len(sample) == len((tmp_path / "whole" / "submission.csv").read_text().splitlines())
    assert (once / "checkpoint.safetensors").exists()
    assert zygote.run("run", str(file), "--out", str(once)) == 0, zygote.said()
    assert differing(once, tmp_path / "whole") == []

    twice = tmp_path / "twice"
    number = zygote.start("run", str(file), "--out", str(twice))
    soon((twice / "log.csv").exists)
    os.kill(number, signal.SIGINT)
    time.sleep(0.01)
    os.kill(number, signal.SIGINT)
    assert zygote.end() == 130, zygote.said()
    assert "Traceback" not in zygote.said()
    assert not (twice / "submission.csv").exists()
    assert zygote.run("run", str(file), "--out", str(twice)) == 0, zygote.said()
    assert differing(twice, tmp_path / "whole") == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of `SMALL_DISK`."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_checkpoint(zygote: Zygote, disk: Path, tmp_path: Path) -> None:
    def grow() -> None:
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)

    fill_and_grow(zygote, disk, grow, tmp_path)


@pytest.mark.slow
def test_writes_that_end_early_keep_the_last_checkpoint(zygote: Zygote, tmp_path: Path) -> None:
    """The same where nothing can be mounted: writing fails when so many bytes are there."""
    disk, room = tmp_path / "disk", tmp_path / "room.json"
    room.write_text(json.dumps({"folder": str(disk), "most": SMALL_DISK}))
    fill_and_grow(zygote, disk, room.unlink, tmp_path)


def fill_and_grow(zygote: Zygote, disk: Path, grow: Callable[[], object], place: Path) -> None:
    """Run on a small disk until it is full, twice, and then on the larger one."""
    file = place / "recipe.yaml"
    file.write_text(yaml.safe_dump(digits(place), sort_keys=False))
    assert zygote.run("run", str(file), "--out", str(place / "whole")) == 0, zygote.said()

    assert zygote.run("run", str(file), "--out", str(disk / "run")) == 2
    assert "Traceback" not in zygote.said()
    assert "The disk is full" in zygote.said()
    assert checkpoints.load(disk / "run" / "checkpoint.safetensors") is not None
    assert zygote.run("run", str(file), "--out", str(disk / "run")) == 2  # as full as before
    grow()
    assert zygote.run("run", str(file), "--out", str(disk / "run")) == 0, zygote.said()
    assert differing(disk / "run", place / "whole") == []
