"""What `kitbox plugins check` finds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import third_party

from kitbox import registry
from kitbox.errors import PluginError
from kitbox.scaffold import write_plugin
from kitbox.vetting import check


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    return write_plugin("birds", "labeler", tmp_path)


def changed(folder: Path, old: str, new: str) -> None:
    file = folder / "kitbox_birds" / "labeler.py"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_sound_package_and_no_trace(birds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, names = list(sys.path), [p.full_name for p in registry.labelers.plugins()]
    monkeypatch.setenv("KITBOX_PLUGINS", "")
    verdict = check(str(birds))
    assert (verdict.package, verdict.plugins, verdict.faults) == (
        "kitbox-birds 0.1.0",
        ["labeler birds"],
        [],
    )
    assert sys.path == path
    assert "kitbox_birds" not in sys.modules
    assert [p.full_name for p in registry.labelers.plugins()] == names


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("from pydantic import Field", "import nowhere", "cannot be imported: ModuleNotFound"),
        ("from pydantic import Field", "import time; time.sleep(600)", "did not end within 1 "),
        (
            "from pydantic import Field",
            "import os; os._exit(4)",
            "ended the process, with status 4",
        ),
        ("def label(self, folder: Path)", "def label(self, path)", "found label(self, path)"),
        ("class BirdsLabeler", "class Other", "no attribute 'BirdsLabeler'"),
        ('"""The label is what', '"""\n    """The label is what', None),
        (", description=\"the pictures' folder, below the source's folder\"", "", "'images' of"),
        (
            "from pydantic import Field",
            "from pydantic import Field\nimport pandas",
            "imports pandas",
        ),
        ('images: str = Field("",', "images: str = Field(3,", "do not go through a recipe"),
        (
            "    def label(self, folder",
            "    def model_post_init(self, _):\n        raise SystemExit(0)\n\n"
            "    def label(self, folder",
            "do not go through a recipe: SystemExit: 0",
        ),
        (
            "    def label(self, folder",
            "    def model_post_init(self, _):\n        import os; os._exit(0)\n\n"
            "    def label(self, folder",
            "Looking at the options ended the process: no message",
        ),
        (
            "    def label(self, folder",
            "    @classmethod\n    def __get_pydantic_json_schema__(cls, *_):\n"
            "        raise ValueError\n\n    def label(self, folder",
            "cannot be described (ValueError)",
        ),
        (
            "from pydantic",
            f"if 0:\n    x = {'+'.join('1' * 1200)}\nfrom pydantic",
            "labeler.py is nested too deeply to be read",
        ),
        ("from pydantic", "\0from pydantic", "labeler.py is no Python"),
        (
            "from kitbox.errors",
            "from kitbox import registry\nfrom kitbox.errors",
            "kitbox.registry",
        ),
    ],
)
def test_faults(
    old: str, new: str, fault: str | None, birds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITBOX_IMPORT_SECONDS", "1" if "sleep" in new else "20")
    changed(birds, old, new)
    faults = check(str(birds)).faults
    if fault is None:
        assert faults
    else:
        assert any(fault in one for one in faults), faults


def test_another_contract_and_a_name_that_is_taken(birds: Path) -> None:
    file = birds / "pyproject.toml"
    text = file.read_text()
    file.write_text(text.replace("1 = ", "7 = "))
    (fault,) = check(str(birds)).faults
    assert "made for contract 7, this is 1" in fault
    file.write_text(text.replace("\nbirds = ", "\nfolder = "))
    (fault,) = check(str(birds)).faults
    assert "has the name of one of kitbox: recipes must write 'kitbox-birds:folder'" in fault


def installed(birds: Path, site: Path, version: str = "0.1.0", name: str = "birds") -> Path:
    """Leave what an editable installation leaves; its metadata."""
    points = {
        "labelers": {name: "kitbox_birds.labeler:BirdsLabeler"},
        "contract": {"1": "kitbox.contracts"},
    }
    third_party.write(site, "kitbox-birds", points, {}, version)
    (info,) = site.glob("*.dist-info")
    told = {"url": birds.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(told))
    return info


def test_what_was_tried_and_where(birds: Path, tmp_path: Path) -> None:
    """From the folder while it is not installed, which is said, with the way to install it."""
    (note,) = check(str(birds)).notes
    assert "kitbox-birds is not installed here" in note
    assert "were tried from its folder" in note
    assert note.endswith(f"pip install --editable {birds}")


def test_what_is_installed_is_compared(
    birds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    info = installed(birds, site)
    monkeypatch.syspath_prepend(site)
    assert (check(str(birds)).notes, check(str(birds)).faults) == ([], [])
    # By its name it is the folder too, with its tests and all.
    (birds / "tests" / "test_labeler.py").write_text("")
    (fault,) = check("kitbox-birds").faults
    assert "No test class inherits LabelerTests" in fault
    (info / "direct_url.json").unlink()
    (note,) = check(str(birds)).notes
    assert "kitbox-birds 0.1.0 is installed here from elsewhere" in note


def test_entry_points_that_have_changed_since(
    birds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(birds, tmp_path / "site", name="brids")
    monkeypatch.syspath_prepend(tmp_path / "site")
    (fault,) = check(str(birds)).faults
    assert "The entry points birds, brids of pyproject.toml have changed" in fault
    assert "Install it again: pip install --editable" in fault


def test_imports_that_fail_for_want_of_something(birds: Path) -> None:
    """What is declared has to be installed; what is its own has to be there."""
    changed(birds, "from pydantic import Field", "import no_such_lib\nfrom pydantic import Field")
    text = (birds / "pyproject.toml").read_text()
    assert '"kitbox>=0.1",' in text
    (birds / "pyproject.toml").write_text(
        text.replace('"kitbox>=0.1",', '"kitbox>=0.1", "No-Such.Lib>=3",')
    )
    (fault,) = check(str(birds)).faults
    assert f"declared, but not installed here: pip install --editable {birds}" in fault
    (birds / "kitbox_birds").rename(birds / "lib")
    faults = check(str(birds)).faults
    assert any("neither in" in one and "install the package" in one for one in faults), faults


def test_broken_python(birds: Path) -> None:
    (birds / "tests" / "test_more.py").write_text("def :")
    assert any("test_more.py is no Python" in one for one in check(str(birds)).faults)


def test_installed_packages() -> None:
    verdict = check("kitbox")
    assert len(verdict.plugins) >= 30
    assert verdict.faults == []
    with pytest.raises(PluginError, match="no installed package"):
        check("no-such-package")
    with pytest.raises(PluginError, match="no package in"):
        check("./nowhere")
