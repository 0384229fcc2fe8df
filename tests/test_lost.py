"""Processes that a run loses: killed, stopped, on a machine that vanishes. It goes on after."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml
from crews import HELD, alike, ours, process_of, soon, start
from results import follow
from safetensors.torch import load_file

from kitbox import recipe as recipes

pytestmark = pytest.mark.slow
FOUND: dict[str, Any] = {
    **HELD,
    "stages": [
        {"epochs": 1, "freeze": True, "lr": 1e-2, "features": 2},
        {"epochs": 6, "hold_norm": True, "lr": "find"},
    ],
}
SITE = """
import itertools, os, signal

if "RANK" in os.environ:
    from kitbox.training import pulse
    from kitbox.training.trainer import Trainer

    pulse.SILENCE = float(os.environ.get("TEST_SILENCE", pulse.SILENCE))
    if os.environ["RANK"] == os.environ.get("TEST_RANK"):
        heeding, numbers = Trainer._heeding, itertools.count(1)

        def dying(self, step):
            number, steps, inner = next(numbers), itertools.count(1), heeding(self, step)

            def stepped(*of, **named):
                if number == int(os.environ["TEST_BAR"]) and next(steps) == 3:
                    os.kill(os.getpid(), signal.SIGKILL)
                inner(*of, **named)

            return stepped

        Trainer._heeding = dying
"""
"""Runs at the start of each process: one kills itself in the third step of a bar of work that
is not saved (the features are the first, the finder is the second)."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe and, in `whole`, its run in two processes that never ended early."""
    place = tmp_path_factory.mktemp("lost")
    (place / "site").mkdir()
    (place / "site" / "sitecustomize.py").write_text(SITE)
    file = place / "recipe.yaml"
    file.write_text(yaml.safe_dump({**FOUND, "processes": 2}, sort_keys=False))
    process = start(file, place / "whole")
    said, errors = process.communicate(timeout=240)
    assert process.returncode == 0, (said, errors)
    follow(recipes.make(FOUND), place / "one", place / "cache")
    alike(place / "one", place / "whole")
    return place


def sited(place: Path, **variables: str) -> dict[str, str]:
    """Environment variables with which `SITE` is run."""
    paths = [str(place / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), **variables}


def goes_on(place: Path, out: Path) -> str:
    """Assert that the same command ends as a run that lost nobody; what it said."""
    process = start(place / "recipe.yaml", out)
    said, errors = process.communicate(timeout=240)
    assert process.returncode == 0, (said, errors)
    assert ours(errors) == ""
    alike(place / "whole", out, atol=0)
    ended, whole = (load_file(at / "last.safetensors") for at in (out, place / "whole"))
    assert ended.keys() == whole.keys()
    for name, value in whole.items():
        assert torch.equal(ended[name], value), name
    return said


def paragraph(process: subprocess.Popen[str], timeout: float = 120) -> str:
    """The error of a run that failed: one paragraph on its standard error, and exit code 2."""
    said, errors = process.communicate(timeout=timeout)
    errors = ours(errors)
    assert process.returncode == 2, (said, errors)
    assert errors.startswith("kitbox: "), errors
    assert errors.count("\n") == 1, errors
    assert "The same command goes on from the last checkpoint" in errors.replace("; the", ". The")
    return errors


def test_the_main_process_is_killed(place: Path, tmp_path: Path) -> None:
    process = start(place / "recipe.yaml", out := tmp_path / "out")
    soon((out / "log.csv").exists, process)
    others = psutil.Process(process.pid).children(recursive=True)
    main = process_of(process, 0)
    assert main is not None
    main.kill()
    assert paragraph(process).startswith("kitbox: Process 1 of 2 was killed (SIGKILL)")
    assert psutil.wait_procs(others, timeout=10)[1] == []
    assert "goes on from stage" in goes_on(place, out)


@pytest.mark.parametrize(
    ("rank", "bar", "saved"), [("1", "1", False), ("1", "2", True), ("0", "2", True)]
)
def test_killed_in_features_and_in_the_finder(
    rank: str, bar: str, saved: bool, place: Path, tmp_path: Path
) -> None:
    """Features are computed again; the finder's stage begins again."""
    out = tmp_path / "out"
    dying = sited(place, TEST_RANK=rank, TEST_BAR=bar)
    process = start(place / "recipe.yaml", out, **dying)
    errors = paragraph(process)
    assert errors.startswith(f"kitbox: Process {int(rank) + 1} of 2 was killed (SIGKILL)")
    assert ("goes on from stage 2, epoch 1, step 0" in goes_on(place, out)) == saved


