"""A folder of pictures: two alike, another, a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from .made import photo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photo(1, 60, 80).save(tmp_path / "a.png")
    photo(1, 60, 80).save(tmp_path / "copy.jpg", quality=90)
    photo(2, 100, 50).save(tmp_path / "b.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path
