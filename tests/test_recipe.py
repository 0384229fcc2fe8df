"""Recipes: every mistake at once, and none of what was said gets lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from test_init import HEAVY, imported
from third_party import LABELER, Strangers

import kitbox
from kitbox import recipe as recipes
from kitbox import registry
from kitbox.demo import PATH as DEMO
from kitbox.errors import RecipeError, StorageError
from kitbox.recipe import Recipe, Stage, make, parse, read

LEAST = {"source": "digits", "labeler": "folder", "task": "single-label"}
TEXT = "source: digits\nlabeler: folder\ntask: single-label\n"


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    return Strangers(tmp_path / "site", monkeypatch)


def mistakes(text: str, changes: tuple[str, ...] = ()) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as caught:
        parse(text, Path("some/r.yaml"), changes)
    return caught.value.mistakes


# What is complete.


def test_source_labeler_and_task_are_complete() -> None:
    recipe = make(LEAST)
    assert registry.splitters.describe(recipe.split)["use"] == "auto"
    assert registry.backbones.describe(recipe.backbone)["use"] == "timm"
    assert registry.augmentations.describe(recipe.augmentation)["use"] == "standard"
    assert recipe.stages == (Stage(epochs=4, freeze=True), Stage(epochs=2))
    assert (recipe.name, recipe.size, recipe.seed, recipe.submission) == ("run", 224, 42, None)
    assert recipe == parse(TEXT + "name: run", Path("x"))


@pytest.mark.parametrize("missing", list(LEAST))
def test_nothing_less_is_complete(missing: str) -> None:
    with pytest.raises(RecipeError) as caught:
        make({key: value for key, value in LEAST.items() if key != missing})
    assert caught.value.mistakes == (f"{missing}: missing: this one must be given",)


def test_a_stranger_cannot_take_a_default(strangers: Strangers) -> None:
    strangers.install("grab", {"backbones": {"timm": "grab:Mine"}}, {"grab": LABELER})
    assert registry.backbones.describe(make(LEAST).backbone)["use"] == "kitbox:timm"
    with pytest.raises(RecipeError, match="Two packages claim the backbone 'timm'"):
        make({**LEAST, "backbone": "timm"})


def test_sizes() -> None:
    recipe = make(
        {**LEAST, "size": [96, 160], "stages": [{"epochs": 1, "size": 128}, {"epochs": 1}]}
    )
    assert recipe.hw == (96, 160)
    assert [recipe.stage_hw(stage) for stage in recipe.stages] == [(128, 128), (96, 160)]
    assert recipe.decode_hw == (128, 160)
    growing = make({**LEAST, "size": 64, "stages": [{"epochs": 1}, {"epochs": 1, "size": 96}]})
    assert growing.hw == (96, 96)  # the last stage's size predicts
    assert make(LEAST).decode_hw == (224, 224)
    assert make({**LEAST, "largest": [256, 128]}).decode_hw == (256, 224)
    assert make({**LEAST, "keep": "last"}).kept == "last.safetensors"


def test_the_demo_is_a_recipe() -> None:
    recipe = kitbox.demo_recipe()
    assert recipe.name == "digits"
    assert recipe == read(str(DEMO))


def test_frozen() -> None:
    recipe = make(LEAST)
    for thing, name in ((recipe, "seed"), (recipe.stages[0], "epochs"), (recipe.task, "target")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(thing, name, 1)


def test_reading_imports_nothing_heavy() -> None:
    code = "import kitbox\nfrom kitbox.recipe import schema\nkitbox.demo_recipe()\nschema()"
    assert not imported(code) & set(HEAVY)


# Mistakes.


def test_many_mistakes_at_once() -> None:
    text = """\
source: {use: untr, url: PETS}
labeler:
  use: filename
  pattern: '('
  imges: images
task:
  use: single-label
  smoothing: 2
backbone: {use: timm, channels: 2}
sise: 224
batch_size: many
stages:
  - {epochs: 4, freeze: true}
  - epochs: 2
    lr: [1.0e-6, fast]
submission:
  writer: {use: wide, decimal: 2}
  sampel: a.csv
