"""A pack tried beside an image's packages, without network and with nothing of this machine's."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml
from index import once
from results import SMALL

from kitbox import recipe as recipes
from kitbox.errors import SourceError
from kitbox.kaggle import pack, resolver, stand_in, trial
from kitbox.kaggle.images import images
from kitbox.progress import Progress
from kitbox.runner import run

QUIET = Progress(quiet=True)


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that links this machine's packages, as where no index answers."""

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patched:

            def none(*_: object) -> dict[str, str]:
                raise SourceError("no index")

            patched.setattr(resolver, "resolve", none)
            stand_in.make(folder / "env", images()[0], QUIET)

    return once(tmp_path_factory, "linked", make) / "env"


@pytest.fixture
def place(tmp_path: Path, linked: Path) -> Path:
    shutil.copytree(linked, tmp_path / "env", symlinks=True)
    return tmp_path / "env"


@pytest.fixture
def mine(tmp_path: Path, packed: Path) -> Path:
    """A pack to change."""
    shutil.copytree(packed, tmp_path / "pack")
    return tmp_path / "pack"


def test_a_pack_is_enough(
    packed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the image's own versions, from the index; a batch is tried on data made there."""
    trial.trial(packed)
    told = capsys.readouterr().out
    image = stand_in.nearest()
    for name in ("numpy", "pandas", "pillow", "scikit-learn", "timm"):
        assert f"{name} {image.pins[name]}" in told
    assert "this machine's, not the image's: torch " in told
    assert "the network is closed" in told
    assert "from the pack: " in told
    assert "gradients are finite" in told
    assert "is enough for its recipe, without any network" in told


def test_what_lacks_a_wheel_is_not(mine: Path, place: Path) -> None:
    next((mine / "wheels").glob("segmentation_models_pytorch-*")).unlink()
    with pytest.raises(SourceError, match=r"cannot be installed.*segmentation"):
        trial.attempt(mine, place, QUIET)


def test_the_network_is_closed_while_wheels_are_installed(mine: Path, place: Path) -> None:
    """An index would have what lacks."""
    next((mine / "wheels").glob("[Ii]mage[Hh]ash-*")).unlink()
    cell = mine / "INSTALL.txt"
    text = cell.read_text().replace("pip install --no-index", "pip install --retries 0")
    cell.write_text(text)
    with pytest.raises(SourceError, match=r"cannot be installed.*imagehash"):
        trial.attempt(mine, place, QUIET)


def test_what_changes_the_image_is_not(mine: Path, place: Path) -> None:
    """By a line that a person changed; this machine's own files stay as they are."""
    import rich

    own = Path(rich.__file__).read_bytes()
    with zipfile.ZipFile(mine / "wheels" / "rich-99.0-py3-none-any.whl", "w") as archive:
        about = "rich-99.0.dist-info"
        archive.writestr("rich/__init__.py", "new")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: rich\nVersion: 99.0\n")
        line = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{about}/WHEEL", line)
        archive.writestr(f"{about}/RECORD", f"rich/__init__.py,,\n{about}/RECORD,,\n")
    cell = mine / "INSTALL.txt"
    cell.write_text(cell.read_text().replace(" kitbox ", " kitbox rich==99.0 "))
    with pytest.raises(SourceError, match=r"changes what is there.*rich-"):
        trial.attempt(mine, place, QUIET)
    assert Path(rich.__file__).read_bytes() == own


def test_what_is_not_whole_is_not(mine: Path, place: Path) -> None:
    """A wheel that nobody installs: pip says who needs it."""
    cell = mine / "INSTALL.txt"
    cell.write_text(cell.read_text().replace(" imagehash", ""))
    with pytest.raises(SourceError, match=r"not whole.*kitbox .* requires imagehash"):
        trial.attempt(mine, place, QUIET)
    cell.write_text("nothing")
    with pytest.raises(SourceError, match="no line that installs"):
        trial.attempt(mine, place, QUIET)


def test_what_reaches_for_the_network_is_not(mine: Path, place: Path) -> None:
    """Weights that are not in the pack would have to come from the hub."""
    lacking = {**SMALL, "backbone": {"use": "timm", "name": "resnet34"}}
    (mine / "recipe.yaml").write_text(yaml.safe_dump(lacking))
    with pytest.raises(SourceError, match=r"not enough for its recipe.*weights of 'resnet34'"):
        trial.attempt(mine, place, QUIET)


def test_nothing_of_this_machine_gets_through(
    tmp_path: Path, packed: Path, linked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caches, keys, indexes: a weight or a wheel that the pack lacks must not come from there."""
    leak = str(tmp_path / "leak")
    names = ("KITBOX_CACHE", "KITBOX_WEIGHTS", "HF_HOME", "TORCH_HOME", "XDG_CACHE_HOME", "HOME")
    for name in (*names, "PIP_FIND_LINKS", "KAGGLE_KEY", "PYTHONPATH", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, leak)
    there = shutil.copytree(linked, tmp_path / "env", symlinks=True)
    home = tmp_path / "home"
    home.mkdir()
    place = trial._Closed(there, home, packed)
    told = place.run("-c", "import os; print(*os.environ.items(), sep='\\n')")
    assert leak not in told
    assert f"('KITBOX_CACHE', '{home}/cache')" in told
    assert f"('HOME', '{home}')" in told
    assert "('HF_HUB_OFFLINE', '1')" in told
    assert os.environ["KITBOX_CACHE"] == leak


def test_a_run_predicts_there(
    tmp_path: Path,
    mine: Path,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    done = run(recipes.make(SMALL), tmp_path / "run", progress=QUIET)
    monkeypatch.setattr(pack, "fetch", lambda packages, folder, progress: [])
    dest = pack.pack(done.folder, tmp_path / "of-run", QUIET)
    for wheel in (mine / "wheels").iterdir():
        shutil.copy(wheel, dest / "wheels")
    (dest / "INSTALL.txt").write_text((mine / "INSTALL.txt").read_text())
    trial.attempt(dest, place, Progress())
    told = capsys.readouterr().out
    assert "1 picture predicted" in told
    assert "is enough for its run" in told


def test_what_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no pack"):
        trial.trial(tmp_path)
