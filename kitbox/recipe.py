"""The recipe: a checked, frozen description of a run."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    StrictInt,
    ValidationError,
    WithJsonSchema,
)

from kitbox import document, fastai_words, registry, states
from kitbox.contracts import Augmentation, Backbone, Labeler, Source, Splitter, Task, Writer
from kitbox.data.mixing import Mix
from kitbox.data.sampling import Listed
from kitbox.data.unlabelled import TestPictures
from kitbox.durations import Duration
from kitbox.errors import RecipeError, some
from kitbox.installed import BUILT_IN
from kitbox.mistakes import Mistake, explain
from kitbox.options import Options
from kitbox.storage import write

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
HIGHEST_LR = 10.0
"""The highest rate that a stage may have: also the highest that the finder tries."""


def _usual(rate: float) -> float:
    if rate > HIGHEST_LR:
        raise ValueError(
            f"found {rate:g}, expected at most {HIGHEST_LR:g}: rates of 1e-5 to 1e-2 are usual "
            "(the optimizer is AdamW), higher ones ruin the weights"
        )
    return rate


Rate = Annotated[Positive, AfterValidator(_usual), Field(json_schema_extra={"maximum": HIGHEST_LR})]
Side = Annotated[int, Field(ge=8, le=8192)]
Size = Side | tuple[Side, Side]

PLUGIN = "x-kitbox"
"""Marks where a JSON schema has a plugin; `schema` fills it in."""


def _plugin(kinds: registry.Registry[Any], default: str | None = None) -> tuple[Any, ...]:
    """How a field that holds a plugin is read, written and described.

    The default is a full name: it must stand when another package claims the bare one.
    """
    return (
        PlainValidator(kinds.build),
        PlainSerializer(kinds.describe),
        WithJsonSchema({PLUGIN: kinds.kind}),
        *([] if default is None else [Field(default=f"{BUILT_IN}:{default}")]),
    )


class Stage(Options):
    """A stretch of training with one schedule: rate up, then down, unless it says otherwise."""

    other_words: ClassVar[Mapping[str, str]] = fastai_words.STAGE

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    freeze: StrictBool | StrictInt | str = Field(
        default=False,
        description="true trains the head alone, the body runs forward only; a number freezes "
        "the body's first layers, a negative one all but its last; a name such as layer3 all "
        "before that layer",
    )
    lr: Literal["find"] | Rate | tuple[Rate, Rate] | None = Field(
        default=None,
        description="highest rate of the cycle: a number for all layers, [first layer, head] "
        "spread geometrically, 'find' for the finder's, or nothing for the default; 1e-5 to 1e-2 "
        "are usual",
    )
    schedule: Literal["one-cycle", "constant"] = Field(
        default="one-cycle",
        description="one-cycle raises the rate, then lowers it; constant keeps it as it is",
    )
    size: Size | None = Field(
        default=None,
        description="another picture size than the recipe's; the last stage's size predicts",
    )
    features: Literal[False] | Annotated[StrictInt, Field(ge=1, le=1000)] | None = Field(
        default=None,
        description="with `freeze: true`, of how many augmented views of each picture the body's "
        "features are computed, once for all epochs; false computes them in every epoch",
    )
    hold_norm: bool | None = Field(
        default=None,
        description="hold normalisation statistics as they are; by default for pretrained weights",
    )


class Submission(Options):
    """The file to hand in."""

    sample: str | None = Field(
        default=None, description="sample submission, below the source's folder"
    )
    writer: Annotated[Writer, *_plugin(registry.writers)] | None = Field(
        default=None, description="by default the one that the task finds fitting"
    )


class Recipe(Options):
    """What to do, from raw pictures to a submission. Frozen; checked as a whole.

    A recipe that names a source, a labeler and a task is complete.
    """

    other_words: ClassVar[Mapping[str, str]] = fastai_words.RECIPE

    name: Annotated[str, Field(pattern=r"^[\w][\w.-]*$")] = "run"
    source: Annotated[Source, *_plugin(registry.sources)]
    labeler: Annotated[Labeler, *_plugin(registry.labelers)]
    exclude: Path | None = Field(
        None,
        description="csv file (as `kitbox clean` writes it) whose column `image` names labelled "
        "pictures to leave out; relative to the working folder",
    )
    test: TestPictures | None = Field(None, description="the pictures to predict")
    split: Annotated[Splitter, *_plugin(registry.splitters, "auto")]
    task: Annotated[Task, *_plugin(registry.tasks)]
    backbone: Annotated[Backbone, *_plugin(registry.backbones, "timm")]
    augmentation: Annotated[Augmentation, *_plugin(registry.augmentations, "standard")]
    size: Size = Field(224, description="pixels: one side, or [height, width]")
    largest: Size | None = Field(
        None,
        description="pictures are decoded for this size, where it is larger than every stage's",
    )
    fit: Literal["crop", "squash", "pad"] | None = Field(
        None, description="how a picture of another shape comes to the size; by default the task's"
    )
    sampler: Literal["balanced"] | Listed | None = Field(
        None,
        description="'balanced' draws rare pictures (by the task's targets) more often; {csv: "
        "hard.csv} those that a file names",
    )
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 64
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = (
        Stage(epochs=4, freeze=True),
        Stage(epochs=2),
    )
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    keep: Literal["best", "last"] = Field(
        "best", description="which weights predict: best by the task's first metric, or the last"
    )
    broken: Annotated[float, Field(ge=0, le=1)] = Field(
        0.05, description="share of labelled pictures that may be missing or broken"
    )
    mix: Mix | None = Field(
        None, description="MixUp and CutMix of the pictures of a batch, as in {mixup: 0.2}"
    )
    tta: bool = Field(
        False, description="predict each picture and its mirror image, and take the mean"
    )
    compile: StrictBool = Field(
        False,
        description="compile the network (torch.compile): a minute or more per stage before it "
        "is faster, for long training on a GPU; see docs/decisions.md",
    )
    report: StrictBool = Field(
        True, description="write report.html: what it learned, what it got wrong, what to change"
    )
    checkpoint_every: Annotated[StrictInt, Field(ge=1)] | Duration = Field(
        1, description="epochs, or a duration such as 10min, also inside an epoch"
    )
    copy_to: Path | None = Field(
        None, description="another folder (a mounted drive) that gets a copy of each checkpoint"
    )
    time_budget: Duration | None = Field(
        None,
        description="time from the start of the process; stages are shortened to keep within it",
    )
    processes: Annotated[StrictInt, Field(ge=1, le=64)] = Field(
        1, description="processes that share the work on this machine, a GPU for each"
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    submission: Submission | None = None

    def plugins(self) -> dict[str, Any]:
        """The plugins that the recipe uses, by kind."""
        writer = self.submission.writer if self.submission is not None else None
        found = {
            "source": self.source,
            "labeler": self.labeler,
            "splitter": self.split,
            "augmentation": self.augmentation,
            "backbone": self.backbone,
            "task": self.task,
            "writer": writer,
        }
        return {kind: plugin for kind, plugin in found.items() if plugin is not None}

    @property
    def hw(self) -> tuple[int, int]:
        """The size that predicts, the last stage's, as (height, width)."""
        return self.stage_hw(self.stages[-1])

    def stage_hw(self, stage: Stage) -> tuple[int, int]:
        """The size of a stage as (height, width)."""
        return as_hw(stage.size or self.size)

    def size_of(self, number: int) -> tuple[int, int]:
        """The size of stage `number` (from 1) as (height, width)."""
        return self.stage_hw(self.stages[number - 1])

    @property
    def decode_hw(self) -> tuple[int, int]:
        """The (height, width) that pictures are decoded for: the largest of any stage, at least."""
        sizes = [self.stage_hw(stage) for stage in self.stages]
        sizes += [as_hw(self.largest)] if self.largest is not None else []
        return max(h for h, _ in sizes), max(w for _, w in sizes)

    @property
    def kept(self) -> str:
        """The file of the weights that predict, in the run's folder."""
        return f"{self.keep}.safetensors"

    def text(self) -> str:
        """The whole recipe as YAML, defaults included; `parse` gives the same recipe back."""
        return document.dump(self.model_dump(mode="json"))

    def save(self, path: Path | str) -> Path:
        """Write `text` to a file, over an older one; `read` gives the same recipe back.

        Returns:
            The file's path.

        Raises:
            StorageError: when it cannot be written.
        """
        path = Path(path)
        write(path, self.text())
        return path


