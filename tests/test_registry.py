"""Registries over real entry points: the built-ins, and strangers of every kind."""

from __future__ import annotations

import hashlib
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import third_party
from test_init import HEAVY, imported
from third_party import LABELER, Strangers

import kitbox
from kitbox import Options, contracts, registry
from kitbox.errors import PluginError
from kitbox.options import Mistakes
from kitbox.registry import KINDS, labelers, sources

BUILT_IN = [
    (point.group.removeprefix("kitbox.").removesuffix("s"), point.name)
    for point in metadata.distribution("kitbox").entry_points
    if point.group.startswith("kitbox.")
]
REQUIRED: dict[tuple[str, str], dict[str, Any]] = {
    ("source", "folder"): {"path": "a/b"},
    ("source", "kaggle"): {"competition": "dogs"},
    ("source", "untar"): {"url": "PETS"},
    ("source", "urls"): {"lists": "lists"},
    ("labeler", "coco"): {"file": "train.json"},
    ("labeler", "filename"): {"pattern": r"^(.+)_\d+\.jpg$"},
    ("labeler", "function"): {"function": "a.b:c"},
    ("labeler", "lists"): {"paths": ["a.jpg"], "labels": ["a"]},
    ("augmentation", "albumentations"): {"steps": ["HorizontalFlip"]},
    ("splitter", "group"): {"by": "patient"},
    ("splitter", "column"): {"column": "is_valid"},
    ("splitter", "names"): {"file": "valid.txt"},
}
"""What must be given; a plugin that is not here has a default for everything."""


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    return Strangers(tmp_path / "site", monkeypatch)


def build(kind: str, name: str) -> Options:
    return KINDS[kind].build({"use": name, **REQUIRED.get((kind, name), {})})


def test_every_kind_has_a_contract() -> None:
    assert set(KINDS) == {kind for kind, _ in BUILT_IN}
    for kind, plugins in KINDS.items():
        assert plugins.kind == kind
        assert plugins.contract is getattr(contracts, kind.capitalize())


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_built_ins_keep_their_contracts(kind: str, name: str) -> None:
    cls = KINDS[kind].load(name)
    assert registry.breaches(cls, KINDS[kind].contract) == []
    assert KINDS[kind].load(f"kitbox:{name}") is cls


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_built_ins_go_round(kind: str, name: str) -> None:
    plugins = KINDS[kind]
    plugin = build(kind, name)
    assert plugins.name_of(type(plugin)) == name
    described = plugins.describe(plugin)
    assert next(iter(described)) == "use"
    assert set(described) == {"use", *type(plugin).model_fields}
    assert plugins.build(described) == plugin
    assert plugins.build(plugin) is plugin


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_built_ins_are_frozen_and_refuse_what_they_do_not_know(kind: str, name: str) -> None:
    plugin = build(kind, name)
    with pytest.raises(ValueError, match="frozen"):
        plugin.anything = 1  # type: ignore[attr-defined]
    with pytest.raises(Mistakes, match="anything: unknown option"):
        KINDS[kind].build({**KINDS[kind].describe(plugin), "anything": 1})


def test_names_are_listed_without_imports() -> None:
    modules = imported(
        "from kitbox.registry import KINDS\n"
        "n = sum(len(k.plugins()) for k in KINDS.values())\nassert n >= 20, n\n"
        "assert not [m for m in sys.modules if m.startswith(('kitbox.sources', 'kitbox.models',"
        "'kitbox.labelers', 'kitbox.data', 'kitbox.tasks', 'kitbox.writers'))]"
    )
    assert not modules & set(HEAVY)


def test_loading_a_class_imports_nothing_heavy() -> None:
    assert not imported(
        "from kitbox.registry import KINDS\n"
        "[k.load(p.full_name) for k in KINDS.values() for p in k.plugins()]"
    ) & set(HEAVY)


