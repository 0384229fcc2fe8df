"""The pixel cache: built once, read back, and whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kitbox.data import filling, pixel_files, pixels
from kitbox.data.images import decode
from kitbox.data.pixels import Pixels
from kitbox.errors import StorageError

SIDE = 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six noisy pictures of different shapes."""
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for n in range(6):
        shape = (20 + 5 * n, 60 - 8 * n, 3)
        picture = rng.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / "pictures" / f"{n}.png")
    return tmp_path / "pictures"


NAMES = [f"{n}.png" for n in range(6)]


def load(folder: Path, cache: Path | None, names: list[str] = NAMES, channels: int = 3) -> Pixels:
    got = pixels.load(folder, names, side=SIDE, channels=channels, cache=cache, workers=2)
    got.settle()
    return got


def check(got: Pixels, folder: Path, names: list[str] = NAMES, channels: int = 3) -> None:
    """Every row is what decoding its file alone gives, and its canvas is black around it."""
    assert got.canvas.shape == (len(names), SIDE, SIDE, channels)
    assert len(got) == len(names)
    for row, name in enumerate(names):
        if row in got.broken:
            continue
        picture, size = decode(folder / name, SIDE, channels)
        assert np.array_equal(got[row], picture)
        assert tuple(got.sizes[row]) == size
        rest = np.array(got.canvas[row])
        rest[: picture.shape[0], : picture.shape[1]] = 0
        assert not rest.any()


