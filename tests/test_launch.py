"""Runs in several processes, from outside: started, killed, stopped, on two machines."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
import yaml
from crews import HELD, alike, free_port, ours, process_of, soon, start
from results import SMALL, follow

import kitbox
from kitbox import launch
from kitbox import recipe as recipes
from kitbox.errors import (
    KitboxError,
    LostError,
    RecipeError,
    SilentError,
    SourceError,
    StorageError,
    TrainingError,
)
from kitbox.progress import Progress

REPORT = """
{module} FAILED
------------------------------------------------------------
Failures:
[1]:
  time      : 2026-11-21_13:00:01
  host      : here
  rank      : 1 (local_rank: 1)
  exitcode  : {second} (pid: 12)
  error_file: <N/A>
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-11-21_13:00:00
  host      : here
  rank      : 0 (local_rank: 0)
  exitcode  : {first} (pid: 11)
"""


@pytest.mark.slow
def test_killed_stopped_and_gone_on_with_it_ends_as_one_process_does(tmp_path: Path) -> None:
    file, out = tmp_path / "recipe.yaml", tmp_path / "out"
    file.write_text(yaml.safe_dump({**HELD, "processes": 2}, sort_keys=False))

    process = start(file, out)
    soon((out / "log.csv").exists, process)
    other = process_of(process, 1)
    assert other is not None
    others = psutil.Process(process.pid).children(recursive=True)
    other.kill()
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 2, (said, errors)
    assert errors.startswith("kitbox: Process 2 of 2 was killed (SIGKILL)"), errors
    assert "The same command goes on from the last checkpoint" in errors
    assert "Traceback" not in said + errors
    assert psutil.wait_procs(others, timeout=10)[1] == []

    process = start(file, out)
    at = (out / "log.csv").stat().st_mtime_ns
    soon(lambda: (out / "log.csv").stat().st_mtime_ns != at, process)
    process.send_signal(signal.SIGINT)  # as a terminal, or a notebook's button
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 130, (said, errors)
    assert "goes on from stage" in said
    assert said.count("stopping after this step") == 1
    assert json.loads((out / "run.json").read_text())["state"] == "stopped"
    assert (out / "submission.csv").exists()
    assert "Traceback" not in said + errors

    process = start(file, out)
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, (said, errors)
    assert ours(errors) == ""
    follow(recipes.make(HELD), tmp_path / "one", tmp_path / "cache")
    alike(tmp_path / "one", out)
    assert sorted(tmp_path.glob("out/checkpoint*")) == []


@pytest.mark.slow
def test_from_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call of a process that has used torch already; errors come back as they are."""
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    values = {**HELD, "stages": HELD["stages"][:1], "processes": 2}
    said = io.StringIO()
    run = kitbox.run(recipes.make(values), tmp_path / "two", progress=Progress(said))
    one = kitbox.run(
        recipes.make({**values, "processes": 1}),
        tmp_path / "one",
        progress=Progress(quiet=True),
    )
    assert run.folder == tmp_path / "two"
    assert run.submission == tmp_path / "two" / "submission.csv"
    assert run.scores == pytest.approx(dict(one.scores), abs=1e-4)
    assert "stage 1 of 1: head alone" in said.getvalue()
    alike(tmp_path / "one", tmp_path / "two")
    again = kitbox.run(recipes.make(values), tmp_path / "two", progress=Progress(said))
    assert again == run
    assert "finished" in said.getvalue()

    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "submission.csv").write_text("precious")
    with pytest.raises(StorageError, match="holds files that would be overwritten"):
        kitbox.run(recipes.make(values), tmp_path / "three", progress=Progress(quiet=True))
    assert (tmp_path / "three" / "submission.csv").read_text() == "precious"