def test_a_stranger_is_found(strangers: Strangers) -> None:
    module = strangers.labeler("Stranger-Pack", "mine")
    (plugin,) = [p for p in labelers.plugins() if p.name == "mine"]
    assert (plugin.package, plugin.version) == ("Stranger-Pack", "1.2.3")
    assert plugin.full_name == "Stranger-Pack:mine"
    assert plugin.value == "Stranger_Pack:Mine"
    assert plugin.allowed
    assert module not in sys.modules
    cls = labelers.load("mine")
    assert module in sys.modules
    assert cls.__module__ == module
    built = labelers.build({"use": "stranger_pack:mine", "word": "dog"})
    assert labelers.describe(built) == {"use": "mine", "shout": False, "word": "dog"}
    (used,) = registry.used({"labeler": registry.labelers.build("mine")})
    assert (used["kind"], used["plugin"], used["version"]) == (
        "labeler",
        "Stranger-Pack:mine",
        "1.2.3",
    )
    file = sys.modules[module].__file__
    assert used["module_sha256"] == hashlib.sha256(Path(str(file)).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("text", "attribute", "found"),
    [
        ("import no_such_module_at_all", "Mine", "No module named 'no_such_module_at_all'"),
        ("raise SystemExit(3)", "Mine", "SystemExit: 3"),
        ("1 +", "Mine", "SyntaxError"),
        ("raise RuntimeError('first\\nsecond')", "Mine", "RuntimeError: first."),
        (LABELER, "Other", "no attribute 'Other'"),
        ("Mine = 3", "Mine", "found 3"),
        ("class Mine: pass", "Mine", "derived from kitbox.Options"),
        (LABELER.replace("def label(self, folder)", "def lable(self, folder)"), "Mine", "nothing"),
        (
            LABELER.replace("def label(self, folder)", "def label(self, path)"),
            "Mine",
            "expected label(self, folder: 'Path') -> 'Labels', found label(self, path)",
        ),
        (
            LABELER.replace("def label(self, folder)", "def label(self, folder, more)"),
            "Mine",
            "expected label(self, folder: 'Path') -> 'Labels', found label(self, folder, more)",
        ),
    ],
)
def test_a_broken_stranger_is_reported_and_alone(
    text: str, attribute: str, found: str, strangers: Strangers
) -> None:
    module = strangers.labeler("broken-pack", "hurt", text, attribute)
    assert "hurt" in [p.name for p in labelers.plugins()]
    with pytest.raises(PluginError) as caught:
        labelers.load("hurt")
    message = str(caught.value)
    for part in ("labeler 'hurt'", "broken-pack 1.2.3", f"{module}:{attribute}", found):
        assert part in message
    assert "second" not in message
    with pytest.raises(Mistakes, match="broken-pack"):
        labelers.build("hurt")
    assert labelers.build("folder")