def files(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "pixels").glob("*"))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that were decoded, as it happens."""
    seen: list[str] = []

    def spy(path: Path, side: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
        seen.append(path.name)
        return decode(path, side, channels)

    monkeypatch.setattr(pixels, "decode", spy)
    return seen


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_read_back_is_the_same(
    folder: Path, tmp_path: Path, channels: int, decoded: list[str]
) -> None:
    steps: list[int] = []
    first = pixels.load(
        folder, NAMES, side=SIDE, channels=channels, cache=tmp_path, workers=3, step=steps.append
    )
    assert sorted(decoded) == NAMES
    assert sum(steps) == len(NAMES)
    first.settle()
    check(first, folder, channels=channels)
    decoded.clear()
    steps.clear()
    second = pixels.load(
        folder, NAMES, side=SIDE, channels=channels, cache=tmp_path, workers=3, step=steps.append
    )
    assert decoded == []
    assert sum(steps) == len(NAMES)
    assert np.array_equal(first.canvas, second.canvas)
    assert np.array_equal(first.extents, second.extents)
    assert np.array_equal(first.sizes, second.sizes)
    assert "memory-mapped" in second.tier
    assert not second.canvas.flags.writeable


def test_side_for() -> None:
    assert pixels.side_for((224, 224)) == 336
    assert pixels.side_for((33, 20)) == 50  # rounded up


def test_another_side_or_channels_is_another_cache(
    folder: Path, tmp_path: Path, decoded: list[str]
) -> None:
    load(folder, tmp_path)
    other = pixels.load(folder, NAMES, side=SIDE + 1, channels=3, cache=tmp_path, workers=1)
    other.settle()
    load(folder, tmp_path, channels=1)
    assert len(decoded) == 3 * len(NAMES)
    assert len(files(tmp_path)) == 6


@pytest.mark.parametrize("names", [NAMES[::-1], NAMES[1:4], [*NAMES[3:], *NAMES[:2]]])
def test_pictures_of_another_cache_are_taken_from_it(
    folder: Path, tmp_path: Path, decoded: list[str], names: list[str]
) -> None:
    """Another order, a part of them: the pixels are there already."""
    load(folder, tmp_path)
    decoded.clear()
    check(load(folder, tmp_path, names), folder, names)
    assert decoded == []
    check(load(folder, tmp_path, names), folder, names)


def test_only_new_and_changed_pictures_are_decoded(
    folder: Path, tmp_path: Path, decoded: list[str]
) -> None:
    (folder / "1.png").write_bytes(b"text")
    load(folder, tmp_path)
    Image.new("RGB", (30, 30), "red").save(folder / "1.png")  # broken before
    Image.new("RGB", (20, 20), "red").save(folder / "2.png")  # another one before
    Image.new("RGB", (40, 20), "red").save(folder / "new.png")
    decoded.clear()
    names = [*NAMES, "new.png"]
    check(load(folder, tmp_path, names), folder, names)
    assert sorted(decoded) == ["1.png", "2.png", "new.png"]


def test_another_decoder_is_another_cache(
    folder: Path, tmp_path: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(folder, tmp_path)
    monkeypatch.setattr(pixel_files, "DECODER", -1)
    load(folder, tmp_path)
    assert len(decoded) == 2 * len(NAMES)


def test_a_changed_file_is_decoded_again(folder: Path, tmp_path: Path) -> None:
    load(folder, tmp_path)
    changed = folder / "2.png"
    before = changed.stat()
    Image.new("RGB", (30, 30), "red").save(changed, "BMP")
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))  # the size tells
    assert changed.stat().st_size != before.st_size
    got = load(folder, tmp_path)
    assert (got[2] == (255, 0, 0)).all()
    data = changed.read_bytes()
    Image.new("RGB", (30, 30), "blue").save(changed, "BMP")  # as many bytes
    assert len(changed.read_bytes()) == len(data)
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # the time tells
    assert (load(folder, tmp_path)[2] == (0, 0, 255)).all()


def test_broken_rows_are_told_and_blank(folder: Path, tmp_path: Path) -> None:
    (folder / "1.png").write_bytes(b"text")
    whole = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(whole[: len(whole) // 2])
    names = [*NAMES, "none.png"]
    for cache in (tmp_path, tmp_path, None):  # built, read back, in memory
        got = load(folder, cache, names)
        assert list(got.broken) == [1, 3, 6]
        assert "no picture" in got.broken[1]
        assert "damaged" in got.broken[3]
        assert "missing" in got.broken[6]
        for row in got.broken:
            assert got[row].shape == (SIDE, SIDE, 3)
            assert not got[row].any()
            assert tuple(got.sizes[row]) == (0, 0)
        check(got, folder, names)


def test_a_broken_picture_that_can_be_read_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permission, or a drive that was away, leaves no mark on the file."""
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "4.png":
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refuse)
        assert list(load(folder, tmp_path).broken) == [4]
    got = load(folder, tmp_path)
    assert got.broken == {}
    check(got, folder)


def test_no_cache_stays_in_memory(folder: Path) -> None:
    got = load(folder, None)
    check(got, folder)
    assert "in memory" in got.tier
    assert not isinstance(got.canvas, np.memmap)


@pytest.mark.parametrize("cached", [True, False])
def test_no_pictures(folder: Path, tmp_path: Path, cached: bool) -> None:
    for _ in range(2):
        got = load(folder, tmp_path if cached else None, [])
        assert len(got) == 0
        assert got.canvas.shape == (0, SIDE, SIDE, 3)
        assert got.extents.shape == (0, 2)
        assert got.broken == {}


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "",
        "[]",
        "{}",
        '"text"',
        '{"extents": [], "sizes": [], "broken": {}}',
        '{"extents": [[1, 1]], "sizes": [[1, 1]], "broken": {}}',
        '{"extents": "a", "sizes": 3, "broken": []}',
        '{"extents": null, "sizes": null, "broken": null}',
    ],
)
def test_a_damaged_index_is_built_again(folder: Path, tmp_path: Path, damage: str) -> None:
    load(folder, tmp_path)
    (index,) = (tmp_path / "pixels").glob("*.json")
    index.write_text(damage)
    got = load(folder, tmp_path)
    check(got, folder)
    assert "memory-mapped" in got.tier
    assert json.loads(index.read_text())["broken"] == {}