@pytest.mark.parametrize("rank", [0, 1])
def test_a_stopped_process_is_given_up(rank: int, place: Path, tmp_path: Path) -> None:
    """As one that hangs, or whose machine does: its connections stay open."""
    out = tmp_path / "out"
    process = start(place / "recipe.yaml", out, **sited(place, TEST_SILENCE="10"))
    soon((out / "log.csv").exists, process)
    others = psutil.Process(process.pid).children(recursive=True)
    stopped = process_of(process, rank)
    assert stopped is not None
    stopped.suspend()
    errors = paragraph(process)  # within the silence, and the 30 s that torch's launcher waits
    assert errors.startswith(f"kitbox: Process {rank + 1} of 2 no longer answers"), errors
    assert psutil.wait_procs(others, timeout=10)[1] == []
    assert "goes on from stage" in goes_on(place, out)


@pytest.fixture
def machines() -> Iterator[tuple[str, str]]:
    """Two network namespaces, joined by a cable; each has its end `kitbox` of it."""
    if shutil.which("ip") is None:
        pytest.skip("needs `ip` of iproute2")
    names = tuple(f"kitbox-{os.getpid()}-{n}" for n in range(2))

    def ip(*arguments: str) -> None:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no network namespaces can be made here: {done.stderr.strip()}")

    try:
        for name in names:
            ip("netns", "add", name)
        ip(
            "-n",
            names[0],
            "link",
            "add",
            "kitbox",
            "type",
            "veth",
            "peer",
            "kitbox",
            "netns",
            names[1],
        )
        for n, name in enumerate(names):
            ip("-n", name, "address", "add", f"10.77.0.{n + 1}/24", "dev", "kitbox")
            for device in ("lo", "kitbox"):
                ip("-n", name, "link", "set", device, "up")
        yield names[0], names[1]
    finally:
        for name in names:
            with contextlib.suppress(OSError):
                subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def on_machine(name: str, rank: int, place: Path, here: Path) -> subprocess.Popen[str]:
    """The documented command on one of two machines."""
    (own := here / f"machine-{rank}").mkdir(exist_ok=True)
    command = [
        *("ip", "netns", "exec", name, sys.executable, "-m", "accelerate.commands.launch"),
        *("--multi_gpu", "--num_machines", "2", "--machine_rank", str(rank)),
        *("--num_processes", "2", "--main_process_ip", "10.77.0.1"),
        *("--main_process_port", "29500", "--mixed_precision", "no", "--dynamo_backend", "no"),
        *("-m", "kitbox", "run", str(place / "alone.yaml"), "--out", "out"),
    ]
    variables = sited(place, TEST_SILENCE="10", GLOO_SOCKET_IFNAME="kitbox")
    return subprocess.Popen(
        command,
        env={**os.environ, "KITBOX_CACHE": str(own / "cache"), **variables},
        cwd=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_machine_vanishes(machines: tuple[str, str], place: Path, tmp_path: Path) -> None:
    """The cable is pulled: no connection breaks, nothing comes any more."""
    (place / "alone.yaml").write_text(yaml.safe_dump(FOUND, sort_keys=False))
    both = [on_machine(name, rank, place, tmp_path) for rank, name in enumerate(machines)]
    try:
        soon((tmp_path / "machine-0" / "out" / "log.csv").exists, both[0])
        cable = ["ip", "-n", machines[1], "link", "set", "kitbox"]
        subprocess.run([*cable, "down"], check=True)
        began = time.monotonic()
        said = [process.communicate(timeout=120)[0] for process in both]
        assert time.monotonic() - began < 100
        assert all(process.returncode for process in both)
        for rank, text in enumerate(said):
            assert f"kitbox: Process {2 - rank} of 2 no longer answers" in text, text
        subprocess.run([*cable, "up"], check=True)
        both = [on_machine(name, rank, place, tmp_path) for rank, name in enumerate(machines)]
        said = [process.communicate(timeout=240)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], said
    finally:
        for process in both:
            with contextlib.suppress(OSError):
                process.send_signal(signal.SIGTERM)
    assert "goes on from stage" in said[0]
    alike(place / "whole", tmp_path / "machine-0" / "out", atol=0)
