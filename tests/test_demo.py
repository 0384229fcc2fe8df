"""The demonstration's recipe."""

from __future__ import annotations

from pathlib import Path

from kitbox import recipe as recipes
from kitbox.data.split import Stratified
from kitbox.demo import PATH, demo_recipe
from kitbox.sources.digits import Digits


def test_it_is_the_recipe_beside_the_module() -> None:
    assert PATH.name == "demo.yaml"
    assert demo_recipe() == recipes.read(PATH)


def test_it_needs_nothing_from_outside() -> None:
    recipe = demo_recipe()
    assert isinstance(recipe.source, Digits)
    assert isinstance(recipe.split, Stratified)
    assert recipe.backbone.find_weights().source == "random (pretrained: false)"
    assert [stage.freeze for stage in recipe.stages] == [True, False]
    assert recipe.submission is not None


def test_it_survives_saving(tmp_path: Path) -> None:
    (tmp_path / "digits.yaml").write_text(demo_recipe().text())
    assert recipes.read(tmp_path / "digits.yaml") == demo_recipe()