def test_an_index_that_points_outside_is_built_again(folder: Path, tmp_path: Path) -> None:
    load(folder, tmp_path)
    (index,) = (tmp_path / "pixels").glob("*.json")
    good = json.loads(index.read_text())
    for facts in (
        {**good, "extents": [[SIDE + 1, 5]] * 6},
        {**good, "extents": [[0, 5]] * 6},
        {**good, "broken": {"6": "beyond the end"}},
    ):
        index.write_text(json.dumps(facts))
        check(load(folder, tmp_path), folder)
        assert json.loads(index.read_text()) == good


def test_pixels_of_another_length_are_built_again(folder: Path, tmp_path: Path) -> None:
    load(folder, tmp_path)
    (file,) = (tmp_path / "pixels").glob("*.pixels")
    with file.open("r+b") as opened:
        opened.truncate(1000)
    check(load(folder, tmp_path), folder)


def test_pixels_without_an_index_are_built_again(
    folder: Path, tmp_path: Path, decoded: list[str]
) -> None:
    load(folder, tmp_path)
    (index,) = (tmp_path / "pixels").glob("*.json")
    index.unlink()
    check(load(folder, tmp_path), folder)
    assert len(decoded) == 12


BUILD = """
import sys, time
from pathlib import Path
from kitbox.data import filling, pixel_files, pixels
from kitbox.data.images import decode

def slow(path, side, channels):
    if path.name == sys.argv[3]:
        print("there", flush=True)
        time.sleep(60)
    return decode(path, side, channels)

pixels.decode = slow
got = pixels.load(Path(sys.argv[1]), [f"{n}.png" for n in range(6)], side=32, channels=3,
                  cache=Path(sys.argv[2]), workers=2)
print(got.tier, int(got.canvas.sum()))
"""


def build(folder: Path, cache: Path, wait_at: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILD, str(folder), str(cache), wait_at]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_build_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    with build(folder, tmp_path, wait_at="4.png") as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "there\n"
        builder.send_signal(signal.SIGKILL)
    left = files(tmp_path)
    assert len(left) == 1  # the half-built file, under a name that nobody reads
    got = load(folder, tmp_path)
    check(got, folder)
    assert got.broken == {}
    assert left[0] not in files(tmp_path)  # and its room on the disk is given back
    assert len(files(tmp_path)) == 2


def test_two_processes_at_once(folder: Path, tmp_path: Path) -> None:
    builders = [build(folder, tmp_path) for _ in range(2)]
    told = {builder.communicate()[0] for builder in builders}
    assert [builder.returncode for builder in builders] == [0, 0]
    assert len(told) == 1
    got = load(folder, tmp_path)
    check(got, folder)
    assert told.pop().split() == [*got.tier.split(), str(int(got.canvas.sum()))]
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("where", ["below a file", "/proc/kitbox"])
def test_a_cache_that_cannot_be_written(folder: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = Path(where) if where.startswith("/") else tmp_path / "file" / "cache"
    got = load(folder, cache)
    check(got, folder)
    assert got.tier.startswith("in memory")
    assert str(cache) in got.tier


def test_a_full_disk_is_seen_before_anything_is_decoded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    got = load(folder, tmp_path)
    check(got, folder)
    assert "disk is full" in got.tier
    assert sorted(decoded) == NAMES  # once each, not twice
    assert files(tmp_path) == []


def test_a_real_limit_on_files(folder: Path, tmp_path: Path) -> None:
    """As a full disk, but the system's own refusal: no file may be larger than 2 kB."""
    limited = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
    )
    command = [sys.executable, "-c", limited + BUILD, str(folder), str(tmp_path), ""]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("in memory")
    assert int(done.stdout.split()[-1]) == int(load(folder, None).canvas.sum())
    assert files(tmp_path) == []


