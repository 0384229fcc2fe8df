"""The recipes that come with the project: each is read, and says what it is for."""

from pathlib import Path

import pytest

from kitbox.recipe import parse, read

RECIPES = sorted((Path(__file__).resolve().parents[1] / "recipes").glob("*.yaml"))


def test_there_are_recipes_for_every_set() -> None:
    names = {path.stem for path in RECIPES}
    assert {"flowers17", "camvid", "camvid_tags", "faces68", "bccd"} <= names
    assert {"pets", "planet", "camvid_full", "camvid_tiny", "biwi"} <= names


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_read_and_saved(path: Path) -> None:
    recipe = read(path)
    assert parse(recipe.save(), path) == recipe
    assert path.read_text().startswith("# ")
    assert f"kitbox run recipes/{path.name}" in path.read_text()