def as_hw(size: int | tuple[int, int]) -> tuple[int, int]:
    """A size as (height, width)."""
    return (size, size) if isinstance(size, int) else size


def make(values: Mapping[str, Any]) -> Recipe:
    """A recipe from Python values.

    Raises:
        RecipeError: with every mistake at once.
    """
    if not isinstance(values, Mapping):
        raise RecipeError(f"A recipe is a mapping, found {type(values).__name__}", do=_LEAST)
    return _check(values, "The recipe", lambda mistake: mistake.place)


def make_stage(values: Mapping[str, Any]) -> Stage:
    """A stage from Python values.

    Raises:
        RecipeError: with every mistake at once.
    """
    try:
        return Stage.model_validate(dict(values))
    except ValidationError as error:
        mistakes = [f"{m.place}: {m.text}" for m in explain(error, Stage, values)]
        raise RecipeError(
            f"A stage cannot be so: {'; '.join(mistakes)}", do="Nothing was changed"
        ) from error


def read(path: Path | str, changes: Sequence[str] = ()) -> Recipe:
    """A recipe from a YAML file.

    Args:
        path: the file; its stem is the recipe's name unless it has one.
        changes: `key.key=value` strings that replace values of the file.

    Raises:
        RecipeError: with every mistake at once, each with its line.
    """
    path = Path(path)
    if path.is_dir():
        raise RecipeError(f"{path} is a folder, not a recipe", do=_instead_of(path))
    if not path.parent.is_dir():
        from kitbox.sources.folder import beside as neighbours

        raise RecipeError(
            f"There is no recipe at {path}: there is no folder {path.parent}",
            do=neighbours(path.parent.absolute()),
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        beside = sorted(p.name for p in path.parent.glob("*.y*ml"))
        raise RecipeError(
            f"There is no recipe at {path}",
            do=f"Recipes beside it: {some(beside, most=10)}" if beside else "Check the path",
        ) from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"The recipe {path} is not UTF-8 text", do="Save it as UTF-8") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RecipeError(f"The recipe {path} cannot be read: {reason}", do="Check it") from error
    return parse(text, path, changes)