def test_no_room_for_the_index(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: str) -> None:
        raise StorageError(f"The disk is full while writing {path}")

    monkeypatch.setattr(pixel_files.storage, "write", full)
    got = load(folder, tmp_path)
    check(got, folder)
    assert "disk is full" in got.tier
    assert files(tmp_path) == []  # pixels without their index are waste


EACH = SIDE * SIDE * 3


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize(("room", "kept"), [(0, 0), (2 * EACH + 7, 2), (6 * EACH, 6), (10**9, 6)])
def test_a_limit(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    decoded: list[str],
    room: int,
    kept: int,
    cached: bool,
) -> None:
    """As many as fit are kept, the others decoded whenever they are asked for."""
    (folder / "5.png").write_bytes(b"text")
    monkeypatch.setenv("KITBOX_PIXELS", f"{room}B")
    whole = load(folder, None)
    for again in range(2):
        decoded.clear()
        got = load(folder, tmp_path if cached else None)
        assert len(got.canvas) == kept
        assert len(got) == len(NAMES)
        assert list(got.broken) == [5]
        assert got.whole == (kept == 6)
        if kept < 6:
            assert f"{kept} of 6 pictures, the others are decoded" in got.tier
        if again and cached and kept:
            assert set(decoded) <= {"5.png"}  # tried again: it may have been mended
        decoded.clear()
        for row in range(6):
            picture = decode(folder / NAMES[row], SIDE, 3)[0] if row < 5 else whole[5]
            assert np.array_equal(got[row], picture)
            assert np.array_equal(got.extents, whole.extents)
            assert np.array_equal(got.sizes, whole.sizes)
        assert sorted(decoded) == [NAMES[row] for row in range(kept, 5)]
        squares = got.squares(np.arange(6))
        assert squares.shape == (6, SIDE, SIDE, 3)


def test_more_room_later(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str]
) -> None:
    """What was kept is kept, the rest joins it."""
    with monkeypatch.context() as limited:
        limited.setenv("KITBOX_PIXELS", f"{2 * EACH}B")
        assert len(load(folder, tmp_path).canvas) == 2
    decoded.clear()
    got = load(folder, tmp_path)
    assert got.whole
    assert sorted(decoded) == NAMES[2:]
    check(got, folder)
    assert len(files(tmp_path)) == 2


