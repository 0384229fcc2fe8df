from __future__ import annotations

import hashlib

import pytest

from kitbox.errors import SourceError, StorageError
from kitbox.sources.checks import Checks

CONTENT = b"x" * (1 << 20) + b"tail"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(CONTENT)
    return path


def test_right(path):
    checks = Checks(
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        md5=hashlib.md5(CONTENT).hexdigest(),
        head_md5=hashlib.md5(CONTENT[: 1 << 20]).hexdigest(),
    )
    assert checks.wrong(path) is None
    assert Checks().wrong(path) is None


def test_the_head_is_one_mebibyte_and_the_rest_does_not_count(path):
    checks = Checks(head_md5=hashlib.md5(CONTENT[: 1 << 20]).hexdigest())
    path.write_bytes(CONTENT + b"more")
    assert checks.wrong(path) is None
    path.write_bytes(b"y" + CONTENT[1:])
    assert "first MiB" in checks.wrong(path)
    small = Checks(head_md5=hashlib.md5(b"abc").hexdigest())
    path.write_bytes(b"abc")
    assert small.wrong(path) is None


@pytest.mark.parametrize("checks", [Checks(size=1), Checks(sha256="0" * 64), Checks(md5="0" * 32)])
def test_wrong(path, checks):
    assert "expected" in checks.wrong(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(StorageError):
        Checks().wrong(tmp_path / "none")


def test_expect_size():
    Checks(size=5).expect_size(5, "a")
    Checks(size=5).expect_size(None, "a")
    Checks().expect_size(5, "a")
    with pytest.raises(SourceError, match="6 bytes"):
        Checks(size=5).expect_size(6, "a")
