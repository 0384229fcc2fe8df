"""Exceptions that come out of strangers' plugins."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import third_party
from third_party import Strangers

import kitbox
from kitbox import blame, registry
from kitbox.errors import LabelError, PluginError
from kitbox.progress import Progress

ROOT = Path(__file__).resolve().parents[1]
FAILS = """
import kitbox
from kitbox import Labels, Options

class Mine(Options):
    \"\"\"Labels of a stranger.\"\"\"

    def label(self, folder):
        return self._rows({})

    def _rows(self, table):
        return table["species"]
"""
BACKBONE = ("--set", "backbone={use: timm, name: test_resnet, pretrained: false}")
RECIPE = {
    "source": {"use": "digits", "pictures": 100},
    "labeler": "birds",
    "task": "single-label",
    "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False},
    "size": 16,
    "stages": [{"epochs": 1}],
}


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    return Strangers(tmp_path / "site", monkeypatch)


def raised(strangers: Strangers, text: str, package: str = "bird-pack") -> Exception:
    """What the labeler of a package with that source raises."""
    strangers.labeler(package, "birds", text)
    labeler = registry.labelers.build("birds")
    with pytest.raises(Exception) as caught:  # noqa: PT011  whatever a stranger raises
        labeler.label(strangers.folder)
    return caught.value


def test_a_run_tells_whose_it_is(strangers: Strangers, tmp_path: Path) -> None:
    strangers.labeler("bird-pack", "birds", FAILS)
    with pytest.raises(PluginError) as caught:
        kitbox.run(kitbox.make_recipe(RECIPE), tmp_path / "run")
    file = tmp_path / "run" / "traceback.txt"
    assert str(caught.value) == (
        "The labeler 'birds' of bird-pack 1.2.3 failed in its `Mine.label`. Found: KeyError: "
        f"'species'. Report it to bird-pack, with the traceback in {file}."
    )
    assert isinstance(caught.value.__cause__, KeyError)
    assert 'return table["species"]' in file.read_text()


def test_a_run_that_had_begun_says_so_and_the_next_goes_on(
    strangers: Strangers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of a run that failed takes the run of the plugin that was mended."""
    source = (ROOT / "plugins/kitbox-template/kitbox_template/writer.py").read_text()
    late = f"""{source}
class Late(TemplateWriter):
    def table(self, predictions, sample, folder):
        if (Path({str(tmp_path)!r}) / "run" / "model").exists():
            return 1 / 0
        return super().table(predictions, sample, folder)
"""
    points = {"writers": {"birds": "writer_pack:Late"}}
    strangers.install("writer-pack", points, {"writer_pack": late})
    labels = {"use": "folder", "path": "train"}
    asked = {**RECIPE, "labeler": labels, "submission": {"writer": "birds"}}
    recipe = kitbox.make_recipe({**asked, "test": {"folder": "test"}})
    with pytest.raises(PluginError, match=r"writer 'birds' of writer-pack .*ZeroDivisionError"):
        kitbox.run(recipe, tmp_path / "run")
    state = json.loads((tmp_path / "run" / "run.json").read_text())
    assert state["state"] == "failed"
    assert "writer-pack 1.2.3 failed" in state["reason"]
    assert (tmp_path / "run" / "traceback.txt").exists()
    monkeypatch.setattr(sys.modules["writer_pack"], "Path", lambda path: tmp_path / "nowhere")
    assert kitbox.run(recipe, tmp_path / "run").submission
    assert not (tmp_path / "run" / "traceback.txt").exists()


