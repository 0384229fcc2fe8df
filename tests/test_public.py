"""Public names, and that nobody outside needs others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from kitbox.public import is_public, private_uses

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(path for path in (ROOT / "plugins").rglob("*.py") if ".venv" not in path.parts)
TASKS = {
    name
    for line in (ROOT / "pyproject.toml").read_text().partition('"kitbox.tasks"]')[2].splitlines()
    if (name := line.partition(" = ")[0])
}


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: "/".join(path.parts[-3:]))
def test_plugins_need_nothing_private(path: Path) -> None:
    assert private_uses(path) == []


def test_there_are_plugins() -> None:
    assert len({path.relative_to(ROOT / "plugins").parts[0] for path in PLUGINS}) == 5


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import kitbox", None),
        ("from kitbox import Options, errors, contracts", None),
        ("from kitbox.errors import LabelError, some", None),
        ("from kitbox.contracts import Body", None),
        ("from kitbox.testing import TaskTests", None),
        ("import kitbox\nkitbox.errors.SplitError('x')", None),
        ("import kitbox\nkitbox.__version__", None),
        ("import torch.nn\ntorch.nn.Linear", None),
        ("from kitbox.tasks.tally import Gathered", "kitbox.tasks.tally.Gathered"),
        ("from kitbox.testing.tasks import TaskTests", "kitbox.testing.tasks.TaskTests"),
        ("from kitbox.errors import _sentence", "kitbox.errors._sentence"),
        ("from kitbox.errors import difflib", "kitbox.errors.difflib"),
        ("from kitbox import registry", "kitbox.registry"),
        ("import kitbox.runner", "kitbox.runner"),
        ("import kitbox\nkitbox.registry.KINDS", "kitbox.registry.KINDS"),
        ("import importlib\nimportlib.import_module('kitbox.data.warp')", "kitbox.data.warp"),
        ("def f():\n    from kitbox.data import split", "kitbox.data.split"),
    ],
)
def test_private_names_are_found(line: str, found: str | None, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(line)
    uses = private_uses(tmp_path / "x.py")
    assert (not uses) if found is None else any(found in use for use in uses)


def test_names() -> None:
    assert is_public("kitbox.Options")
    assert not is_public("kitbox.states.READY")


def test_nothing_but_tasks_names_a_task() -> None:
    """In strings that are values, and in imports, outside `kitbox/tasks/`.

    The demonstration's recipe is a recipe, and a draft is one: its table of built-in tasks is a
    guesser's. Tests of contracts need some recipe too.
    """
    known = {"single-label", "multi-label", "segmentation", "regression"}
    assert known < TASKS
    allowed = {ROOT / "kitbox" / name for name in ("testing/plugins.py", "drafts/goal.py")}
    found = []
    for path in sorted((ROOT / "kitbox").rglob("*.py")):
        if path.parent.name == "tasks" or path in allowed:
            continue
        found += [f"{path.relative_to(ROOT)}: {name}" for name in named(path, known)]
    assert found == []


def named(path: Path, tasks: set[str]) -> list[str]:
    """The tasks that a module names in code: as a string of its own, or by its module."""
    tree = ast.parse(path.read_text())
    modules = {name.replace("-", "_") for name in tasks}
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                bare = text.removeprefix("kitbox:")
                found += [bare] if bare in tasks else []
            case ast.ImportFrom(module=str(module)):
                found += re.findall(rf"^kitbox\.tasks\.({'|'.join(modules)})$", module)
                if module == "kitbox.tasks":
                    found += [alias.name for alias in node.names if alias.name in modules]
            case ast.Import(names=names):
                found += [n.name for n in names if n.name.startswith("kitbox.tasks.")]
    return found


@pytest.mark.parametrize(
    "line",
    [
        "if task == 'single-label': pass",
        "use = 'kitbox:segmentation'",
        "from kitbox.tasks.regression import Regression",
        "from kitbox.tasks import multi_label",
    ],
)
def test_a_named_task_is_seen(line: str, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(line)
    assert named(tmp_path / "x.py", {"single-label", "multi-label", "segmentation", "regression"})
