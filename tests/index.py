"""Whether a package index answers: tests that resolve versions skip, saying so, where none does."""

from functools import cache

import pytest

from kitbox.errors import SourceError
from kitbox.kaggle import resolver


@cache
def trouble() -> str:
    try:
        resolver.resolve(["six>=1.16"], (), "3.12")
    except SourceError as error:
        return str(error)
    return ""


def needs_index() -> None:
    if why := trouble():
        pytest.skip(f"no package index: {why}")