def _instead_of(folder: Path) -> str:
    """What to do where a folder was given as a recipe's file."""
    from kitbox.sources.meant import meant

    if (folder / "recipe.yaml").is_file():
        return f"Give the recipe in it: {folder / 'recipe.yaml'}"
    return f"Give a recipe's file. {meant(str(folder))}"


def parse(text: str, path: Path, changes: Sequence[str] = ()) -> Recipe:
    """A recipe from YAML text; `path` names it in messages."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        doubled = document.doubled(node)
        values = yaml.safe_load(text)
    # Also a date of month 13 (ValueError), and brackets a thousand deep.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"{path} is not YAML", mistakes=[document.not_yaml(error)]) from error
    if not isinstance(values, dict):
        kind = {type(None): "nothing", list: "a list"}.get(type(values), f"the value {values!r}")
        raise RecipeError(f"{path} is no recipe: it holds {kind}, expected a mapping", do=_LEAST)
    given = copy.deepcopy(values)
    for change in changes:
        document.change(values, change, _default)
    # A file may be called anything; a run's folder may not.
    values.setdefault("name", re.sub(r"[^\w.-]+", "-", path.stem).strip("-.") or "run")

    changed = [change.partition("=")[0].split(".") for change in changes]

    def say(mistake: Mistake) -> str:
        where = [str(step) for step in mistake.where]
        # What only a change has made, or has changed, comes from it.
        made = any(p[: len(where)] == where for p in changed) and not document.holds(
            given, mistake.where
        )
        if made or any(where[: len(path)] == path for path in changed):
            return f"--set {mistake.place}"
        line = document.line(node, mistake.where)
        return f"line {line}, {mistake.place}" if line else mistake.place

    return _check(values, str(path), say, doubled)


def schema() -> dict[str, Any]:
    """A JSON schema of recipes, with every installed plugin's options, for editors."""
    whole = Recipe.model_json_schema()
    definitions = whole.setdefault("$defs", {})
    allowed = [p for kind in registry.KINDS.values() for p in kind.plugins() if p.allowed]
    usable = states.usable(allowed)
    for kind, plugins in registry.KINDS.items():
        members: list[dict[str, Any]] = []
        names: list[str] = []  # of plugins that a bare name is enough for
        bare = [plugin.name for plugin in allowed if plugin.kind == kind]
        for plugin in (plugin for plugin in usable if plugin.kind == kind):
            prefix = f"{kind}-{plugin.package}-{plugin.name}-"
            try:
                cls = plugins.load(plugin.full_name)
                options = cls.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
            except (Exception, SystemExit):  # noqa: BLE001  a broken plugin must not take the schema down
                continue
            for name, definition in options.pop("$defs", {}).items():
                definitions[prefix + name] = definition
            own = [plugin.full_name] if bare.count(plugin.name) > 1 else []
            own = own or [plugin.name, plugin.full_name]
            options["properties"] = {"use": {"enum": own}, **options.get("properties", {})}
            options["required"] = ["use", *options.get("required", [])]
            members.append(options)
            if options["required"] == ["use"]:
                names += own
        definitions[kind] = {"anyOf": [*members, *([{"enum": names}] if names else [])]}
    _refer(whole)
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    whole["title"] = "kitbox recipe"
    return whole


def _refer(schema: Any) -> None:
    """Replace the marks of plugins by references to their definitions."""
    if isinstance(schema, dict):
        if kind := schema.pop(PLUGIN, None):
            schema["$ref"] = f"#/$defs/{kind}"
        for value in schema.values():
            _refer(value)
    elif isinstance(schema, list):
        for value in schema:
            _refer(value)


_LEAST = "Name at least a source, a labeler and a task"


def _check(
    values: Mapping[str, Any],
    what: str,
    say: Callable[[Mistake], str],
    doubled: Sequence[str] = (),
) -> Recipe:
    states.refuse_unsound()
    mistakes = list(doubled)
    try:
        recipe = Recipe.model_validate(dict(values))
    except ValidationError as error:
        mistakes += [f"{say(m)}: {m.text}" for m in explain(error, Recipe, values)]
    if mistakes:
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise RecipeError(
            f"{what} has {count}", mistakes=mistakes, do="Nothing was fetched or written"
        )
    return recipe


def _default(key: str) -> Any:
    """The default of a recipe's key as a file would have it, so that a part can be changed."""
    field = Recipe.model_fields.get(key)
    default = None if field is None or field.is_required() else field.get_default()
    if isinstance(default, tuple):
        return [stage.model_dump(mode="json", exclude_unset=True) for stage in default]
    return default
