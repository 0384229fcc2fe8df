"""What a person is shown about plugins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_registry import BUILT_IN, REQUIRED
from third_party import LABELER, Strangers

import kitbox
from kitbox import registry
from kitbox.errors import PluginError
from kitbox.listing import WIDTH, describe, listing
from kitbox.registry import KINDS


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    return Strangers(tmp_path / "site", monkeypatch)


def rows() -> dict[tuple[str, str, str], str]:
    """The listing: the state by kind, package and name."""
    found = {}
    for line in listing().splitlines()[1:]:
        kind, name, package, _, state = line.split(maxsplit=4)
        found[kind, package, name] = state
    return found


def test_every_built_in_is_listed_and_ready() -> None:
    assert rows() == {(kind, "kitbox", name): "ready" for kind, name in BUILT_IN}


def test_the_listing_lines_up(strangers: Strangers) -> None:
    strangers.labeler("a-package-with-a-long-name", "a-plugin-with-a-long-name")
    lines = listing().splitlines()
    assert lines[0].split() == ["KIND", "NAME", "PACKAGE", "VERSION", "STATE"]
    for column in lines[0].split():
        start = lines[0].index(column)
        assert all(line[start - 1 : start] in (" ", "") and line[start] != " " for line in lines)


def test_states(strangers: Strangers, monkeypatch: pytest.MonkeyPatch) -> None:
    strangers.labeler("good-pack", "mine")
    strangers.labeler("bad-pack", "bad", "import no_such_module_at_all")
    strangers.labeler("exit-pack", "exit", "raise SystemExit('first\\n\\nsecond')")
    strangers.labeler("half-pack", "half", LABELER.replace("def label", "def lable"))
    strangers.labeler("one-pack", "same")
    strangers.labeler("two-pack", "same")
    kitbox.register("labeler", "now")(registry.labelers.load("mine"))
    found = rows()
    assert found["labeler", "good-pack", "mine"] == "ready"
    assert found["labeler", "session", "now"] == "ready"
    bad = "broken: ModuleNotFoundError: No module named 'no_such_module_at_all'"
    assert found["labeler", "bad-pack", "bad"] == bad
    assert found["labeler", "exit-pack", "exit"] == "broken: SystemExit: first"
    assert "breaks its contract: expected a method label" in found["labeler", "half-pack", "half"]
    assert found["labeler", "one-pack", "same"] == "conflict: write one-pack:same"
    assert found["labeler", "two-pack", "same"] == "conflict: write two-pack:same"
    assert found["labeler", "kitbox", "folder"] == "ready"
    monkeypatch.setenv(registry.ALLOW_LIST, "two-pack")
    found = rows()
    assert found["labeler", "two-pack", "same"] == "ready"
    assert found["labeler", "one-pack", "same"] == "left out by KITBOX_PLUGINS"
    assert found["labeler", "bad-pack", "bad"] == "left out by KITBOX_PLUGINS"


def test_a_plugin_in_full(strangers: Strangers) -> None:
    text = '''
from typing import Annotated, Literal
from pathlib import Path
from pydantic import Field
from kitbox import Labels, Options

class Mine(Options):
    """Labels from the sky.

    They fall slowly.

    Attributes:
        file: where they land,
            in the end.
        share (float): how many of them,
            or so.

    Nobody knows why.
    """

    file: Path
    rows: int = Field(description="how many, in words that go on and on until they do not fit "
        "on one line of a screen")
    share: Annotated[float, Field(ge=0, le=1)] = 1 / 3
    how: Literal["slow", "fast"] = "slow"
    when: str | None = None
    bare: dict[str, int] = Field(default_factory=dict)

    def label(self, folder):
        return Labels(None, ("label",))
'''
    strangers.labeler("sky-pack", "sky", text)
    assert describe("sky").splitlines() == [
        "labeler sky",
        "sky-pack 1.2.3, sky_pack:Mine",
        "",
        "Labels from the sky.",
        "",
        "They fall slowly.",
        "",
        "Nobody knows why.",
        "",
        "Options:",
        "  file   path, required",
        "         where they land, in the end",
        "  rows   whole number, required",
        "         how many, in words that go on and on until they do not fit on one line of a",
        "         screen",
        "  share  number (0 to 1), default 0.3333",
        "         how many of them, or so",
        '  how    "slow" | "fast", default "slow"',
        "  when   text, optional",
        "  bare   {name: whole number, ...}, default {}",
        "",
        "Example:",
        "  labeler: {use: sky, file: '...', rows: '...'}",
    ]


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_built_ins_are_described(kind: str, name: str) -> None:
    text = describe(f"{kind}/{name}")
    lines = text.splitlines()
    assert lines[0] == f"{kind} {name}"
    assert lines[1].startswith("kitbox ")
    cls = KINDS[kind].load(name)
    lines = lines[lines.index("Options:") :] if cls.model_fields else lines
    for option, field in cls.model_fields.items():
        (line,) = [line for line in lines if line.startswith(f"  {option} ")]
        assert ("required" in line) == field.is_required()
        assert "Annotated" not in line
        assert "typing" not in line
    assert "Attributes:" not in text
    assert all(len(line) <= WIDTH + 12 for line in lines)


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_examples_are_recipes(kind: str, name: str) -> None:
    line = describe(f"{kind}/{name}").splitlines()[-1]
    ((key, example),) = yaml.safe_load(line).items()
    if kind == "writer":
        assert key == "submission"
        example = example["writer"]
    else:
        assert key in kitbox.Recipe.model_fields
    required: dict[str, Any] = REQUIRED.get((kind, name), {})
    filled = {k: required[k] if v == "..." else v for k, v in example.items()}
    plugin = KINDS[kind].build(filled)
    assert KINDS[kind].name_of(type(plugin)) == name


def test_a_name_of_several_kinds() -> None:
    heads = [part.splitlines()[0] for part in describe("folder").split("\n\n\n")]
    assert heads == ["source folder", "labeler folder", "splitter folder"]
    for name in ("labeler/folder", "labelers/folder", "labeler/kitbox:folder"):
        assert describe(name).startswith("labeler folder\n")
        assert "source folder" not in describe(name)


def test_unknown_names() -> None:
    with pytest.raises(PluginError, match=r"no plugin called 'tabel'. Did you mean 'table'"):
        describe("tabel")
    with pytest.raises(PluginError, match=r"no labeler called 'tim'. Known: coco, filename"):
        describe("labeler/tim")
    with pytest.raises(PluginError, match=r"no kind of plugin called 'labler'. .*'labeler'"):
        describe("labler/table")


def test_showing_when_some_are_broken(strangers: Strangers) -> None:
    strangers.install("hurt", {"writers": {"folder": "hurt:Mine"}}, {"hurt": "raise SystemExit"})
    text = describe("folder")
    assert "source folder" in text
    assert "writer folder\nhurt 1.2.3, hurt:Mine" in text
    assert "cannot be imported" in text
    with pytest.raises(PluginError, match="cannot be imported"):
        describe("writer/folder")


def test_showing_a_conflict(strangers: Strangers) -> None:
    strangers.labeler("one-pack", "same")
    strangers.labeler("two-pack", "same", LABELER.replace("word", "wort"))
    text = describe("same")
    assert "one-pack 1.2.3" in text
    assert "  wort   text" in text
    assert "labeler: {use: 'two-pack:same'" in text
    assert describe("two-pack:same").startswith("labeler same\ntwo-pack")


def test_showing_what_pydantic_cannot_describe(strangers: Strangers) -> None:
    strangers.labeler("dark-pack", "dark", LABELER.replace("word: str", "word: 'Nowhere'"))
    strangers.labeler("bare-pack", "bare", LABELER.replace('"""Labels of a stranger."""', ""))
    assert "  word " in describe("dark")
    assert "No documentation." in describe("bare")


def test_the_command_line(tmp_path: Path) -> None:
    from third_party import write

    write(tmp_path, "hurt", {"labelers": {"hurt": "hurt:Mine"}}, {"hurt": "raise SystemExit(7)"})
    code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom kitbox.cli import main\nmain()"

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-c", code, "plugins", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    listed = call()
    assert listed.returncode == 0
    assert "broken: SystemExit: 7" in listed.stdout
    assert "single-label" in listed.stdout
    shown = call("show", "table")
    assert shown.returncode == 0
    assert shown.stdout.startswith("labeler table\n")
    refused = call("show", "hurt")
    assert refused.returncode == 2
    assert refused.stderr.startswith("kitbox: The labeler 'hurt' of hurt 1.2.3 cannot be imported")
    assert "Traceback" not in refused.stderr


def test_a_plugins_own_example() -> None:
    assert "source: {use: kaggle, competition: dog-breed-identification}" in describe("kaggle")