def test_a_keyboard_interrupt_is_no_broken_plugin(strangers: Strangers) -> None:
    strangers.labeler("slow-pack", "slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        labelers.load("slow")


def test_options_that_cannot_be_checked(strangers: Strangers) -> None:
    text = LABELER.replace(
        "Options\n", "Options, KitboxError\nfrom pydantic import field_validator\n"
    )
    check = (
        "\n    @field_validator('word')\n    @classmethod\n    def _c(cls, word):\n        raise "
    )
    strangers.labeler("odd-pack", "odd", text + check + "KeyError('oops')\n")
    strangers.labeler("own-pack", "own", text + check + "KitboxError('not today')\n")
    strangers.labeler("ref-pack", "ref", LABELER.replace("word: str", "word: 'Nowhere'"))
    with pytest.raises(
        Mistakes, match=r"odd-pack:odd 1\.2\.3 cannot be checked .*KeyError: 'oops'"
    ):
        labelers.build("odd")
    with pytest.raises(Mistakes, match=r"^not today\.$"):
        labelers.build("own")
    with pytest.raises(Mistakes, match=r"ref-pack:ref .* cannot be checked"):
        labelers.build("ref")


def test_two_packages_with_one_name(strangers: Strangers) -> None:
    strangers.labeler("one-pack", "same")
    strangers.labeler("two-pack", "same")
    with pytest.raises(
        PluginError,
        match=r"Two packages claim the labeler 'same'.*'one-pack:same' or 'two-pack:same'",
    ):
        labelers.load("same")
    one, two = labelers.build("one-pack:same"), labelers.build("two-pack:same")
    assert type(one).__module__ == "one_pack"
    assert type(two).__module__ == "two_pack"
    assert labelers.describe(one)["use"] == "one-pack:same"
    assert labelers.build(labelers.describe(two)) == two


def test_a_stranger_with_a_built_in_s_name(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = labelers.load("folder")
    strangers.labeler("one-pack", "folder")
    with pytest.raises(PluginError, match="'kitbox:folder' or 'one-pack:folder'"):
        labelers.load("folder")
    assert labelers.load("kitbox:folder") is own
    assert labelers.name_of(own) == "kitbox:folder"
    monkeypatch.setenv(registry.ALLOW_LIST, "")  # and so the name is free again
    assert labelers.load("folder") is own
    assert labelers.name_of(own) == "folder"


def test_one_package_that_claims_a_name_twice(strangers: Strangers) -> None:
    strangers.install(
        "twin", {"labelers": {"a": "twin:Mine", "a ": "twin:Other"}}, {"twin": LABELER}
    )
    with pytest.raises(PluginError, match="twin claims the labeler 'a' twice"):
        labelers.load("a")


def test_allow_list(strangers: Strangers, monkeypatch: pytest.MonkeyPatch) -> None:
    module = strangers.labeler("shy-pack", "shy")
    monkeypatch.setenv(registry.ALLOW_LIST, "other")
    (plugin,) = [p for p in labelers.plugins() if p.name == "shy"]
    assert not plugin.allowed
    with pytest.raises(
        PluginError, match=r"shy-pack is not on the allow-list.*KITBOX_PLUGINS='other'"
    ):
        labelers.load("shy")
    with pytest.raises(PluginError, match=r"no labeler called 'shx'\. Known"):
        labelers.find("shx")  # what is left out is not suggested
    assert module not in sys.modules
    monkeypatch.setenv(registry.ALLOW_LIST, "other, Shy_Pack")
    assert labelers.load("shy")
    monkeypatch.delenv(registry.ALLOW_LIST)
    assert labelers.load("shy")


def test_a_class_that_a_package_names_by_another_module(strangers: Strangers) -> None:
    strangers.install(
        "front-pack",
        {"labelers": {"front": "front:Mine"}},
        {"front": "from back import Mine\n", "back": LABELER},
    )
    built = labelers.build("front")
    assert type(built).__module__ == "back"
    assert labelers.name_of(type(built)) == "front"
    assert labelers.build(labelers.describe(built)) == built


def test_unknown_names() -> None:
    with pytest.raises(PluginError, match=r"no source called 'untarr'. Did you mean 'untar'"):
        sources.find("untarr")
    with pytest.raises(PluginError, match="no source called 'kitbox:nothing'"):
        sources.find("kitbox:nothing")
    with pytest.raises(PluginError, match="no source called ''"):
        sources.find("")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "found 3, expected a source: a name, or a mapping"),
        (None, "found nothing, expected a source"),
        ([], r"found \[\], expected a source"),
        ({}, "use: missing: one of digits, folder, "),
        ({"path": "x"}, "use: missing"),
        ({"use": "foldr"}, "use: There is no source called 'foldr'. Did you mean 'folder'"),
        ({"use": 3}, "use: There is no source called '3'"),
        ({"use": "folder"}, "path: missing"),
        ({"use": "folder", "path": "a", "pth": "b"}, "pth: unknown option. Did you mean 'path'"),
        ({"use": "folder", "path": 3}, "path: found 3, expected a path"),
        ("folder", "path: missing"),
    ],
)
def test_mistakes_in_what_is_given(given: object, message: str) -> None:
    with pytest.raises(Mistakes, match=message):
        sources.build(given)


