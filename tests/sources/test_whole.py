from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from kitbox.errors import StorageError
from kitbox.sources.whole import alone, make_folder


def fill(folder):
    (folder / "a").write_text("a")


def test_makes_once(tmp_path):
    target = tmp_path / "deep" / "t"
    assert make_folder(target, fill) == target
    assert (target / "a").read_text() == "a"
    make_folder(target, lambda _: pytest.fail("made twice"))


def test_a_failure_leaves_nothing(tmp_path):
    def fail(folder):
        fill(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_folder(tmp_path / "t", fail)
    assert [p for p in tmp_path.iterdir() if p.is_dir()] == []


def test_what_a_killed_process_left_is_removed(tmp_path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from kitbox.sources.whole import make_folder\n"
        "def fill(folder):\n"
        "    (folder / 'old').write_text(''); print('x', flush=True); time.sleep(60)\n"
        "make_folder(Path(sys.argv[1]), fill)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "t")],
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout.readline() == b"x\n"
        process.send_signal(signal.SIGKILL)
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == [".t.part"]
    make_folder(tmp_path / "t", fill)
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["t"]
    assert [p.name for p in (tmp_path / "t").iterdir()] == ["a"]


def test_one_at_a_time(tmp_path):
    inside, most = [], []

    def work():
        with alone(tmp_path / "t"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_no_locks_on_this_drive(tmp_path, monkeypatch):
    import fcntl

    def none(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", none)
    assert make_folder(tmp_path / "t", fill).is_dir()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        make_folder(tmp_path / "file" / "t", fill)
