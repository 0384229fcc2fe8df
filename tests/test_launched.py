"""A process that a run has started with others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kitbox import launched
from kitbox.errors import KitboxError, RecipeError, StorageError
from kitbox.progress import Progress
from kitbox.results.folder import RunFolder

WAITS = """
import sys, time
from kitbox import launched
launched.heed()
try:
    print("ready", flush=True)
    for _ in range(600):  # a signal right before one long sleep would wait for its end
        time.sleep(0.1)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("rank", ["0", "1"])
def test_it_ends_with_the_run_and_the_first_takes_its_ctrl_c(rank: str, tmp_path: Path) -> None:
    environment = {**os.environ, launched.PLACE: str(tmp_path), "LOCAL_RANK": rank}
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("s")
        process.stdin.flush()
        if rank == "0":
            assert process.stdout.readline() == "interrupted\n"
        assert process.poll() is None
        process.communicate(timeout=20)  # closes its input
        assert process.returncode == 1
    finally:
        process.kill()
        process.communicate()


def test_errors_come_over_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[KitboxError] = [
        StorageError("The disk is full", found="0 bytes", do="Free some"),
        RecipeError("It has 2 mistakes", mistakes=["one", "two"], do="Mend them"),
    ]
    monkeypatch.delenv(launched.PLACE, raising=False)
    assert not launched.report(errors[0])
    monkeypatch.setenv(launched.PLACE, str(tmp_path))
    for rank, error in enumerate(errors):
        monkeypatch.setenv("RANK", str(rank))
        assert launched.report(error)
    (tmp_path / "7.json").write_text('{"kind": "Stor')  # killed while it wrote
    found = launched.reported(tmp_path)
    assert [str(found[rank]) for rank in (0, 1)] == [str(error) for error in errors]
    assert [type(found[rank]) for rank in (0, 1)] == [StorageError, RecipeError]
    assert len(found) == 2


def test_a_process_alone_works_in_the_runs_folder(tmp_path: Path) -> None:
    folder, progress = RunFolder(tmp_path), Progress(quiet=True)
    with launched.joined(folder, progress) as place:
        assert (place.crew.count, place.folder, place.progress) == (1, folder, progress)
