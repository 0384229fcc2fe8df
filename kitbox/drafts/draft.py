"""A draft recipe: what was seen and guessed of a competition, put together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kitbox import registry
from kitbox.data import images, matching
from kitbox.drafts import finding, goal, known
from kitbox.drafts.offers import offered
from kitbox.drafts.survey import Survey, says_mask, says_test
from kitbox.errors import KitboxError, some
from kitbox.joined_keys import says_joined
from kitbox.writers import sample as samples

SPLITTER = "group"
"""The built-in splitter that keeps groups together."""
WIDTH = 96
"""Of a line of comments."""
LARGE, STEP = 224, 32
"""The largest size that is guessed, and what sizes are multiples of."""


@dataclass
class Draft:
    """A recipe in the making.

    Attributes:
        values: the recipe.
        why: comments by key.
        unknown: what could not be guessed, a sentence each.
    """

    values: dict[str, Any] = field(default_factory=dict)
    why: dict[str, list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def set(self, key: str, value: Any, why: Sequence[str] = ()) -> None:
        """Add a part of the recipe."""
        self.values[key] = value
        self.why[key] = list(why)

    def text(self, title: str) -> str:
        """The recipe as YAML, its guesses and what is open in comments."""
        lines = [
            f"# {title}",
            "# Written by `kitbox init competition`: guesses, to be looked over.",
        ]
        if self.unknown:
            lines.append("# Not known:")
            lines += [line for one in self.unknown for line in _comment(one, "- ")]
        for key, value in self.values.items():
            lines += [line for one in self.why[key] for line in _comment(one)]
            lines += _written(key, value)
        return "\n".join(lines) + "\n"


def make(survey: Survey, source: Mapping[str, Any]) -> Draft:
    """The draft of a recipe for the files of a competition."""
    draft = Draft()
    draft.set("source", dict(source))
    found = known.learn(survey)
    if found is None:
        draft.set("labeler", {"use": offered("labeler", "folders")}, ["not guessed"])
        draft.unknown.append(
            f"where the labels are: there are {some(survey.csvs, 4) or 'no csv files'}, and "
            f"pictures in {survey.tops()}. Set the labeler and the task"
        )
        draft.set("task", {"use": offered("task", "classes")}, ["not guessed"])
        wanted = goal.Goal()
    else:
        wanted = goal.guess(survey, found)
        draft.set("labeler", found.labeler | wanted.labels, found.why)
        if found.share < 0.95:
            draft.unknown.append(f"where {1 - found.share:.0%} of the labelled pictures are")
    test, why = _test(survey, wanted, (found.labeler if found else {}).get("match"))
    if test:
        draft.set("test", test, why)
    if found is not None:
        if found.group is not None:
            told = f"pictures of the same '{found.group}' stay together: else scores would flatter"
            draft.set("split", {"use": SPLITTER, "by": found.group}, [told])
        task = wanted.task or {"use": offered("task", "classes")}
        draft.set("task", task, [*wanted.why, *_scores(task)])
    draft.set(
        "backbone",
        {"use": "timm", "name": "resnet34"},
        ["any timm model; a larger one scores better and takes longer"],
    )
    if wanted.augmentation is not None:
        draft.set("augmentation", wanted.augmentation, [wanted.augmentation_why])
    side, told = _size(survey)
    draft.set("size", side, [told])
    _submission(survey, wanted, draft)
    draft.unknown += [*wanted.unknown, *survey.unread]
    return draft


def _scores(task: Mapping[str, Any]) -> list[str]:
    """How a task is scored, which no file of a competition says."""
    try:
        metrics = getattr(registry.tasks.build(dict(task)), "metrics", ())
    except KitboxError:  # something is open: the draft says so
        return []
    names = [one if isinstance(one, str) else one["use"] for one in metrics]
    if not names:
        return []
    more = f"; the first, {names[0]}, chooses the weights" if len(names) > 1 else ""
    return [
        f"scored by {some(names)}{more}. That is a guess: `metrics` takes the competition's own, "
        "which its page tells"
    ]


def _test(
    survey: Survey, wanted: goal.Goal, pattern: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Where the pictures to predict are; `pattern` finds the ids of the labelled ones."""
    paths = [p for p in survey.pictures if says_test(p) and not says_mask(p)]
    ids = _ids(survey)
    if pattern is not None and (found := _alike(pattern, paths, ids)):
        return found, ["as the labelled ones"]
    way = finding.find(ids, paths or survey.pictures)
    if way.share >= 0.5:
        folder = way.options.get("folder")
        if folder is not None and not paths:
            return {"folder": folder}, ["labelled and other pictures lie together", *way.why]
        options = dict(way.options)
        if "match" in options:
            options["folder"] = options["match"][1:].partition("/")[0]
            if options["folder"] not in {p.partition("/")[0] for p in survey.pictures}:
                del options["folder"]
        return options, list(way.why)
    if (listed := _listed(survey, ids)) is not None:
        return listed
    folders = sorted({p.rpartition("/")[0] for p in paths}, key=lambda f: (f.count("/"), f))
    if not ids and folders:
        return {"folder": folders[0].partition("/")[0] if len(folders) > 1 else folders[0]}, [
            "the sample has no rows: those of the pictures there"
        ]
    wanted.unknown.append(
        "where the pictures to predict are (`test`): "
        + (f"no file is called after {some(ids, 2)}" if ids else "no folder is called test")
    )
    return {}, []


