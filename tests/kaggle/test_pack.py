"""A pack for a kernel without network: what is in it, and that it changes no image."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from index import needs_index
from results import SMALL

import kitbox
from kitbox import recipe as recipes
from kitbox import registry
from kitbox.errors import SourceError, StorageError
from kitbox.kaggle import fitting, pack, resolver, stand_in, wheels
from kitbox.kaggle.images import Image, images
from kitbox.progress import Progress
from kitbox.runner import run

QUIET = Progress(quiet=True)


def lay(folder: Path, **changes: Any) -> Path:
    path = folder / "recipe.yaml"
    path.write_text("# a comment\n" + yaml.safe_dump({**SMALL, **changes}))
    return path


@pytest.mark.parametrize("image", images(), ids=lambda i: f"{i.name}-torch{i.pins['torch']}")
def test_nothing_of_an_image_changes(image: Image, packed: Path) -> None:
    """Each wheel's own requirements: met by the image's pins, or by another wheel, or unpinned."""
    needs = fitting.of_wheels(packed / "wheels")
    assert {"kitbox", "segmentation-models-pytorch", "imagehash"} <= needs.keys()
    assert not needs.keys() & {resolver.canonical(name) for name in image.pins}
    assert fitting.misfits(image, needs) == []
    old = replace(image, pins={**image.pins, "tqdm": "4.41", "pillow": "9.5"})
    assert {one.package for one in fitting.misfits(old, needs)} == {"tqdm", "pillow"}


def test_all_that_an_image_lacks_is_packed(packed: Path) -> None:
    """What kitbox needs, all told, and what that needs which an image has not."""
    there = resolver.resolve(images()[0].constraints(), (), "3.12")
    brought = fitting.of_wheels(packed / "wheels")
    needs = {one.metadata["Name"] for one in stand_in.closure(["kitbox"], there.keys())}
    lost = {resolver.canonical(name) for name in needs} - {*brought}
    assert {name for name in lost if not name.startswith(stand_in.HEAVY)} == set()
    assert len(needs) > 3
    assert {"torch", "scipy", "requests", "pydantic-core"} <= there.keys()


def test_a_package_that_would_change_an_image_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what is asked for, before an index is; and by what that needs."""
    needs = [*wheels.requirements("kitbox"), "numpy>=2.2"]
    with monkeypatch.context() as patched:
        patched.setattr(wheels, "requirements", lambda package: needs)
        patched.setattr(resolver, "resolve", lambda *_: pytest.fail("asked an index"))
        told = r"does not go with what Kaggle's image has.*kitbox needs numpy>=2.2.*has 2.0"
        with pytest.raises(SourceError, match=told):
            pack.fetch(["kitbox"], Path(), QUIET)
    needs_index()
    with pytest.raises(SourceError, match=r"does not go with what Kaggle's image has.*pillow"):
        pack.lacks(["pillow>=12"], replace(images()[0], pins={"pillow": "11.3"}))


def test_a_wheel_that_would_change_an_image_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: Path
) -> None:
    """What only the wheel itself tells, and the index did not."""
    monkeypatch.setattr(pack, "lacks", lambda wanted, image: {"imagehash": "1"})
    monkeypatch.setattr(resolver, "resolve", lambda *_: {})

    def fetch(packages: object, python: str, folder: Path) -> None:
        about = "Metadata-Version: 2.1\nName: ImageHash\nVersion: 1\nRequires-Dist: pillow>=12\n"
        with zipfile.ZipFile(folder / "imagehash-1-py3-none-any.whl", "w") as archive:
            archive.writestr("imagehash-1.dist-info/METADATA", about)

    monkeypatch.setattr(resolver, "download", fetch)
    with pytest.raises(SourceError, match=r"imagehash needs pillow>=12, the image has 11\.3"):
        pack.fetch(["kitbox"], tmp_path, QUIET)


def test_a_recipe_is_packed(packed: Path) -> None:
    recipe, dest = packed.parent / "recipe.yaml", packed
    assert {path.name for path in dest.iterdir()} == {
        *("wheels", "weights", "recipe.yaml", "INSTALL.txt", "pack.json"),
    }
    assert (dest / "recipe.yaml").read_text() == recipe.read_text()
    names = [path.name.lower() for path in (dest / "wheels").iterdir()]
    for name in ("kitbox", "segmentation_models_pytorch", "imagehash", "pywavelets", "captum"):
        assert any(one.startswith(f"{name}-") for one in names), name
    assert not any(one.startswith(("torch-", "numpy-", "nvidia", "matplotlib")) for one in names)
    for python in ("cp312", "cp313"):
        assert any(one.startswith("pywavelets-") and python in one for one in names)
    lines = (dest / "INSTALL.txt").read_text()
    assert (
        "pip install --no-index --no-deps --find-links {PACK}/wheels captum imagehash kitbox"
        in lines
    )
    assert "{PACK}/recipe.yaml" in lines
    with pytest.raises(StorageError, match="There is something at"):
        pack.pack(recipe, dest, QUIET)