def test_by_hand(strangers: Strangers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kitbox.load`, the data's methods and the Learner's end in the same paragraph."""
    monkeypatch.setattr(blame.tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    strangers.labeler("bird-pack", "birds", FAILS)
    quiet = Progress(quiet=True)
    values = {key: RECIPE[key] for key in ("source", "task", "size")}
    with pytest.raises(PluginError, match="labeler 'birds' of bird-pack") as caught:
        kitbox.load(**values, labeler="birds", progress=quiet)
    assert isinstance(caught.value.__cause__, KeyError)
    text = """
from kitbox_template.writer import TemplateWriter
from kitbox_template.augmentation import TemplateAugmentation
class Late(TemplateWriter):
    def table(self, predictions, sample, folder):
        return 1 / 0
class Dark(TemplateAugmentation):
    def transforms(self, *given, **more):
        return 1 / 0
"""
    monkeypatch.syspath_prepend(ROOT / "plugins" / "kitbox-template")
    points = {"writers": {"late": "late:Late"}, "augmentations": {"dark": "late:Dark"}}
    strangers.install("late-pack", points, {"late": text})
    labels = {"use": "folder", "path": "train"}
    values = {**values, "labeler": labels, "augmentation": "dark", "progress": quiet}
    data = kitbox.load(**values)
    late = kitbox.load(**values, test={"folder": "test"}, submission={"writer": "late"})
    learn = kitbox.Learner(data, RECIPE["backbone"])
    for call, who in (
        (lambda: kitbox.Learner(late, RECIPE["backbone"]), "writer 'late'"),
        (lambda: learn.fit(1), "augmentation 'dark'"),
        (data.show_batch, "augmentation 'dark'"),
    ):
        with pytest.raises(PluginError, match=f"{who} of late-pack 1.2.3 failed"):
            call()
        assert "ZeroDivisionError" in (tmp_path / "traceback.txt").read_text()


def test_edges_of_a_class() -> None:
    """All that is public, and nothing looks different for it."""

    class Plain:
        def method(self, by: int) -> float:
            """Documented."""
            return 1 / by

        @classmethod
        def made(cls) -> Plain:
            return cls()

        @property
        def name(self) -> str:
            """Its name."""
            return vars(self).get("_name", "plain")

        @name.setter
        def name(self, other: str) -> None:
            vars(self)["_name"] = other

        def _own(self) -> None: ...

    own = Plain._own
    edged = blame.at_edges(Plain)
    assert edged is Plain
    assert Plain._own is own
    assert str(inspect.signature(Plain.method)) == "(self, by: 'int') -> 'float'"
    assert (Plain.method.__doc__, Plain.name.__doc__) == ("Documented.", "Its name.")
    one = Plain.made()
    one.name = "other"
    assert (type(one), one.name, one.method(2)) == (Plain, "other", 0.5)
    with pytest.raises(ZeroDivisionError):  # no plugin's
        one.method(0)


def test_the_command_line_has_a_paragraph(strangers: Strangers, tmp_path: Path) -> None:
    strangers.labeler("bird-pack", "birds", FAILS)
    (tmp_path / "r.yaml").write_text("{source: digits, labeler: birds, task: single-label}\n")
    for words in (("run", "r.yaml", "--out", "run"), ("check", "r.yaml")):
        done = subprocess.run(
            [sys.executable, "-c", "from kitbox.cli import main; main()", *words, *BACKBONE],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(strangers.folder), str(ROOT)]),
                "TMPDIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert "kitbox: The labeler 'birds' of bird-pack 1.2.3 failed" in done.stderr
        assert "Traceback" not in done.stderr
        file = done.stderr.strip().removesuffix(".").rpartition("traceback in ")[2]
        assert "KeyError" in (tmp_path / file).read_text()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('table["species"]', "kitbox.list_pictures(7)", "TypeError"),  # raised further in
        ('table["species"]', "helper()", "ValueError: of a function"),
        ('table["species"]', "1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_whatever_its_code_raises(
    old: str, new: str, found: str, strangers: Strangers, tmp_path: Path
) -> None:
    text = FAILS.replace(old, new) + "\ndef helper():\n    raise ValueError('of\\na function')\n"
    told = blame.told(raised(strangers, text), tmp_path / "t.txt")
    assert told is not None
    assert "failed in its `Mine.label`" in told.wrong
    assert found in told.found
    assert str(tmp_path / "t.txt") in told.do


def test_others_keep_their_tracebacks(strangers: Strangers, tmp_path: Path) -> None:
    """kitbox's own bugs, the user's own code, and errors that say what is wrong already."""
    mistake = "from kitbox.errors import LabelError\n" + FAILS.replace(
        'return table["species"]', "raise LabelError('No birds')"
    )
    error = raised(strangers, mistake)
    assert isinstance(error, LabelError)
    assert blame.told(error) is None

    @registry.labelers.register("mine")
    class Mine(kitbox.Options):
        def label(self, folder: Path) -> kitbox.Labels:
            raise KeyError("mine")

    for call in (lambda: Mine().label(tmp_path), lambda: kitbox.list_pictures(7)):
        with pytest.raises((KeyError, TypeError)) as caught:
            call()
        assert blame.told(caught.value) is None
    assert list(tmp_path.glob("**/traceback.txt")) == []


def test_where_to_report(strangers: Strangers, tmp_path: Path) -> None:
    error = raised(strangers, FAILS)
    info = next(strangers.folder.glob("*.dist-info")) / "METADATA"
    plain = info.read_text()
    for more, found in [
        ("Project-URL: Docs, https://a\nProject-URL: Bug Tracker, https://b\n", "(https://b)"),
        ("Project-URL: Repository, https://c\n", "(https://c)"),
        ("Author-email: Ann <a@b>\n", "(Ann <a@b>)"),
    ]:
        info.write_text(plain + more)
        told = blame.told(error, tmp_path / "t.txt")
        assert told is not None
        assert f"Report it to bird-pack {found}" in told.do


def test_a_file_that_cannot_be_written(
    strangers: Strangers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blame.tempfile, "mkdtemp", lambda prefix: str(tmp_path / "tmp"))
    error = raised(strangers, FAILS)
    told = blame.told(error, tmp_path / "nowhere" / "t.txt")
    assert told is not None
    assert str(tmp_path / "tmp" / "traceback.txt") in told.do
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(blame.tempfile, "mkdtemp", lambda prefix: str(tmp_path / "file"))
    told = blame.told(error)
    assert told is not None
    assert str(told).endswith("Report it to bird-pack.")


def test_several_plugins_of_a_package(strangers: Strangers, tmp_path: Path) -> None:
    """It is that of the class whose method it is; of a function between them, the package's."""
    text = FAILS + "\nclass Other(Mine):\n    pass\n\ndef alone():\n    return 1 / 0\n"
    points = {"labelers": {"birds": "flock:Mine", "others": "flock:Other"}}
    third_party.write(strangers.folder, "flock-pack", points, {"flock": text})
    for name in ("birds", "others"):
        with pytest.raises(KeyError) as caught:
            registry.labelers.build(name).label(tmp_path)
        told = blame.told(caught.value, tmp_path / "t.txt")
        assert told is not None
        assert f"The labeler '{name}' of flock-pack" in told.wrong
    with pytest.raises(ZeroDivisionError) as divided:
        sys.modules["flock"].alone()
    told = blame.told(divided.value, tmp_path / "t.txt")
    assert told is not None
    assert told.wrong == "A plugin of flock-pack 1.2.3 failed in its `alone`"
