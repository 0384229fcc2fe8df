"""Runs that processes share, for tests: a pair of processes, and what two runs differ in."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from results import SMALL

PAIR = Path(__file__).with_name("pair.py")
HELD: dict[str, Any] = {
    **SMALL,
    "stages": [{"epochs": 1, "freeze": True}, {"epochs": 12, "hold_norm": True, "lr": 1e-3}],
    "batch_size": 9,
    "checkpoint_every": "0.1s",
}
"""A recipe whose second stage can be met at work."""


def free_port() -> int:
    """A port that nobody listens to."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def together(jobs: Sequence[tuple[dict[str, Any], Path]], place: Path, cache: Path) -> str:
    """Follow recipes in two processes, each into its folder; what the first process said."""
    file = place / "jobs.json"
    file.write_text(json.dumps([(recipe, str(out)) for recipe, out in jobs]))
    shared = {
        **os.environ,
        "KITBOX_CACHE": str(cache),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    pair = [
        subprocess.Popen(
            [sys.executable, str(PAIR), str(file)],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=240)[0] for process in pair]
    finally:
        for process in pair:
            process.kill()
    assert [process.returncode for process in pair] == [0, 0], said
    assert said[1] == ""  # the second one is quiet
    return said[0]


def soon(there: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    """What is there, once it is."""
    until = time.monotonic() + 120
    while not (found := there()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def start(file: Path, out: Path, *more: str, **variables: str) -> subprocess.Popen[str]:
    """The command, in a group of processes of its own.

    Args:
        variables: of its environment.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "kitbox", "run", str(file), "--out", str(out), *more],
        env={**os.environ, "KITBOX_CACHE": str(file.parent / "cache"), **variables},
        cwd=file.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ours(errors: str) -> str:
    """Standard error without PyTorch's own words where a machine is slow to name itself."""
    lines = errors.splitlines(keepends=True)
    return "".join(line for line in lines if "[c10d] The hostname of" not in line)


def process_of(process: subprocess.Popen[str], rank: int) -> psutil.Process | None:
    """The process of a number in a run; the main one's is 0."""
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if child.environ().get("RANK") == str(rank):
                return child
        except psutil.Error:  # it is just starting, or has ended
            continue
    return None


def rows(path: Path) -> tuple[list[list[str]], np.ndarray]:
    """Cells of a csv file that are no numbers, and the others."""
    words, numbers = [], []
    with path.open(newline="") as file:
        for row in csv.reader(file):
            words.append([cell for cell in row if not _is_number(cell)])
            numbers += [float(cell) for cell in row if _is_number(cell)]
    return words, np.array(numbers)


def alike(one: Path, other: Path, atol: float = 1e-4, *, masks: bool = False) -> None:
    """Assert that two runs ended the same, within floating-point noise.

    Args:
        masks: that they predict; their pixels are compared, of which a few at edges may differ.
    """
    predicted = ["predictions_valid.csv", "predictions_test.csv"]
    for name in predicted if masks else ():
        mine, theirs = drawn(one / name), drawn(other / name)
        assert mine.keys() == theirs.keys()
        differing = [np.mean(mask != theirs[key]) for key, mask in mine.items()]
        assert np.mean(differing) < 2e-3, name
    for name in ("log.csv", *(() if masks else (*predicted, "submission.csv"))):
        words, numbers = rows(one / name)
        others, found = rows(other / name)
        assert others == words, name
        np.testing.assert_allclose(found, numbers, atol=atol, err_msg=name)
    assert (one / "table.csv").read_bytes() == (other / "table.csv").read_bytes()
    assert (one / "batch.png").read_bytes() == (other / "batch.png").read_bytes()


def drawn(path: Path) -> dict[tuple[str, str], np.ndarray]:
    """The masks of a file of predictions, flat, by picture and column."""
    found = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            for column, cell in row.items():
                shape, *runs = cell.split()
                if column == "id" or "x" not in shape:
                    continue
                mask = np.zeros(int(np.prod([int(side) for side in shape.split("x")])), bool)
                for start, length in zip(runs[::2], runs[1::2], strict=True):
                    mask[int(start) - 1 : int(start) - 1 + int(length)] = True
                found[row["id"], column] = mask
    assert found
    return found


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
