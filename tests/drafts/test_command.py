"""`kitbox init competition`."""

from pathlib import Path

import pytest
from competitions import dogs_vs_cats, picture
from typer.testing import CliRunner

from kitbox.cli import app
from kitbox.errors import KitboxError, RecipeError
from kitbox.recipe import read


def init(*words: str) -> str:
    done = CliRunner().invoke(app, ["init", "competition", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_writes_a_recipe_and_says_what_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dogs_vs_cats(tmp_path / "dogs-and-cats")
    told = init("dogs-and-cats")
    assert "dogs-and-cats.yaml written. Tried: 20 labelled pictures, 5 to predict." in told
    assert "Not known, and to be looked at:\n- which class 'label' is the probability of" in told
    assert told.endswith("Go on with: kitbox check dogs-and-cats.yaml\n")
    assert read("dogs-and-cats.yaml").name == "dogs-and-cats"
    before = Path("dogs-and-cats.yaml").read_bytes()
    with pytest.raises(RecipeError, match="is there already"):
        init("dogs-and-cats")
    assert Path("dogs-and-cats.yaml").read_bytes() == before


def test_what_does_not_hold_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "x/1.png")
    told = init("x", "--out", "y.yaml")
    assert "y.yaml written. It does not hold yet: " in told
    assert "- where the labels are: " in told


def test_neither_a_folder_nor_a_slug(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="There is no folder no/such folder"):
        init("no/such folder")
    (tmp_path / "empty").mkdir()
    with pytest.raises(KitboxError, match="There are no pictures"):
        init(str(tmp_path / "empty"))
