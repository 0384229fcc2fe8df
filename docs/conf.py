"""How the documentation is built: `sphinx-build -W docs build/docs`."""

from __future__ import annotations

from pathlib import Path

import kitbox
from kitbox import registry
from kitbox.listing import describe

HERE = Path(__file__).resolve().parent

project, release, copyright = "kitbox", kitbox.__version__, "the authors of kitbox"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
html_theme, html_title = "furo", f"kitbox {release}"
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["modules.md"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # links from here into the repository
default_role = "code"  # docstrings write `name` as Markdown does
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar = True
autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}


def plugins() -> str:
    """Every built-in plugin with its options, as `kitbox plugins show` has it."""
    lines = ["# Plugins and their options", ""]
    lines += ["What a recipe can name, from `kitbox plugins show NAME`.", ""]
    for kind, kinds in registry.KINDS.items():
        lines += [f"## {kind.capitalize()}s", ""]
        for plugin in kinds.plugins():
            if plugin.package == "kitbox":
                told = describe(f"{kind}/{plugin.full_name}").split("\n", 2)[2].strip("\n")
                lines += [f"### {kind}: {plugin.name}", "", "```text", told, "```", ""]
    return "\n".join(lines)


def setup(app: object) -> None:
    """Write the page of plugins before the others are read."""
    made, text = HERE / "reference" / "plugins.md", plugins()
    if not made.exists() or made.read_text(encoding="utf-8") != text:
        made.write_text(text, encoding="utf-8")
