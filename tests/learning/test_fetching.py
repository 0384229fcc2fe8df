"""Files before they are data."""

from __future__ import annotations

import pytest
from results import PLACE

import kitbox
from kitbox.errors import RecipeError
from kitbox.progress import Progress


def test_fetch_brings_what_load_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(PLACE / "cache"))
    source = {"use": "digits", "pictures": 120}
    files = kitbox.fetch(source)
    assert len(kitbox.list_pictures(files / "train")) == 100
    data = kitbox.load(
        source=source,
        labeler={"use": "folder", "path": "train"},
        task="single-label",
        progress=Progress(quiet=True),
    )
    assert data.files == files


@pytest.mark.parametrize("source", ["digit", {"use": "untar"}, {"use": "digits", "picture": 3}, 7])
def test_fetch_refuses_as_a_recipe_does(source: object) -> None:
    with pytest.raises(RecipeError, match="source"):
        kitbox.fetch(source)