def test_places_on_this_machine_are_told(tmp_path: Path) -> None:
    recipe = recipes.make(
        {
            "source": {"use": "folder", "path": "here"},
            "labeler": "folder",
            "task": "single-label",
            "copy_to": "/somewhere/else",
        }
    )
    local = pack.local_paths(recipe)
    assert local == {"source.path": Path("here"), "copy_to": Path("/somewhere/else")}
    lines = pack.install(["kitbox"], of_run=False, local=local)
    assert "run {PACK}/recipe.yaml --set source.path=/kaggle/WHERE --set copy_to=" in lines
    assert "--files /kaggle/input" in pack.install(["kitbox"], of_run=True, local=local)
    assert "--files" not in pack.install(["kitbox"], of_run=True)
    assert "--set" not in pack.install(["kitbox"], of_run=False)
    assert "KITBOX_WEIGHTS={PACK}/weights" in pack.install(["kitbox"], of_run=False)
    assert "KITBOX_WEIGHTS" not in pack.install(["kitbox"], of_run=True)  # it has its own
    other = recipe.model_copy(update={"source": registry.sources.build("digits"), "copy_to": None})
    assert pack.local_paths(other) == {}


def test_weights_go_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network's own weights as a file: found again where they are attached."""
    import timm
    from safetensors.torch import save_file

    monkeypatch.setattr(pack, "fetch", lambda *_: [])  # wheels are tested beside
    state = timm.create_model("test_resnet", num_classes=0).state_dict()
    save_file(state, tmp_path / "mine.safetensors")
    backbone = {"use": "timm", "name": "test_resnet", "weights": str(tmp_path / "mine.safetensors")}
    dest = pack.pack(lay(tmp_path, backbone=backbone), tmp_path / "out", QUIET)
    (held,) = (dest / "weights").iterdir()
    assert held.name == "test_resnet.safetensors"
    assert held.read_bytes() == (tmp_path / "mine.safetensors").read_bytes()
    monkeypatch.setenv("KITBOX_WEIGHTS", str(dest / "weights"))
    recipe = recipes.read(dest / "recipe.yaml")
    assert str(held) in recipe.backbone.find_weights().source


def test_a_run_is_packed_with_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kitbox.rerun import rerun

    monkeypatch.setattr(pack, "fetch", lambda *_: [])
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    done = run(recipes.make(SMALL), tmp_path / "run", progress=QUIET)
    dest = pack.pack(done.folder, tmp_path / "out", QUIET)
    assert "kitbox rerun {PACK}/run" in (dest / "INSTALL.txt").read_text()
    moved = shutil.move(dest, tmp_path / "attached")
    rerun(Path(moved) / "run", tmp_path / "again.csv", progress=QUIET)
    assert done.submission is not None
    assert (tmp_path / "again.csv").read_bytes() == done.submission.read_bytes()


def test_what_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> list[str]:
        raise SourceError("no index today")

    monkeypatch.setattr(pack, "fetch", fail)
    with pytest.raises(SourceError, match="no index today"):
        pack.pack(lay(tmp_path), tmp_path / "out", QUIET)
    assert not (tmp_path / "out").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError):
        pack.pack(lay(tmp_path), tmp_path / "empty", QUIET)
    assert list((tmp_path / "empty").iterdir()) == []
    (tmp_path / "half").mkdir()
    shutil.copy(lay(tmp_path), tmp_path / "half")
    with pytest.raises(SourceError):
        pack.pack(tmp_path / "half", tmp_path / "out", QUIET)


def test_a_plugin_of_this_session_is_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.splitters, "_session", {})

    @kitbox.register("splitter", "all-but-one")
    class AllButOne(kitbox.Options):
        """The first validates."""

        def split(self, rows: Any, targets: Any, folder: Any) -> Any:
            return rows["id"].rank().eq(1).map({True: "valid", False: "train"})

    recipe = recipes.make({**SMALL, "split": "all-but-one"})
    with pytest.raises(SourceError, match="a plugin that this session registered"):
        pack.packages_of(recipe)


def test_what_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no pack"):
        pack.read_manifest(tmp_path)
    (tmp_path / "pack.json").write_text("[]")
    with pytest.raises(SourceError, match="is no pack"):
        pack.read_manifest(tmp_path)