def _alike(pattern: str, paths: Sequence[str], ids: Sequence[str]) -> dict[str, Any]:
    """The test pictures by the pattern of the labelled ones; {} where it does not fit."""
    for top in sorted({path.partition("/")[0] for path in paths}):
        own = f"^{re.escape(top)}/{pattern.partition('/')[2]}"
        found = matching.keys(own, paths)
        if found and (not ids or 2 * sum(one in found for one in ids) >= len(ids)):
            return {"folder": top, "match": own}
    return {}


def _listed(survey: Survey, ids: Sequence[str]) -> tuple[dict[str, Any], list[str]] | None:
    """A file that says which picture an id is."""
    from kitbox.data import named

    for path in survey.files:
        if not path.lower().endswith((".json", ".csv")) or path in survey.samples:
            continue
        try:
            names = named.read(survey.folder, path)
        except KitboxError:
            continue
        if names and 2 * sum(one in names for one in ids) >= len(ids) > 0:
            tests = {p.partition("/")[0] for p in survey.pictures if says_test(p)}
            folder = {"folder": tests.pop()} if len(tests) == 1 else {}
            return {**folder, "names": path}, [f"{path} says which picture an id is"]
    return None


def _ids(survey: Survey) -> list[str]:
    """The pictures that the sample asks for."""
    asked = survey.asked
    if asked is None or not len(asked):
        return []
    keys = [str(key) for key in asked.iloc[:, 0]]
    if survey.lookup is not None:
        columns = survey.csvs[survey.lookup].columns
        named = [c for c in columns if re.search("image|picture|file", c, re.IGNORECASE)]
        return [str(one) for one in survey.table(survey.lookup)[named[0]]] if named else []
    if says_joined(str(asked.columns[0])):
        return [key.rpartition("_")[0] or key for key in keys]
    return keys


def _size(survey: Survey) -> tuple[int, str]:
    """The side that the network sees."""
    few = [p for p in survey.pictures if not says_mask(p)]
    sides = []
    for path in few[:: max(1, len(few) // 15)][:15]:
        try:
            sides.append(max(images.size(survey.folder / path)))
        except KitboxError:
            continue
    if not sides:
        return LARGE, "pixels"
    usual = sorted(sides)[len(sides) // 2]
    side = min(LARGE, max(2 * STEP, -(-usual // STEP) * STEP))
    return side, f"pixels; the pictures themselves have {usual} or so"


def _submission(survey: Survey, wanted: goal.Goal, draft: Draft) -> None:
    """The submission's part of the recipe."""
    if survey.sample is None:
        draft.set("submission", {}, ["no sample submission was found"])
        draft.unknown.append("what the submission should look like: there is no sample of it")
        return
    value: dict[str, Any] = {"sample": survey.sample}
    why = []
    assert survey.asked is not None
    if len(survey.samples) > 1:
        why.append(f"there are others: {some(survey.samples[1:])}")
    if wanted.writer is not None:
        value["writer"] = wanted.writer
        why += wanted.writer_why
    else:
        why.append(
            f"'{samples.key(survey.asked)}' and {len(survey.asked.columns) - 1} more columns, "
            f"{len(survey.asked)} rows"
        )
        one_class = draft.values["task"]["use"] == offered("task", "classes")
        if one_class and len(survey.asked.columns) > 2:
            why.append("a probability for each class; those of a picture sum to 1")
    draft.set("submission", value, why)


def _comment(text: str, mark: str = "") -> list[str]:
    """A sentence as comments, wrapped."""
    import textwrap

    return textwrap.wrap(
        mark + text,
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# " + " " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _written(key: str, value: Any) -> list[str]:
    """A key of the recipe, in one line where it fits."""
    flow = _flow({key: value})[1:-1]
    if len(flow) <= WIDTH or not isinstance(value, dict):
        return [flow]
    lines = [f"{key}:"]
    lines += [f"  {_flow({name: one})[1:-1]}" for name, one in value.items()]
    return lines


def _flow(value: Any) -> str:
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    )
    return text.strip()


def name_of(folder: Path) -> str:
    """A recipe's name, after the folder."""
    return re.sub(r"[^\w.-]+", "-", folder.name).strip("-.") or "competition"
