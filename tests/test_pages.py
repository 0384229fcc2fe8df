"""Code on pages of `docs/` is that of the files that it is taken from.

A comment `<!-- path: name -->` stands before each piece; `python tests/test_pages.py` puts
the pieces in again.
"""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    page for page in sorted((ROOT / "docs").glob("*.md")) if "<!-- plugins/" in page.read_text()
]
PIECE = re.compile(r"<!-- ([\w/.-]+): (.+?) -->\n(?:\n?```\w+\n.*?\n```\n)?", re.DOTALL)


def filled(text: str) -> str:
    """A page with every piece as it is in its file now."""

    def piece(match: re.Match[str]) -> str:
        path, name = match[1], match[2]
        kind = {".py": "python", ".toml": "toml"}[Path(path).suffix]
        return f"<!-- {path}: {name} -->\n\n```{kind}\n{taken(ROOT / path, name)}\n```\n"

    return PIECE.sub(piece, text)


def taken(path: Path, name: str) -> str:
    """A class, a function, a method or a section of TOML out of a file, not indented."""
    text = path.read_text()
    if path.suffix == ".toml":
        _, found, rest = text.partition(f"{name}\n")
        assert found, f"{path} has no section {name}"
        return f"{name}\n{rest.partition(chr(10) + chr(10))[0]}".strip()
    body: list[ast.stmt] = ast.parse(text).body
    node: ast.stmt | None = None
    for step in name.split("."):
        (node,) = [one for one in body if getattr(one, "name", None) == step]
        body = getattr(node, "body", [])
    assert node is not None
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    return textwrap.dedent("\n".join(lines))


def test_there_is_a_page() -> None:
    assert [page.name for page in PAGES] == ["write-a-task.md"]
    assert len(PIECE.findall(PAGES[0].read_text())) >= 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_show_what_is_there(page: Path) -> None:
    text = page.read_text()
    assert text == filled(text), "run: python tests/test_pages.py"


def test_another_piece_is_seen(tmp_path: Path) -> None:
    text = PAGES[0].read_text()
    changed = text.replace("return Gathered()", "return None").replace("quadratic_kappa", "kappa")
    assert changed != text
    assert filled(changed) != changed
    (tmp_path / "x.py").write_text("class A:\n    def b(self):\n        return 1\n\nc = 2\n")
    assert taken(tmp_path / "x.py", "A.b") == "def b(self):\n    return 1"
    with pytest.raises(ValueError, match="not enough values"):
        taken(tmp_path / "x.py", "A.d")


def test_links_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "README.md", *(ROOT / "plugins").glob("**/README.md")]:
        for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page}: {link}"


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page.read_text()))