"""
    found = mistakes(text)
    assert len(found) == 10
    begin = [
        "line 1, source.use: There is no source called 'untr'. Did you mean 'untar'?",
        "line 5, labeler.imges: unknown option. Did you mean 'images'?",
        "line 8, task.smoothing: found 2, expected less than 1",
        "line 9, backbone.channels: found 2, expected 1, 3 or 4",
        "line 11, batch_size: found 'many', expected a whole number",
        "line 15, stages[1].lr[1]: found 'fast', expected a number",
        "line 17, submission.writer.decimal: unknown option. Did you mean 'decimals'?",
        "line 18, submission.sampel: unknown option. Did you mean 'sample'?",
        "line 10, sise: unknown option. Did you mean 'size'?",
    ]
    assert [line for line in found if line in begin] == begin
    (pattern,) = set(found) - set(begin)
    assert pattern.startswith("line 4, labeler.pattern: ")


def test_the_message_has_the_file_the_number_and_what_was_done() -> None:
    with pytest.raises(RecipeError) as caught:
        parse(TEXT + "seed: -1", Path("some/r.yaml"))
    assert str(caught.value) == (
        "some/r.yaml has a mistake. Nothing was fetched or written.\n"
        "  - line 4, seed: found -1, expected at least 0"
    )
    with pytest.raises(RecipeError, match=r"r.yaml has 2 mistakes"):
        parse(TEXT + "seed: -1\nsize: 1", Path("r.yaml"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("source: {url: PETS}", "line 1, source.use: missing: one of digits, folder, "),
        ("source: [1]", "line 1, source: found [1], expected a source: a name, or a mapping"),
        ("source:", "line 1, source: found nothing, expected a source"),
        ("source: folder", "line 1, source.path: missing: this one must be given"),
        ("size: []", "size: found [], expected 2 items"),
        ("stages: []", "stages: found [], expected at least 1 item"),
        ("name: ../up", "name: found '../up', expected text that matches"),
        ("name: a/b", "name: found 'a/b'"),
        ("seed:", "seed: found nothing, expected a whole number"),
        ("test: {foldr: a}", "test.foldr: unknown option. Did you mean 'folder'?"),
        ("submission: {writer: wid}", "submission.writer.use: There is no writer called 'wid'"),
        ("broken: .nan", "broken: found nan"),
        ("7: x", "the recipe: found 7 as a key, expected text"),
    ],
)
def test_single_mistakes(text: str, found: str) -> None:
    key = text.partition(":")[0]
    rest = "".join(line + "\n" for line in TEXT.splitlines() if not line.startswith(f"{key}:"))
    (mistake,) = mistakes(f"{text}\n{rest}")
    assert found in mistake


def test_doubled_keys_are_mistakes_beside_others() -> None:
    text = TEXT + "seed: 1\nseed: 2\nsize: 1\nstages:\n  - {epochs: 1,\n     epochs: 2}\n"
    assert mistakes(text) == (
        "line 5, seed: already given on line 4",
        "line 9, stages[0].epochs: already given on line 8",
        "line 6, size: found 1, expected at least 8",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it holds nothing, expected a mapping. Name at least a source"),
        ("# only a comment\n", "it holds nothing"),
        ("- a\n- b\n", "it holds a list"),
        ("digits", "it holds the value 'digits'"),
        ("a: [1\nb: 2", "is not YAML.\n  - line 2, column 2: "),
        ("a: b: c", "is not YAML.\n  - line 1, column 5: mapping values are not allowed"),
        ("\ta: 1", "is not YAML.\n  - line 1, column 1: "),
        ("a: 1\n---\nb: 2", "is not YAML.\n  - .*but found another document"),
        (
            "a: !!python/object:os.system x",
            "is not YAML.\n  - line 1, column 4: could not determine",
        ),
        ("a: *b", "is not YAML.\n  - line 1, column 4: found undefined alias"),
        ("name: 2020-13-45", "is not YAML.\n  - month must be in 1..12"),
        ("a: &x [*x]", "is not YAML.\n  - it is nested too deeply"),
        ("[" * 5000, "is not YAML.\n  - it is nested too deeply"),
        ("a: \x00", "is not YAML.\n  - special characters are not allowed"),
        ("? [a]\n: b", "is not YAML.\n  - line 1, column 3: found unhashable key"),
    ],
)
def test_what_is_no_recipe(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(text, Path("r.yaml"))


def test_rates_without_a_dot_are_numbers() -> None:
    # YAML 1.1 reads 1e-4 as text.
    text = TEXT + "stages:\n  - {epochs: 1, lr: 1e-4}\n  - {epochs: 1, lr: [1e-6, 1e-4]}\n"
    stages = parse(text, Path("x")).stages
    assert [stage.lr for stage in stages] == [1e-4, (1e-6, 1e-4)]
    assert parse(TEXT + "stages: [{epochs: 1, lr: find}]", Path("x")).stages[0].lr == "find"


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "my first recipe!.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())  # as Windows' editor saves it
    assert read(path).name == "my-first-recipe"
    assert read(str(path)) == read(path)
    (tmp_path / "...yaml").write_text(TEXT)
    assert read(tmp_path / "...yaml").name == "run"
    path.write_text(TEXT + "name: mine")
    assert read(path).name == "mine"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"There is no recipe at .*nothing.yaml. Check the path"):
        read(tmp_path / "nothing.yaml")
    (tmp_path / "b.yaml").write_text(TEXT)
    (tmp_path / "a.yml").write_text(TEXT)
    with pytest.raises(RecipeError, match=r"Recipes beside it: a.yml, b.yaml\."):
        read(tmp_path / "nothing.yaml")
    with pytest.raises(RecipeError, match="There is no recipe"):
        read(tmp_path / "no" / "folder" / "r.yaml")
    with pytest.raises(RecipeError, match="is a folder, not a recipe"):
        read(tmp_path)
    (tmp_path / "b.yaml").write_bytes("source: é".encode("latin-1"))
    with pytest.raises(RecipeError, match=r"not UTF-8 text. Save it as UTF-8"):
        read(tmp_path / "b.yaml")


# Changes.


def test_changes(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(TEXT + "stages:\n  - {epochs: 1, freeze: true}\n  - {epochs: 5}\nseed: 3\n")
    recipe = read(path, ["seed=1", "stages.0.epochs=2", "backbone.name=x", "task.smoothing=0"])
    assert recipe.seed == 1
    assert recipe.stages == (Stage(epochs=2, freeze=True), Stage(epochs=5))
    assert registry.backbones.describe(recipe.backbone)["name"] == "x"
    assert registry.tasks.describe(recipe.task)["smoothing"] == 0


def test_changes_of_what_the_file_leaves_to_defaults() -> None:
    recipe = parse(TEXT, Path("x"), ["stages.0.epochs=1", "split.valid=0.5", "submission.sample=a"])
    assert recipe.stages == (Stage(epochs=1, freeze=True), Stage(epochs=2))
    assert registry.splitters.describe(recipe.split) == {"use": "auto", "valid": 0.5, "seed": 42}
    assert recipe.submission is not None
    assert recipe.submission.sample == "a"
    # The defaults themselves are as they were.
    assert make(LEAST).stages[0].epochs == 4


def test_mistakes_in_changes() -> None:
    assert mistakes(TEXT, ("seed=x", "stages.0.epoch=1", "size=4")) == (
        "--set size: found 4, expected at least 8",
        "--set stages[0].epoch: unknown option. Did you mean 'epochs'?",
        "--set seed: found 'x', expected a whole number",
    )
    assert mistakes(TEXT, ("tsk.smoothing=1",)) == (
        "--set tsk: unknown option. Did you mean 'task'?",
    )
    points = ("labeler={use: points}", "labeler.columns=[x36, y36]")
    assert mistakes(TEXT, points) == tuple(
        f"--set labeler.columns[{n}]: found '{axis}36', expected a list, as in columns: "
        "[[text, text], ...]"
        for n, axis in enumerate("xy")
    )
    for change in ("seed", "stages.7.epochs=1", "seed.x=1", "source.use.x=1"):
        with pytest.raises(RecipeError):
            parse(TEXT + "seed: 1", Path("x"), [change])


# From Python.


def test_from_python_values_and_plugins() -> None:
    task = registry.tasks.build({"use": "single-label", "smoothing": 0.2})
    recipe = make({**LEAST, "task": task, "stages": (Stage(epochs=1), {"epochs": 2})})
    assert recipe.task is task
    assert [stage.epochs for stage in recipe.stages] == [1, 2]
    assert make({**LEAST, "labeler": {"use": "folder"}}).labeler == make(LEAST).labeler
    assert parse(recipe.text(), Path("x")) == recipe


def test_mistakes_from_python() -> None:
    with pytest.raises(RecipeError, match=r"The recipe has 2 mistakes") as caught:
        make({**LEAST, "source": registry.labelers.build("folder"), "stages": [Stage(epochs=1), 3]})
    assert [m.partition(":")[0] for m in caught.value.mistakes] == ["source", "stages[1]"]
    for values in ([1], None, "digits"):
        with pytest.raises(RecipeError, match="A recipe is a mapping"):
            make(values)  # type: ignore[arg-type]


# There and back.

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
sizes = st.integers(8, 512) | st.tuples(st.integers(8, 512), st.integers(8, 512))
rates = st.floats(1e-12, 10)
stages = st.fixed_dictionaries(
    {"epochs": st.integers(1, 99)},
    optional={
        "freeze": st.booleans() | st.integers(-9, 9) | texts,
        "lr": st.none() | st.just("find") | rates | st.tuples(rates, rates),
        "size": st.none() | sizes,
        "hold_norm": st.none() | st.booleans(),
    },
)
tasks = st.fixed_dictionaries(
    {"use": st.just("single-label")},
    optional={
        "target": st.none() | texts,
        "classes": st.none() | st.lists(texts, unique=True),
        "class_weights": st.none() | st.just("balanced") | st.dictionaries(texts, st.floats(0, 9)),
        "smoothing": st.floats(0, 1, exclude_max=True),
        "metrics": st.lists(st.sampled_from(["error_rate", "top_3", "accuracy"]), min_size=1),
    },
)
values = st.fixed_dictionaries(
    {
        "source": st.just("digits")
        | st.fixed_dictionaries({"use": st.just("folder"), "path": texts}),
        "labeler": st.just("folder"),
        "task": tasks,
    },
    optional={
        "size": sizes,
        "stages": st.lists(stages, min_size=1, max_size=3),
        "batch_size": st.integers(1, 99),
        "weight_decay": st.floats(0, 1),
        "seed": st.integers(0, 2**32 - 1),
        "keep": st.sampled_from(["best", "last"]),
        "fit": st.sampled_from([None, "crop", "squash", "pad"]),
        "sampler": st.sampled_from([None, "balanced"]),
        "submission": st.none()
        | st.fixed_dictionaries({}, optional={"sample": texts, "writer": st.just("wide")}),
    },
)


@settings(max_examples=60, deadline=None)
@given(values)
def test_a_saved_recipe_reads_the_same(given: dict[str, Any]) -> None:
    recipe = make(given)
    text = recipe.text()
    again = parse(text, Path("another name"))
    assert again == recipe
    assert again.text() == text
    assert list(yaml.safe_load(text)) == list(Recipe.model_fields)


def test_a_saved_recipe_of_strangers_reads_the_same(strangers: Strangers) -> None:
    strangers.labeler("one-pack", "mine")
    strangers.labeler("two-pack", "mine")
    recipe = make({**LEAST, "labeler": {"use": "two-pack:mine", "word": "yes"}})
    text = recipe.text()
    assert "labeler: {use: 'two-pack:mine', shout: false, word: 'yes'}" in text
    assert parse(text, Path("x")) == recipe


def test_a_recipe_is_written_to_a_file(tmp_path: Path) -> None:
    recipe = make(LEAST)
    path = tmp_path / "deep" / "flowers.yaml"
    assert recipe.save(str(path)) == path
    assert path.read_text(encoding="utf-8") == recipe.text()
    other = recipe.model_copy(update={"seed": 7})
    assert read(other.save(path)) == other
    with pytest.raises(StorageError, match=str(tmp_path.name)):
        recipe.save(tmp_path)


@pytest.mark.parametrize("lr", ["1e6", "10.5", "[1.0e-3, 1.0e+3]", "[11, 1]"])
def test_a_rate_that_ruins_the_weights_is_refused(lr: str) -> None:
    text = f"{TEXT}stages: [{{epochs: 1, lr: {lr}}}]\n"
    with pytest.raises(
        RecipeError, match=r"stages\[0\]\.lr.*at most 10: rates of 1e-5 to 1e-2 are"
    ):
        parse(text, Path("a.yaml"))


def test_the_highest_rate_is_the_finders() -> None:
    from kitbox.training import finder

    assert recipes.HIGHEST_LR == finder.HIGHEST
    make({**LEAST, "stages": [{"epochs": 1, "lr": recipes.HIGHEST_LR}]})
    assert make({**LEAST, "stages": [{"epochs": 1, "lr": "find"}]}).stages[0].lr == "find"


# The schema.


def valid(schema: dict[str, Any], text: str) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(text))


def test_schema() -> None:
    schema = recipes.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    json.dumps(schema)
    assert schema["title"] == "kitbox recipe"
    assert recipes.PLUGIN not in json.dumps(schema)
    jsonschema.validate(yaml.safe_load(DEMO.read_text()), schema)
    jsonschema.validate(yaml.safe_load(kitbox.demo_recipe().text()), schema)
    assert valid(schema, TEXT)
    assert valid(schema, TEXT.replace("digits", "{use: untar, url: PETS}"))
    assert valid(schema, TEXT.replace("folder", "kitbox:folder"))


@pytest.mark.parametrize(
    "wrong",
    [
        "source: digits\nlabeler: folder\n",
        TEXT + "sed: 1",
        TEXT + "seed: x",
        TEXT + "size: [1, 2, 3]",
        TEXT + "stages: [{}]",
        TEXT + "backbone: {use: timm, nme: x}",
        TEXT + "backbone: {use: tim}",
        TEXT + "backbone: {name: resnet34}",
        TEXT + "submission: {writer: wid}",
        TEXT.replace("digits", "untar"),  # needs an address
    ],
)
def test_schema_and_recipe_agree_on_what_is_wrong(wrong: str) -> None:
    assert not valid(recipes.schema(), wrong)
    assert mistakes(wrong)


def test_schema_with_strangers(strangers: Strangers) -> None:
    nested = LABELER.replace("class Mine", "class Deep(Options):\n    depth: int = 1\n\nclass Mine")
    strangers.labeler(
        "good-pack", "mine", nested.replace("shout: bool = False", "deep: Deep = Deep()")
    )
    strangers.labeler("bad-pack", "bad", "raise SystemExit")
    strangers.labeler("dark-pack", "dark", LABELER.replace("word: str", "word: 'Nowhere'"))
    strangers.labeler("one-pack", "same")
    strangers.labeler("two-pack", "same", LABELER.replace("word", "wort"))
    schema = recipes.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    text = TEXT.replace("folder", "{}").format
    assert valid(schema, text("{use: mine, deep: {depth: 2}}"))
    assert valid(schema, text("mine"))
    assert not valid(schema, text("{use: mine, deep: {depth: x}}"))
    assert not valid(schema, text("bad"))
    assert not valid(schema, text("same"))  # which one?
    assert valid(schema, text("'one-pack:same'"))
    assert valid(schema, text("{use: 'two-pack:same', wort: x}"))
    assert not valid(schema, text("{use: 'one-pack:same', wort: x}"))


def test_schema_leaves_out_what_is_not_allowed(
    strangers: Strangers, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers.labeler("good-pack", "mine")
    assert "good-pack:mine" in json.dumps(recipes.schema())
    monkeypatch.setenv(registry.ALLOW_LIST, "")
    assert "good-pack" not in json.dumps(recipes.schema())


@pytest.mark.parametrize(
    ("text", "value"), [("off", False), ("false", False), ("0", False), ("3", 3)]
)
def test_features_of_a_stage(text: str, value: int) -> None:
    """YAML reads `off` as false."""
    stages = f"stages:\n  - {{epochs: 1, freeze: true, features: {text}}}\n"
    assert parse(TEXT + stages, Path("r.yaml")).stages[0].features == value


@pytest.mark.parametrize("text", ["-1", "true", "some", "1.5"])
def test_features_that_are_none(text: str) -> None:
    stages = f"stages:\n  - {{epochs: 1, freeze: true, features: {text}}}\n"
    with pytest.raises(RecipeError, match="features"):
        parse(TEXT + stages, Path("r.yaml"))
