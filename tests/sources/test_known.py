from __future__ import annotations

import re

import pytest

from kitbox.sources.known import KNOWN


@pytest.mark.parametrize("name", KNOWN)
def test_every_row_is_well_formed(name):
    known = KNOWN[name]
    assert re.fullmatch(
        r"https://s3\.amazonaws\.com/fast-ai-(imageclas|imagelocal|sample)/[\w-]+\.tgz",
        known.address,
    )
    assert re.fullmatch(r"[0-9a-f]{32}", known.head_md5)
    assert 100_000 < known.size < 10**10
    assert re.fullmatch(r"[A-Z0-9_]+", name)


def test_no_row_was_copied_twice():
    assert list(KNOWN) == sorted(KNOWN)
    for field in ("address", "size", "head_md5"):
        assert len({getattr(known, field) for known in KNOWN.values()}) == len(KNOWN)


def test_the_course_is_covered():
    # The first rows of fastai/data/checks.txt that the course uses, as published.
    assert KNOWN["PETS"].size == 811706944
    assert KNOWN["PETS"].head_md5 == "e4db5c768afd933bb91f5f594d7417a4"
    assert {"PLANET_SAMPLE", "CAMVID_TINY", "BIWI_HEAD_POSE", "MNIST_SAMPLE"} <= set(KNOWN)