def test_what_is_there_is_used_whatever_the_limit(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(folder, tmp_path)
    monkeypatch.setenv("KITBOX_PIXELS", f"{len(NAMES) * EACH}B")
    assert "KITBOX_PIXELS" not in load(folder, tmp_path).tier
    monkeypatch.setenv("KITBOX_PIXELS", "0")
    got = load(folder, tmp_path)
    assert got.whole
    assert got.tier.endswith("which was there before KITBOX_PIXELS allowed 0 MB")


def test_a_limit_that_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_PIXELS", "a lot")
    with pytest.raises(StorageError, match=r"KITBOX_PIXELS holds no size: 'a lot'.*500MB"):
        load(folder, None)


def test_too_large_for_the_memory(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "free_memory", lambda: 4 * EACH)  # of which 60 % may be taken
    assert len(load(folder, None).canvas) == 2
    (tmp_path / "file").write_text("no folder")
    got = load(folder, tmp_path / "file" / "cache")
    assert len(got.canvas) == 2
    assert "file/cache" in got.tier
    check(load(folder, tmp_path), folder)  # on the disk there is room


def test_a_small_disk_keeps_a_part(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "free_memory", lambda: 2 * EACH)
    monkeypatch.setattr(pixel_files, "_free", lambda folder: int(4.1 * EACH / 0.9))
    got = load(folder, tmp_path)
    assert len(got.canvas) == 4
    assert got.tier.startswith("memory-mapped")
    assert "4 of 6 pictures" in got.tier
    monkeypatch.setattr(pixels, "free_memory", lambda: 10**9)  # then the memory holds all of them
    for one in (tmp_path / "pixels").iterdir():
        one.unlink()
    assert load(folder, tmp_path).tier.startswith("in memory")


def test_old_caches_make_room(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that were unused for the longest time, as many as are needed."""
    caches = []
    for side in (31, 30, 29):
        got = pixels.load(folder, NAMES, side=side, channels=3, cache=tmp_path, workers=1)
        got.settle()
        (new,) = set((tmp_path / "pixels").glob("*.pixels")) - set(caches)
        os.utime(new, (1000 + len(caches), 1000 + len(caches)))
        caches.append(new)
    used = pixels.load(folder, NAMES, side=31, channels=3, cache=tmp_path, workers=1)  # and held
    left = caches[0].with_name(".dead.pixels.01234567.part")  # of a build that was killed
    left.write_bytes(b"half")
    sizes = {one: one.stat().st_size for one in caches}

    def free(path: Path) -> int:
        gone = sum(size for one, size in sizes.items() if not one.exists())
        return int(6 * EACH / 0.9) - sizes[caches[1]] + gone + 10

    monkeypatch.setattr(pixel_files, "_free", free)
    check(load(folder, tmp_path), folder)
    assert [one.exists() for one in caches] == [True, False, True]
    assert not left.exists()
    assert len(files(tmp_path)) == 6
    assert len(used) == 6


def test_asking_for_room_removes_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[str]
) -> None:
    """A disk for a part of them only: the part is there in every later run."""
    monkeypatch.setattr(pixels, "free_memory", lambda: 0)
    monkeypatch.setattr(
        pixel_files,
        "_free",
        lambda folder: int(3.2 * EACH / 0.9) - sum(one.stat().st_size for one in folder.glob("*")),
    )
    (tmp_path / "pixels").mkdir()
    assert len(load(folder, tmp_path).canvas) == 3
    before = files(tmp_path)
    for _ in range(3):
        decoded.clear()
        assert len(load(folder, tmp_path).canvas) == 3
        assert decoded == []
        assert files(tmp_path) == before


def test_pixels_before_they_are_decoded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes at once, a picture as soon as it is asked for, the rest meanwhile."""
    (folder / "1.png").write_bytes(b"text")
    gate, order = threading.Event(), []

    def slow(path: Path, side: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
        if threading.current_thread().name.startswith("kitbox-decode"):
            gate.wait(20)
        order.append(path.name)
        return decode(path, side, channels)

    monkeypatch.setattr(pixels, "decode", slow)
    monkeypatch.setattr(filling, "_AT_ONCE", 1)
    got = pixels.load(folder, NAMES, side=SIDE, channels=3, cache=tmp_path, workers=1, wait=False)
    assert not got.decoded
    assert list(got.broken) == [1]
    wanted = pixels.load(folder, NAMES, side=SIDE, channels=3, cache=None, workers=1, wait=False)
    assert np.array_equal(got[4], decode(folder / "4.png", SIDE, 3)[0])
    assert order == ["4.png"]
    assert files(tmp_path)[0].endswith(".part")
    gate.set()
    got.wait()
    wanted.wait()
    assert got.decoded
    got.settle()
    assert got.surprises(np.arange(6)) == []
    check(got, folder)
    assert len(files(tmp_path)) == 2
    held = load(folder, tmp_path)
    for one in (wanted, held):
        assert np.array_equal(one.extents, got.extents)
        assert np.array_equal(one.sizes, got.sizes)
        assert np.array_equal(one.canvas, got.canvas)
        assert one.broken == got.broken


def test_a_picture_that_cannot_be_read_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is blank, and told; also where another one stands in its place."""
    monkeypatch.setenv("KITBOX_PIXELS", f"{2 * EACH}B")
    got = load(folder, tmp_path)
    (folder / "3.png").unlink()
    Image.new("RGB", (7, 50)).save(folder / "4.png")
    shape = got[3].shape
    assert shape == (*got.extents[3], 3)
    assert not got[3].any()
    assert not got[4].any()
    assert got.surprises(np.arange(6)) == [3, 4]
    assert "missing" in got.broken[3]
    assert "another one" in got.broken[4]


def test_a_picture_that_cannot_be_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disks that promise room and have none: the picture is decoded again, nothing is kept."""
    write = os.pwrite

    def full(handle: int, data: memoryview, at: int) -> int:
        if at == 2 * EACH:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data, at)

    monkeypatch.setattr(os, "pwrite", full)
    got = load(folder, tmp_path)
    assert not got.whole
    assert "disk is full" in got.tier
    assert np.array_equal(got[2], decode(folder / "2.png", SIDE, 3)[0])
    assert np.array_equal(got[3], decode(folder / "3.png", SIDE, 3)[0])
    assert files(tmp_path) == []


def test_rows_that_are_asked_for_twice(folder: Path, tmp_path: Path) -> None:
    """As a balanced sampler draws them."""
    got = pixels.load(folder, NAMES, side=SIDE, channels=3, cache=tmp_path, workers=1, wait=False)
    assert got.squares(np.array([3, 3, 5, 3])).any()
    got.wait()
    got.settle()
    check(got, folder)


LEAVE = """
import sys, time
from pathlib import Path
from kitbox.data import pixels

decode = pixels.decode

def slow(path, side, channels):
    time.sleep(0.01)
    return decode(path, side, channels)

pixels.decode = slow
names = [f"{n % 6}.png" for n in range(3000)]
got = pixels.load(Path(sys.argv[1]), names, side=32, channels=3, cache=Path(sys.argv[2]),
                  workers=2, wait=False)
assert not got.decoded
sys.exit(3)
"""


def test_leaving_while_pictures_are_decoded(folder: Path, tmp_path: Path) -> None:
    """The exit status is the program's own, and no half-built file stays."""
    command = [sys.executable, "-c", LEAVE, str(folder), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, b"")
    assert files(tmp_path) == []


def test_a_picture_that_turns_out_damaged(folder: Path, tmp_path: Path) -> None:
    """Its header and its end are there, what is between is not."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (200, 200, 3), dtype=np.uint8))
    picture.save(folder / "2.jpg")
    data = (folder / "2.jpg").read_bytes()
    (folder / "2.jpg").write_bytes(data[:700] + b"\0" * 5000 + b"\xff\xd9")
    names = [*NAMES, "2.jpg"]
    got = pixels.load(folder, names, side=SIDE, channels=3, cache=tmp_path, workers=2, wait=False)
    got.wait()
    broken = list(load(folder, None, names).broken)
    assert list(got.broken) == broken
    assert got.surprises(np.arange(7)) == broken
    assert got.surprises(np.arange(6)) == []


def test_an_interrupt_leaves_no_threads_and_no_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(n: int) -> None:
        raise KeyboardInterrupt

    def slow(path: Path, side: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
        time.sleep(0.2)
        return decode(path, side, channels)

    monkeypatch.setattr(pixels, "decode", slow)
    with pytest.raises(KeyboardInterrupt):
        pixels.load(folder, NAMES, side=SIDE, channels=3, cache=tmp_path, workers=2, step=interrupt)
    for _ in range(100):
        if not any(t.name.startswith("kitbox-decode") for t in threading.enumerate()):
            break
        time.sleep(0.01)
    else:
        pytest.fail("threads are left")
    assert files(tmp_path) == []


def test_names_that_are_no_unicode(folder: Path, tmp_path: Path) -> None:
    """Archives from old systems bring names in other encodings."""
    name = os.fsdecode(b"caf\xe9.png")
    Image.new("RGB", (8, 8), "red").save(folder / "x.png")
    (folder / "x.png").rename(folder / name)
    for _ in range(2):
        got = load(folder, tmp_path, [name])
        assert (got[0] == (255, 0, 0)).all()
