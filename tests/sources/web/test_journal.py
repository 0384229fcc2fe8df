from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitbox.data.looks import Look
from kitbox.errors import StorageError
from kitbox.sources.web.journal import Journal, Record

looks = st.builds(
    Look,
    ending=st.sampled_from(["jpg", "png"]),
    width=st.integers(1, 10**5),
    height=st.integers(1, 10**5),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    shape=st.integers(0, 2**64 - 1),
    colors=st.binary(min_size=192, max_size=192),
)
arrived = st.builds(Record, address=st.text(), status=st.just("arrived"), look=looks)
others = st.builds(
    Record,
    address=st.text(),
    status=st.sampled_from(["refused", "failed", "not-asked"]),
    reason=st.text(),
    tries=st.integers(0, 20),
    look=st.none(),
)


@given(st.lists(arrived | others))
def test_what_is_written_is_read(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path) as journal:
        for record in records:
            journal.add(record)
    last = {record.address: record for record in records}
    assert Journal(path).read() == last
    Journal(path).replace(last.values())
    assert Journal(path).read() == last


@given(st.lists(others, min_size=3, max_size=3, unique_by=lambda r: r.address), st.data())
def test_a_file_cut_anywhere_keeps_the_whole_lines_and_can_be_continued(
    tmp_path_factory, records, data
):
    path = tmp_path_factory.mktemp("journal") / "j"
    Journal(path).replace(records)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:at])
    kept = whole[:at].count(b"\n") + (at < len(whole) and whole[at : at + 1] == b"\n")
    assert list(Journal(path).read().values()) == records[:kept]
    more = Record("more", "failed")
    with Journal(path) as journal:
        journal.add(more)
    assert list(Journal(path).read().values())[-1] == more
    assert len(Journal(path).read()) >= kept


@given(st.binary())
def test_rubbish_is_no_record(tmp_path_factory, rubbish):
    path = tmp_path_factory.mktemp("journal") / "j"
    path.write_bytes(rubbish)
    assert Journal(path).read() == {}


@pytest.mark.parametrize("line", [b"[]", b"1", b'{"address": "a"}', b'{"look": {"shape": "x"}}'])
def test_a_line_of_another_kind_is_no_record(tmp_path, line):
    (tmp_path / "j").write_bytes(line + b"\n")
    assert Journal(tmp_path / "j").read() == {}


def test_threads_do_not_mix_their_lines_and_late_ones_are_not_heard(tmp_path):
    journal = Journal(tmp_path / "j")
    with journal:
        threads = [
            threading.Thread(
                target=lambda t=t: [journal.add(Record(f"{t}-{n}", "failed")) for n in range(200)]
            )
            for t in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    journal.add(Record("late", "failed"))
    assert len(journal.read()) == 1600


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_a_full_disk_is_said_to_be_full():
    with pytest.raises(StorageError, match="disk is full"), Journal(Path("/dev/full")) as journal:
        journal.add(Record("a", "failed"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_what_ended_the_block_says_more_than_a_full_disk():
    def work():
        with Journal(Path("/dev/full")) as journal:
            with suppress(StorageError):
                journal.add(Record("a", "failed"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
