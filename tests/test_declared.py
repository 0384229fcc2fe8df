"""What a package imports and does not declare."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitbox import declared
from kitbox.declared import brought_by, imports, line_for, name_of, undeclared

TEXT = """
from __future__ import annotations
import os, numpy as np
from typing import TYPE_CHECKING
from . import beside
from .beside import more
if TYPE_CHECKING:
    import pandas
else:
    import yaml
try:
    import cupy
except ImportError:
    cupy = None
else:
    import rich
try:
    import timm
except ImportError as error:
    raise RuntimeError("needed") from error
class A:
    def method(self):
        from torch.nn import functional
"""


def test_what_is_imported() -> None:
    assert imports(TEXT) == {"__future__", "os", "typing", "numpy", "yaml", "rich", "timm", "torch"}


@pytest.mark.parametrize(
    ("caught", "needed"),
    [
        ("except (ImportError, OSError):\n  x = 1", False),
        ("except ModuleNotFoundError:\n  x = 1", False),
        ("except:\n  x = 1", False),
        ("except ValueError:\n  x = 1", True),
        ("finally:\n  x = 1", True),
    ],
)
def test_what_it_can_do_without(caught: str, needed: bool) -> None:
    assert imports(f"try:\n  import cupy\n{caught}\n") == ({"cupy"} if needed else set())


def test_modules_are_known_by_their_distributions(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sklearn, yaml, PIL.Image, kitbox, mine, no_such")
    (tmp_path / "b.py").write_text("import sklearn")
    (tmp_path / "c.py").write_text("import :")
    files = [tmp_path / name for name in ("a.py", "b.py", "c.py", "d.py")]
    found = undeclared(files, ["mine"], ["Pillow >= 11", "no-such; extra == 'x'"])
    assert found == {"sklearn": ["a.py", "b.py"], "yaml": ["a.py"]}
    assert undeclared(files, ["mine"], ["pillow", "No.Such", "scikit_learn>=1", "PyYAML"]) == {}
    assert brought_by("sklearn") == ["scikit-learn"]


def test_the_line_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    assert line_for(["sklearn", "yaml"]) == '"scikit-learn>=1.6", "pyyaml>=6.0"'
    assert line_for(["no_such"]) == "what brings no_such"
    several = {"cv2": ["opencv-python", "Opencv_Python.Headless"], "numpy": ["other", "numpy"]}
    monkeypatch.setattr(declared, "_distributions", lambda: several)
    assert line_for(["cv2"]) == '"opencv-python-headless" (or opencv-python)'
    assert line_for(["numpy"]) == '"numpy>=2.0" (or other)'  # kitbox's comes first


def test_names() -> None:
    for one in ("Sci_Kit.learn", "sci-kit-learn>=1", "sci-kit-learn[all] ; x", "sci-kit-learn @ f"):
        assert name_of(one) == "sci-kit-learn"
