"""The public names, and that importing them does no work."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kitbox

ROOT = Path(kitbox.__file__).parents[1]
HEAVY = [
    "numpy",
    "pandas",
    "torch",
    "torchvision",
    "timm",
    "albumentations",
    "sklearn",
    "cv2",
    "PIL",
    "accelerate",
    "scipy",
    "kaggle",
]


def imported(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after `code`."""
    script = f"import sys\n{code}\nprint(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_public_names_are_pinned() -> None:
    assert kitbox.__all__ == [
        "Advice",
        "AreasInterpretation",
        "ClassificationInterpretation",
        "Data",
        "Draw",
        "Environment",
        "Fixed",
        "Frames",
        "Gathered",
        "Interpretation",
        "KitboxError",
        "Labels",
        "LandmarksInterpretation",
        "Learner",
        "Masks",
        "Options",
        "Plot",
        "Points",
        "Predictor",
        "Recipe",
        "Runs",
        "Section",
        "TaggingInterpretation",
        "Targets",
        "ValuesInterpretation",
        "Warp",
        "contracts",
        "demo_recipe",
        "derived_name",
        "errors",
        "fetch",
        "interpret",
        "list_files",
        "list_pictures",
        "load",
        "make_folder",
        "make_recipe",
        "obey_sample",
        "read_recipe",
        "register",
        "run",
    ]
    assert kitbox.__all__ == sorted(kitbox.__all__) == sorted(kitbox._HOMES)
    assert set(dir(kitbox)) == {*kitbox.__all__, "__version__"}


@pytest.mark.parametrize("name", kitbox.__all__)
def test_every_public_name_loads(name: str) -> None:
    found = getattr(kitbox, name)
    home = kitbox._HOMES[name].partition(":")[0]
    assert (
        getattr(found, "__module__", found.__name__ if hasattr(found, "__name__") else "") == home
    )


def test_names_are_what_they_say() -> None:
    from kitbox import environment, errors, recipe, registry

    assert kitbox.errors is errors
    assert kitbox.read_recipe is recipe.read
    assert kitbox.make_recipe is recipe.make
    assert kitbox.register is registry.register
    assert kitbox.Environment is environment.Environment


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'kitbox' has no attribute 'recepie'"):
        kitbox.recepie  # noqa: B018


def test_version_is_the_package_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert kitbox.__version__ == project["version"]


def test_import_does_no_work() -> None:
    modules = imported("import kitbox")
    assert not modules & {*HEAVY, "pydantic", "yaml", "rich", "typer", "requests"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "sys.argv = ['kitbox', '--help']\nfrom kitbox.cli import main\n"
        "try: main()\nexcept SystemExit as stop: assert stop.code == 0, stop.code"
    )
    assert not imported(code) & {*HEAVY, "pydantic"}


def test_reading_a_recipe_imports_nothing_heavy() -> None:
    modules = imported("import kitbox\nr = kitbox.demo_recipe()\nr.text()")
    assert not modules & set(HEAVY)
    assert "pydantic" in modules
