"""The recipes that come with the project: each is read, and says what it is for."""

import io
from pathlib import Path

import pytest

from kitbox.models.model import Model
from kitbox.progress import Progress
from kitbox.recipe import parse, read
from kitbox.runner import gather, rehearse

RECIPES = sorted((Path(__file__).resolve().parents[1] / "recipes").glob("*.yaml"))


def test_there_are_recipes_for_every_set() -> None:
    names = {path.stem for path in RECIPES}
    assert {"flowers17", "camvid", "camvid_tags", "faces68", "bccd"} <= names
    assert {"pets", "planet", "camvid_full", "camvid_tiny", "biwi"} <= names


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_read_and_saved(path: Path) -> None:
    recipe = read(path)
    assert parse(recipe.text(), path) == recipe
    assert path.read_text().startswith("# ")
    assert f"kitbox run recipes/{path.name}" in path.read_text()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_makes_its_submission(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the training: labels, split, task, test pictures; the writer on made-up outputs."""
    monkeypatch.chdir(path.parents[1])
    recipe = read(path)
    files = recipe.source.find(Path("nowhere"))
    if files is None:
        pytest.skip(f"the data of {path.name} is not here")
    progress = Progress(io.StringIO())
    data = gather(recipe, files, progress)
    body = recipe.backbone.build(recipe.hw, load=False, maps=data.task.maps())
    model = Model(body, data.task.head(body))
    rehearse(recipe, data.task, model, data.rows, data.sample, files, progress)
    assert (data.rows["part"] == "test").any()