def test_all_mistakes_of_a_plugin_at_once() -> None:
    with pytest.raises(Mistakes) as caught:
        sources.build({"use": "untar", "ulr": "PETS", "size": 0})
    assert [m.where for m in caught.value.mistakes] == [("url",), ("size",), ("ulr",)]


def test_a_plugin_of_another_kind_is_refused() -> None:
    digits = sources.build("digits")
    with pytest.raises(Mistakes, match="expected a labeler"):
        labelers.build(digits)


def test_an_instance_without_a_name_is_refused() -> None:
    class Homeless(Options):
        def label(self, folder: Path) -> contracts.Labels:
            raise NotImplementedError

    # It would run, but its recipe could not be saved.
    with pytest.raises(Mistakes, match=r"not registered as a labeler.*@kitbox.register"):
        labelers.build(Homeless())


def a_labeler() -> type:
    class Mine(Options):
        shout: bool = False

        def label(self, folder: Path) -> contracts.Labels:
            raise NotImplementedError

    return Mine


def test_registering_for_the_session(strangers: Strangers) -> None:
    first = a_labeler()
    assert kitbox.register("labeler", "mine")(first) is first
    (plugin,) = [p for p in labelers.plugins() if p.name == "mine"]
    assert (plugin.package, plugin.version, plugin.allowed) == ("session", "-", True)
    old = labelers.build("mine")
    assert type(old) is first
    # The cell is run again.
    second = a_labeler()
    kitbox.register("labeler", "mine")(second)
    assert type(labelers.build({"use": "mine", "shout": True})) is second
    assert labelers.load("session:mine") is second
    assert labelers.name_of(second) == labelers.name_of(first) == "mine"
    (used,) = registry.used({"labeler": labelers.build("mine")})
    assert (used["plugin"], used["version"]) == ("session:mine", "-")


def test_the_session_is_on_every_allow_list(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    kitbox.register("labeler", "mine")(a_labeler())
    monkeypatch.setenv(registry.ALLOW_LIST, "")
    assert labelers.build("mine")


def test_two_session_classes_with_one_qualified_name(strangers: Strangers) -> None:
    one, two = a_labeler(), a_labeler()
    kitbox.register("labeler", "one")(one)
    kitbox.register("labeler", "two")(two)
    assert (labelers.name_of(one), labelers.name_of(two)) == ("one", "two")


def test_what_cannot_be_registered(strangers: Strangers) -> None:
    strangers.labeler("first-pack", "taken")
    for name in ("taken", "folder"):
        with pytest.raises(PluginError, match=f"The name '{name}' is taken"):
            kitbox.register("labeler", name)(a_labeler())
    for name in ("", "a:b", "a b", "a/b"):
        with pytest.raises(PluginError, match="is no name for a labeler"):
            kitbox.register("labeler", name)(a_labeler())
    with pytest.raises(PluginError, match="Mine is no source: expected a method find"):
        kitbox.register("source", "mine")(a_labeler())
    with pytest.raises(PluginError, match=r"no kind of plugin called 'labler'.*'labeler'"):
        kitbox.register("labler", "mine")
    assert not [p for p in labelers.plugins() if p.package == "session"]


def test_a_registry_of_one_s_own() -> None:
    points = [metadata.EntryPoint("x", "kitbox.labelers.folder:FolderLabels", "kitbox.labelers")]
    own = registry.Registry("labeler", contracts.Labeler, lambda group: points)
    assert [p.full_name for p in own.plugins()] == ["?:x"]
    assert own.name_of(own.load("x")) == "x"


def test_the_folder_of_strangers_is_gone_again() -> None:
    # The tests above leave nothing behind for others.
    assert {p.package for k in KINDS.values() for p in k.plugins()} == {"kitbox"}
    assert third_party.LABELER