@pytest.mark.slow
def test_a_persons_own_settings_of_the_launcher_are_left_alone(tmp_path: Path) -> None:
    """Of Accelerate's configuration file, and of the environment."""
    (home := tmp_path / "home" / "accelerate").mkdir(parents=True)
    own = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "DEEPSPEED",
        "deepspeed_config": {"zero_stage": 3, "deepspeed_multinode_launcher": "pdsh"},
        "mixed_precision": "fp16",
        "gpu_ids": "0",
        "num_machines": 2,
        "num_processes": 8,
        "machine_rank": 1,
        "main_process_ip": "10.255.255.1",
        "main_process_port": 1,
        "same_network": True,
        "rdzv_backend": "c10d",
        "main_training_function": "other",
        "dynamo_config": {"dynamo_backend": "INDUCTOR"},
        "debug": True,
    }
    (home / "default_config.yaml").write_text(yaml.safe_dump(own))
    hostile = {
        "HF_HOME": str(home.parent),
        "ACCELERATE_USE_DEEPSPEED": "true",
        "ACCELERATE_MIXED_PRECISION": "fp16",
        "PET_NNODES": "2",
        "PET_RDZV_BACKEND": "c10d",
    }
    values = {**HELD, "stages": HELD["stages"][:1]}
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump({**values, "processes": 2}, sort_keys=False))
    process = start(file, tmp_path / "two", **hostile)
    said, errors = process.communicate(timeout=180)
    assert process.returncode == 0, (said, errors)
    assert ours(errors) == ""
    assert "2 processes on this machine share each batch" in said
    follow(recipes.make(values), tmp_path / "one", tmp_path / "cache")
    alike(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_two_machines(tmp_path: Path) -> None:
    """Two launchers, each with its own cache and working folder: the first writes the run."""
    file, port = tmp_path / "recipe.yaml", str(free_port())
    values = {**HELD, "stages": HELD["stages"][:1]}
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    machines = []
    for rank in ("0", "1"):
        (place := tmp_path / f"machine-{rank}").mkdir()
        command = [
            *(sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"),
            *("--num_machines", "2", "--machine_rank", rank, "--num_processes", "2"),
            *("--main_process_ip", "127.0.0.1", "--main_process_port", port),
            *("--mixed_precision", "no", "--dynamo_backend", "no"),
            *("-m", "kitbox", "run", str(file), "--out", "out"),
        ]
        machines.append(
            subprocess.Popen(
                command,
                env={**os.environ, "KITBOX_CACHE": str(place / "cache")},
                cwd=place,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    try:
        said = [machine.communicate(timeout=180)[0] for machine in machines]
    finally:
        for machine in machines:
            machine.terminate()
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert not (tmp_path / "machine-1" / "out").exists()
    follow(recipes.make(values), tmp_path / "one", tmp_path / "cache")
    alike(tmp_path / "one", tmp_path / "machine-0" / "out")
    for rank in ("0", "1"):
        assert list((tmp_path / f"machine-{rank}" / "cache").iterdir())


def test_fewer_gpus_than_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(RecipeError, match="takes a GPU for each, this machine has 1"):
        kitbox.run(recipes.make({**SMALL, "processes": 2}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_plugin_of_the_session_is_not_known_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kitbox.registry.splitters, "_session", {})

    @kitbox.register("splitter", "every-fifth")
    class EveryFifth(kitbox.Options):
        """Every fifth picture validates."""

        def split(self, rows: Any, targets: Any, folder: Path) -> Any:
            return rows["id"].rank().mod(5).eq(0).map({True: "valid", False: "train"})

    with pytest.raises(RecipeError, match="'every-fifth' was registered in this session"):
        kitbox.run(
            recipes.make({**SMALL, "split": "every-fifth", "processes": 2}), tmp_path / "out"
        )


SILENT = SilentError("Process 1 of 2 no longer answers")
LOST = LostError("Another process of this run has ended", found="NCCL error: no shared memory")


@pytest.mark.parametrize(
    ("told", "first", "second", "says"),
    [
        ({0: LOST}, 2, -9, "Process 2 of 2 was killed (SIGKILL)"),
        ({1: LOST}, -9, 2, "Process 1 of 2 was killed (SIGKILL)"),
        ({}, -15, -11, "Process 2 of 2 was killed (SIGSEGV)"),
        ({1: LOST}, 1, 2, "Process 1 of 2 failed with exit status 1"),
        ({0: LOST, 1: LOST}, 2, 2, "no shared memory"),
        ({}, 1, 2, "Process 1 of 2 failed with exit status 1"),
        ({}, -9, -6, "Process 1 of 2 was killed (SIGKILL)"),
        ({}, -6, -9, "Process 1 of 2 was killed (SIGABRT)"),
        ({1: SILENT}, -9, 2, "Process 1 of 2 no longer answers"),
        ({0: SourceError("No files"), 1: SILENT}, 2, 2, "No files"),
        ({0: SourceError("No files"), 1: LOST}, 2, 2, "No files"),
    ],
)
def test_which_process_ended_how(
    told: dict[int, KitboxError], first: int, second: int, says: str
) -> None:
    error = launch._why(told, REPORT.format(module="kitbox", first=first, second=second), 2, 1)
    assert says in str(error)
    kinds = {"No files": SourceError, "no shared memory": LostError}
    kinds["Process 1 of 2 no longer answers"] = SilentError
    assert isinstance(error, kinds.get(says, TrainingError))
