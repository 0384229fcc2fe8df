from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from kitbox.errors import SourceError, StorageError
from kitbox.sources.checks import Checks
from kitbox.sources.download import download, shown

CONTENT = random.Random(1).randbytes(3 << 20)
OTHER = random.Random(2).randbytes(3 << 20)


def of(content):
    return Checks(size=len(content), sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def naps():
    return []


def left(folder):
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".lock"))


def test_brings_the_bytes_and_reports(site, tmp_path):
    site.serve(CONTENT)
    seen = []
    target = tmp_path / "new" / "a.bin"
    got = download(site.address, target, checks=of(CONTENT), report=lambda *a: seen.append(a))
    assert got == target
    assert target.read_bytes() == CONTENT
    assert left(target.parent) == ["a.bin"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_second_call_asks_nobody(site, tmp_path):
    site.serve(CONTENT)
    for _ in range(2):
        download(site.address, tmp_path / "a", checks=of(CONTENT))
    assert len(site.asked) == 1


def test_a_wrong_file_that_is_there_is_replaced(site, tmp_path):
    site.serve(CONTENT)
    (tmp_path / "a").write_bytes(OTHER)
    download(site.address, tmp_path / "a", checks=of(CONTENT))
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_cut_connections_resume_where_they_ended(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    site.turns = [turn(drop_after=1_000_000), turn(drop_after=500_000)]
    download(site.address, tmp_path / "a", sleep=naps.append)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert site.ranges == [None, "bytes=1000000-", "bytes=1500000-"]
    assert [h.get("If-Range") for h in site.asked[1:]] == [site.etag] * 2


def test_last_modified_guards_where_the_tag_is_weak(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    site.etag, site.modified = 'W/"1"', "Wed, 01 Jan 2025 00:00:00 GMT"
    site.turns = [turn(drop_after=1_000_000)]
    download(site.address, tmp_path / "a", sleep=naps.append)
    assert site.asked[1]["If-Range"] == site.modified
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_without_a_validator_it_starts_over(site, tmp_path, turn, naps):
    site.content = CONTENT
    site.turns = [turn(drop_after=1_000_000)]
    download(site.address, tmp_path / "a", sleep=naps.append)
    assert site.ranges == [None, None]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_server_without_ranges_is_asked_afresh(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    site.turns = [turn(drop_after=1_000_000), turn(ignore_range=True)]
    download(site.address, tmp_path / "a", checks=of(CONTENT), sleep=naps.append)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_file_that_changes_between_tries_is_not_mixed(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    site.turns = [turn(drop_after=1_000_000), turn(before=lambda: site.serve(OTHER))]
    download(site.address, tmp_path / "a", sleep=naps.append)
    assert (tmp_path / "a").read_bytes() == OTHER


def test_a_changed_file_behind_a_server_that_does_not_heed_if_range(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    old = site.etag

    def change():
        site.serve(OTHER)
        site.modified = old  # so that the guard passes, though the tag is another

    site.turns = [turn(drop_after=1_000_000), turn(before=change)]
    download(site.address, tmp_path / "a", sleep=naps.append)
    assert (tmp_path / "a").read_bytes() == OTHER


def test_halves_under_one_tag_are_found_out_and_fetched_again(site, tmp_path, turn, naps):
    site.serve(CONTENT)

    def change():
        site.content = OTHER

    site.turns = [turn(drop_after=1_000_000), turn(before=change)]
    download(site.address, tmp_path / "a", checks=of(OTHER), sleep=naps.append)
    assert (tmp_path / "a").read_bytes() == OTHER
    assert site.ranges == [None, "bytes=1000000-", None]


def test_a_range_that_starts_elsewhere_is_dropped(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    site.turns = [turn(drop_after=1_000_000), turn(lie_range=-7)]
    download(site.address, tmp_path / "a", sleep=naps.append)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_piece_that_is_whole_already(site, tmp_path):
    site.serve(CONTENT)
    (tmp_path / "a.part").write_bytes(CONTENT)
    note = {"address": site.address, "etag": site.etag, "modified": ""}
    (tmp_path / "a.part.json").write_text(json.dumps(note))
    download(site.address, tmp_path / "a", checks=of(CONTENT))
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert site.ranges == [f"bytes={len(CONTENT)}-"]
    assert left(tmp_path) == ["a"]


@pytest.mark.parametrize("note", ["", "[]", "{", '{"address": "http://elsewhere/", "etag": "x"}'])
def test_a_piece_of_something_else_is_dropped(site, tmp_path, note):
    site.serve(CONTENT)
    (tmp_path / "a.part").write_bytes(b"other")
    (tmp_path / "a.part.json").write_text(note)
    download(site.address, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_piece_of_another_address_under_the_same_tag_is_dropped(site, tmp_path):
    site.serve(CONTENT)
    (tmp_path / "a.part").write_bytes(b"other")
    note = {"address": "http://elsewhere/", "etag": site.etag, "modified": ""}
    (tmp_path / "a.part.json").write_text(json.dumps(note))
    download(site.address, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_server_that_brings_less_than_the_rest(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    site.turns = [turn(drop_after=1_000_000), turn(most_range=700_000)]
    download(site.address, tmp_path / "a", sleep=naps.append)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert site.ranges == [None, "bytes=1000000-", "bytes=1700000-"]


def test_chunked_replies_without_a_length(site, tmp_path, turn):
    site.serve(CONTENT)
    site.turns = [turn(chunked=True)]
    download(site.address, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_an_encoding_the_server_adds_is_left_on(site, tmp_path, turn):
    import gzip

    site.serve(gzip.compress(b"tar"))
    site.turns = [turn(headers={"Content-Encoding": "gzip"})]
    download(site.address, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == site.content


def test_retry_after_is_honoured(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    site.turns = [turn(status=503, headers={"Retry-After": "17"}), turn(status=429)]
    download(site.address, tmp_path / "a", sleep=naps.append)
    assert naps == [17.0, 2.0]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_long_pause_is_not_waited_for(site, tmp_path, turn, naps):
    site.turns = [turn(status=503, headers={"Retry-After": "7200"})]
    with pytest.raises(SourceError, match="120 minutes"):
        download(site.address, tmp_path / "a", sleep=naps.append)
    assert naps == []


def test_gives_up_after_tries_without_progress(site, tmp_path, turn, naps):
    site.turns = [turn(status=500)] * 9
    with pytest.raises(SourceError, match="500") as caught:
        download(site.address, tmp_path / "a", tries=4, sleep=naps.append)
    assert len(site.asked) == 4
    assert naps == [1, 2, 4]
    assert "url: /path/to/archive" in str(caught.value)


def test_a_server_that_never_gets_further_ends(site, tmp_path, turn, naps):
    site.content = CONTENT  # no tag, so every try starts afresh and fails at the same place
    site.turns = [turn(drop_after=1_000_000)] * 50
    with pytest.raises(SourceError, match="broke off"):
        download(site.address, tmp_path / "a", tries=3, sleep=naps.append)
    assert len(site.asked) == 4


def test_a_server_that_wavers_ends(site, tmp_path, turn, naps):
    site.content = CONTENT
    site.turns = [turn(drop_after=1_000_000), turn(drop_after=500_000)] * 25
    with pytest.raises(SourceError, match="broke off"):
        download(site.address, tmp_path / "a", tries=3, sleep=naps.append)
    assert len(site.asked) == 4


def test_progress_counts_as_hope(site, tmp_path, turn, naps):
    site.serve(CONTENT)
    site.turns = [turn(drop_after=300_000)] * 9
    download(site.address, tmp_path / "a", tries=2, sleep=naps.append)
    assert (tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "reply", [(401, "Log in"), (403, "rules"), (404, "slip"), (410, "place")], ids=str
)
def test_no_second_try_where_none_helps(site, tmp_path, turn, naps, reply):
    status, advice = reply
    site.turns = [turn(status=status)]
    with pytest.raises(SourceError, match=advice) as caught:
        download(site.address, tmp_path / "a", sleep=naps.append)
    assert str(status) in str(caught.value)
    assert len(site.asked) == 1
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("checks", "match"),
    [
        (Checks(size=5), "expected 5"),
        (Checks(sha256="0" * 64), "sha256"),
        (Checks(md5="0" * 32), "md5"),
        (Checks(head_md5="0" * 32), "first MiB"),
    ],
)
def test_a_wrong_file_never_appears(site, tmp_path, checks, match):
    site.serve(CONTENT)
    with pytest.raises(SourceError, match=match):
        download(site.address, tmp_path / "a", checks=checks)
    assert left(tmp_path) == []


def test_a_failed_download_leaves_the_old_file(site, tmp_path):
    site.serve(CONTENT)
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(SourceError):
        download(site.address, tmp_path / "a", checks=Checks(sha256="0" * 64))
    assert (tmp_path / "a").read_bytes() == b"old"


def test_nobody_listens(tmp_path, naps):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://me:secret@127.0.0.1:{free.getsockname()[1]}/a.zip?token=secret"
        with pytest.raises(SourceError, match=r"127\.0\.0\.1") as caught:
            download(address, tmp_path / "a", tries=2, sleep=naps.append)
    assert "refused" in str(caught.value)
    assert "url: /path/to/archive" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_keys_are_not_logged(site, tmp_path, turn, naps, caplog):
    site.serve(CONTENT)
    site.turns = [turn(status=503)]
    with caplog.at_level("INFO", logger="kitbox"):
        download(f"{site.address}?token=secret", tmp_path / "a", sleep=naps.append)
    assert "503" in caplog.text
    assert "secret" not in "".join(r.getMessage() for r in caplog.records if r.name == "kitbox")


def test_an_address_that_makes_no_sense(tmp_path, naps):
    with pytest.raises(SourceError, match="cannot be had"):
        download("http://[::1/a", tmp_path / "a", sleep=naps.append)
    assert naps == []


def test_too_little_space_is_known_before_the_first_byte(site, tmp_path, monkeypatch):
    site.serve(CONTENT)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match="disk is full"):
        download(site.address, tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
@pytest.mark.parametrize("size", [1_000, 3_000_000])
def test_a_disk_that_fills_on_the_way_is_said_to_be_full(site, tmp_path, monkeypatch, naps, size):
    """Also by the bytes that leave the buffer when the file is closed."""
    site.content = bytes(size)
    (tmp_path / "f.part").symlink_to("/dev/full")
    monkeypatch.setattr("kitbox.sources.download._Part.forget", lambda _: None)
    with pytest.raises(StorageError, match="The disk is full"):
        download(site.address, tmp_path / "f", sleep=naps.append)
    assert naps == []


def test_a_folder_that_cannot_be_made(site, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        download(site.address, tmp_path / "file" / "a")
    assert site.asked == []


CLIENT = """
import sys, resource
from pathlib import Path
from kitbox.errors import StorageError
from kitbox.sources.download import download
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    download(sys.argv[1], Path(sys.argv[2]))
except StorageError as error:
    print(error)
    sys.exit(2)
"""


def client(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, *map(str, arguments)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )


def test_a_killed_download_goes_on(site, tmp_path, turn):
    site.serve(CONTENT)
    site.turns = [turn(hold_after=2 << 20)]
    target = tmp_path / "a"
    part = tmp_path / "a.part"
    with client(site.address, target) as process:
        end = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size == 2 << 20):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    site.go_on.set()
    assert not target.exists()
    download(site.address, target, checks=of(CONTENT))
    assert target.read_bytes() == CONTENT
    assert site.ranges == [None, f"bytes={2 << 20}-"]


def test_a_write_that_fails_is_a_storage_error(site, tmp_path):
    site.serve(CONTENT)
    with client(site.address, tmp_path / "a", 1_500_000) as process:
        said = process.communicate(timeout=30)[0].decode()
    assert process.returncode == 2
    assert "a.part" in said
    assert not (tmp_path / "a").exists()


def test_two_at_once_fetch_once(site, tmp_path, turn):
    site.serve(CONTENT)
    site.turns = [turn(before=lambda: time.sleep(0.3))]
    errors = []

    def work():
        try:
            download(site.address, tmp_path / "a", checks=of(CONTENT))
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(site.asked) == 1
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_shown_hides_keys():
    assert shown("https://u:p@h:8/a?k=1#f") == "https://h:8/a?..."
    assert shown("https://h/a") == "https://h/a"
