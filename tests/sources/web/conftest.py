from __future__ import annotations

from collections.abc import Iterator

import pytest

from sources.web.serving import Web, serve


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as web:
        yield web
