"""The tests mirror the package, and the map in docs/ is the tree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = [
    path.relative_to(ROOT)
    for path in sorted((ROOT / "kitbox").rglob("*.py"))
    if path.name != "__init__.py"
]


def test_every_module_has_its_test() -> None:
    without = [
        str(module)
        for module in MODULES
        if not (
            ROOT / "tests" / module.relative_to("kitbox").with_name(f"test_{module.name}")
        ).exists()
    ]
    # The contracts hold no behaviour; the registry's tests hold the built-ins to them.
    assert without == [str(m) for m in MODULES if m.parts[1] == "contracts"]


def test_a_contract_is_on_a_screen() -> None:
    """One that an author can take in: no file has more than 120 lines."""
    pages = list((ROOT / "kitbox" / "contracts").glob("*.py"))
    assert len(pages) > 7
    assert [page.name for page in pages if len(page.read_text().splitlines()) > 120] == []


def test_the_map_is_the_tree() -> None:
    """Every module, and the first line of its docstring."""
    page = (ROOT / "docs" / "modules.md").read_text(encoding="utf-8")
    mapped = re.findall(r"^\| `(kitbox/\S+\.py)` \| (.+) \|$", page, flags=re.MULTILINE)
    said = [ast.get_docstring(ast.parse((ROOT / module).read_text())) or "" for module in MODULES]
    lines = [text.splitlines()[0] for text in said]
    assert mapped == [(str(module), line) for module, line in zip(MODULES, lines, strict=True)]


def test_labelers_and_tasks_know_no_writers() -> None:
    """What they share with writers lies above both."""
    found = [
        f"{module}: {name}"
        for module in MODULES
        if module.parts[1] in ("labelers", "tasks")
        for node in ast.walk(ast.parse((ROOT / module).read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
        if name.startswith("kitbox.writers")
    ]
    assert found == []
