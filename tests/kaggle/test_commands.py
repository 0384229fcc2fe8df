"""The commands `kitbox rerun` and `kitbox pack`: what they pass on, and what they refuse."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kitbox.cli import app
from kitbox.errors import KitboxError


def test_pack_needs_both_or_test(tmp_path: Path) -> None:
    for words in (["r.yaml"], ["r.yaml", str(tmp_path), "--test"]):
        done = CliRunner().invoke(app, ["pack", *words])
        assert done.exit_code == 2
        assert "RECIPE_OR_RUN and DEST" in done.output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["pack", "no.yaml", "out"], "There is no recipe at no.yaml"),
        (["pack", "--test", "out"], "is no pack"),
        (["rerun", "no-run"], "There is no recipe at no-run/recipe.yaml"),
    ],
)
def test_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KitboxError, match=why):
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []
