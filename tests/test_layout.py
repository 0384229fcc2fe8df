"""The tests mirror the package, and the README's map is the tree."""

from __future__ import annotations

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
    assert without == ["kitbox/contracts.py"]


def test_the_readme_maps_every_module() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    mapped = re.findall(r"^\| `(kitbox/\S+\.py)` \|", readme, flags=re.M)
    assert mapped == [str(module) for module in MODULES]
