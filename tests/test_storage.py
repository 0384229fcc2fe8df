"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kitbox import errors, storage
from kitbox.errors import StorageError


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_write_text_and_bytes(tmp_path: Path) -> None:
    storage.write(tmp_path / "new" / "folder" / "a.txt", "Grüße\n")
    assert (tmp_path / "new/folder/a.txt").read_bytes() == "Grüße\n".encode()
    storage.write(tmp_path / "new/folder/a.txt", b"\x00\xff")
    assert (tmp_path / "new/folder/a.txt").read_bytes() == b"\x00\xff"
    assert names(tmp_path / "new/folder") == ["a.txt"]


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with storage.whole(path) as beside:
        beside.write_text("half of")
        assert path.read_text() == "old"
        assert beside.parent == path.parent  # so that the rename stays on one disk
    assert path.read_text() == "half of"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file(error: type[BaseException], tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with storage.whole(path) as beside:
            beside.write_text("new")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_exception_leaves_nothing_where_nothing_was(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), storage.whole(tmp_path / "a.txt"):
        raise ValueError("no")
    assert names(tmp_path) == []


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        storage.write(tmp_path / "a.txt", "x")
        (tmp_path / "b.txt").write_text("x")  # as any file of this process
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode for name in ("a.txt", "b.txt")]
    assert modes[0] == modes[1]


def test_a_writer_that_puts_a_file_of_its_own_there(tmp_path: Path) -> None:
    """safetensors writes another file, readable by its owner alone, and renames it."""
    (tmp_path / "b.txt").write_text("as any file of this process")
    with storage.whole(tmp_path / "a.txt") as beside:
        (tmp_path / "own").write_text("new")
        (tmp_path / "own").chmod(0o600)
        (tmp_path / "own").replace(beside)
    assert (tmp_path / "a.txt").read_text() == "new"
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_the_file_is_flushed_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("flush"), fsync(handle)))
    monkeypatch.setattr(
        Path, "replace", lambda path, to: (done.append("rename"), replace(path, to))
    )
    storage.write(tmp_path / "a.txt", "x")
    assert done == ["flush", "rename"]


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with storage.whole(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match=r"disk is full.*Free some space") as caught:
        fail()
    assert str(path) in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert (path.read_text(), names(tmp_path)) == ("old", ["a.txt"])


def test_a_real_full_disk_says_so() -> None:
    """/dev/full refuses every write, as a full disk does."""

    def fail() -> None:
        with errors.storage(Path("/dev/full"), "writing"):
            Path("/dev/full").write_bytes(b"x")

    with pytest.raises(StorageError, match="disk is full"):
        fail()


def test_a_file_larger_than_allowed(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from kitbox import errors, storage\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: storage.write(Path(sys.argv[1]), b'x' * 5000)\n"
        "except errors.StorageError as error: print(error)\n"
    )
    path = tmp_path / "a.bin"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "while writing" in done.stdout
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "a.txt", tmp_path / "file" / "b" / "a.txt"):
        with pytest.raises(StorageError, match=r"a\.txt"):
            storage.write(path, "x")
    with pytest.raises(StorageError):
        storage.write(Path("/proc/kitbox/a.txt"), "x")


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(StorageError):
        storage.write(tmp_path / "a.txt", "x")
    assert names(tmp_path) == ["a.txt"]


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    """Half a file of a killed process would fill the disk for ever; a living one's is kept."""
    code = (
        "import sys, time; from pathlib import Path; from kitbox import storage\n"
        "with storage.whole(Path(sys.argv[1])) as beside:\n"
        "    beside.write_text('half'); print('ready', flush=True); time.sleep(60)\n"
    )
    path = tmp_path / "a.txt"
    (tmp_path / ".a.txt.part").write_text("somebody else's")
    (tmp_path / ".a.txt.b.12345678.part").write_text("of another file")
    others = {".a.txt.part", ".a.txt.b.12345678.part"}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        storage.write(path, "mine")
        (half,) = set(names(tmp_path)) - others - {"a.txt"}
        assert (tmp_path / half).read_text() == "half"
        writer.send_signal(signal.SIGKILL)
    assert path.read_text() == "mine"
    storage.write(path, "again")
    assert path.read_text() == "again"
    assert set(names(tmp_path)) == others | {"a.txt"}


def test_many_threads_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    contents = [str(n) * 10_000 for n in range(8)]

    def work(content: str) -> None:
        for _ in range(10):
            storage.write(path, content)
            assert path.read_text() in contents

    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(work, contents))  # raises what a thread raised
    assert names(tmp_path) == ["a.txt"]


def test_only_an_earlier_result_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    storage.refuse_strangers(path, "image,reason")
    path.write_text("image,reason\na,b\n")
    storage.refuse_strangers(path, "image,reason")
    for content in (b"image,label\na,b\n", b"\xff\xd8\xff\xe0 a picture", b""):
        path.write_bytes(content)
        with pytest.raises(StorageError, match="is there already"):
            storage.refuse_strangers(path, "image,reason")
        assert path.read_bytes() == content
    with pytest.raises(StorageError, match="is there already"):
        storage.refuse_strangers(tmp_path, "image,reason")


def test_what_is_filled_is_all_there(tmp_path: Path) -> None:
    with storage.filling(tmp_path / "a", "wb", "writing") as file:
        file.write(b"one ")
    with storage.filling(tmp_path / "a", "ab", "writing") as file:
        file.write(b"two")
    assert (tmp_path / "a").read_bytes() == b"one two"
    with pytest.raises(StorageError, match="none"):
        storage.filling(tmp_path / "none" / "a", "wb", "writing").__enter__()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_disk_that_is_full_when_the_file_is_closed(size: int) -> None:
    full = Path("/dev/full")

    def fill(error: BaseException | None) -> None:
        with storage.filling(full, "wb", "writing") as file:
            with errors.storage(full, "writing"):
                file.write(bytes(size))
            if error:
                raise error

    with pytest.raises(StorageError, match="The disk is full while writing"):
        fill(None)
    if size == 1:
        with pytest.raises(ConnectionResetError):
            fill(ConnectionResetError())


def test_json_gives_back_names_that_are_no_text(tmp_path: Path) -> None:
    content = {"broken": {os.fsdecode(b"caf\xe9.png"): "né"}}
    storage.write_json(tmp_path / "a.json", content)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert r"caf\udce9.png" in text
    assert "né" in text
    assert json.loads(text) == content
    storage.write_json(tmp_path / "a.json", {"path": tmp_path})
    assert json.loads((tmp_path / "a.json").read_text()) == {"path": str(tmp_path)}
