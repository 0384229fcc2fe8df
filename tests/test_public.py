"""Public names, and that nobody outside needs others."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from kitbox import registry
from kitbox.public import is_public, private_uses

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(path for path in (ROOT / "plugins").rglob("*.py") if ".venv" not in path.parts)
TASKS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
    "kitbox.tasks"
]
"""The built-in tasks: name, and module and class."""


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
        ("import kitbox as k\nk.tasks.tally", "line 2: kitbox.tasks.tally"),
        ("from kitbox import runner as r\nr.run", "kitbox.runner"),
        ("import kitbox.runner as r\nr.run", "line 2: kitbox.runner.run"),
        ("from kitbox import contracts as c\nc.task.Task", "kitbox.contracts.task.Task"),
        ("import kitbox\ne = kitbox.errors\ne._sentence('x')", "line 3: kitbox.errors._sentence"),
        ("import kitbox\ngetattr(kitbox, 'runner')", "kitbox.runner"),
        ("import kitbox as k\ngetattr(k, 'run' + 'ner').run", "kitbox.runner.run"),
        ("import kitbox\ndef f(x):\n    return getattr(kitbox, x)", "kitbox.{?}"),
        ("import kitbox\nvars(kitbox)['runner']", "kitbox.runner"),
        ("import kitbox\nkitbox.__dict__['runner']", "kitbox.runner"),
        ("import sys\nsys.modules['kitbox.runner'].run", "kitbox.runner.run"),
        ("from importlib import import_module as load\nload('kitbox.runner')", "kitbox.runner"),
        ("import importlib\nx = 'runner'\nimportlib.import_module(f'kitbox.{x}')", "kitbox.runner"),
        ("import importlib as i\nfor x in 'ab':\n    i.import_module(f'kitbox.{x}')", "kitbox.{?}"),
        ("import importlib as i\ni.import_module('kitbox.' + 'runner')", "kitbox.runner"),
        ("import importlib as i\ni.import_module('.'.join(['kitbox', 'runner']))", "kitbox.runner"),
        ("import importlib as i\ni.import_module('kitbox.%s' % 'runner')", "kitbox.runner"),
        ("import importlib as i\ni.import_module('kitbox.{}'.format(x))", "kitbox.{?}"),
        ("import importlib as i\ni.import_module('.runner', 'kitbox')", "kitbox.runner"),
        ("__import__('kitbox.runner')", "kitbox.runner"),
        ("import pkgutil\npkgutil.resolve_name('kitbox.runner:run')", "kitbox.runner.run"),
        (
            "def test(monkeypatch):\n    monkeypatch.setattr('kitbox.runner.run', 1)",
            "kitbox.runner",
        ),
        (
            "from unittest.mock import patch\n@patch('kitbox.runner.run')\ndef f(x): ...",
            "kitbox.run",
        ),
        ("import importlib\nimportlib.import_module(name='kitbox.runner')", "kitbox.runner"),
        (
            "import importlib as i\ni.import_module(package='kitbox', name='.runner')",
            "kitbox.runner",
        ),
        ("import runpy\nrunpy.run_module(mod_name='kitbox.runner')", "kitbox.runner"),
        (
            "def test(patch):\n    patch.setattr(target='kitbox.runner.run', name=1)",
            "kitbox.runner",
        ),
        ("import sys\nsys.modules.get('kitbox.runner').run", "kitbox.runner.run"),
        ("from sys import modules\nmodules.pop('kitbox.runner', None)", "kitbox.runner"),
        ("import kitbox\nvars(kitbox).get('runner')", "kitbox.runner"),
        ("from kitbox import Options as O\nO._build", "kitbox.Options._build"),
        ("import kitbox\nkitbox.errors.KitboxError._x", "kitbox.errors.KitboxError._x"),
        ("from kitbox import Options as O\nO.__name__", None),
        ("from .kitbox import thing\nthing.x", None),
        ("from .kitbox import *\nfrom . import kitbox\nkitbox.runner", None),
        ("match 3:\n    case kitbox:\n        kitbox.runner", None),
        ("match 3:\n    case [*kitbox]:\n        kitbox.runner", None),
        ("match 3:\n    case {**kitbox}:\n        kitbox.runner", None),
        ("x.get('kitbox.runner')\nf(name='kitbox.runner')", None),
        ("from kitbox.runner import *", "kitbox.runner.*"),
        ("from kitbox import *\nerrors._sentence", "kitbox.errors._sentence"),
        ("from kitbox import *\nOptions", None),
        ("from kitbox.testing import *", None),
        ("import kitbox as k\nf = lambda k: k.items()", None),
        ("import kitbox as k\ndef f():\n    for k in []:\n        k.items()", None),
        ("import kitbox as k\n[k.name for k in 'ab']", None),
        ("x = kitbox\nx = x", None),
        ("import kitbox as k\nk.make_recipe(k.demo_recipe()).task", None),
        ("import importlib\nimportlib.import_module('kitboxes.runner')", None),
        ("import kitbox\nkitbox.Options.model_fields['x']", None),
        ("log.info('kitbox.runner')", None),
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

    Recipes (`kitbox/demo.yaml`) are no code and may.
    """
    assert set(TASKS) == {p.name for p in registry.tasks.plugins() if p.package == "kitbox"}
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "kitbox").rglob("*.py"))
        if path.parent.name != "tasks"
        for name in named(path)
    ]
    assert found == []


def named(path: Path) -> list[str]:
    """The tasks that a module names in code: as a string of its own, or by module and class."""
    known = {*TASKS, *TASKS.values(), *(value.partition(":")[0] for value in TASKS.values())}
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Constant(value=str(text)):
                found += [text] if text.removeprefix("kitbox:") in known else []
            case ast.ImportFrom(module=str(module), names=names):
                found += [
                    name
                    for name in (module, *(f"{module}.{alias.name}" for alias in names))
                    if name in known
                ]
            case ast.Import(names=names):
                found += [alias.name for alias in names if alias.name in known]
    return found


@pytest.mark.parametrize(
    "line",
    [
        "if task == 'single-label': pass",
        "use = 'kitbox:segmentation'",
        "from kitbox.tasks.regression import Regression",
        "from kitbox.tasks import multi_label",
        "import kitbox.tasks.points",
        "x = {'points': 'points'}",
        "import_module('kitbox.tasks.points')",
    ],
)
def test_a_named_task_is_seen(line: str, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(line)
    assert named(tmp_path / "x.py")
