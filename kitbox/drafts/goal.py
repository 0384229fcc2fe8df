"""What a competition asks for: the task and the writer that fit its labels and its sample."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kitbox import cells
from kitbox.classes import in_order
from kitbox.data import coordinates
from kitbox.drafts import masks
from kitbox.drafts.labels import Known
from kitbox.drafts.offers import offered
from kitbox.drafts.survey import Survey
from kitbox.errors import some
from kitbox.joined_keys import says_joined
from kitbox.writers import separators

if TYPE_CHECKING:
    import pandas as pd

WRITERS = {"value": "scalar", "list": "joined", "masks": "rle", "lookup": "lookup", "wide": "wide"}
"""The built-in writer of each shape, where the task's own choice needs options."""
AUGMENTATION = "standard"
"""The built-in augmentation that mirrors."""
GRADES = ("diagnosis", "grade", "level", "severity", "stage", "score", "rating", "quality")
"""What names of columns say that hold grades in order, not classes."""
CLASSES = ("class", "label", "categ", "target", "species", "breed", "type", "kind", "digit")
"""What names of columns say that hold classes, also where these are numbers."""
MANY = 30
"""Different whole numbers from which on they are taken for amounts, not classes."""


@dataclass
class Goal:
    """A task and a writer, as a recipe names them, with comments.

    Attributes:
        task, writer: None where it is not known, or the task's own choice is right.
        why: comments on the task; writer_why: on the writer.
        labels: options to add to the labeler.
        augmentation: where the standard one does not suit.
        unknown: what could not be guessed, a sentence each.
    """

    task: dict[str, Any] | None = None
    writer: dict[str, Any] | None = None
    why: list[str] = field(default_factory=list)
    writer_why: list[str] = field(default_factory=list)
    labels: dict[str, Any] = field(default_factory=dict)
    augmentation: dict[str, Any] | None = None
    augmentation_why: str = ""
    unknown: list[str] = field(default_factory=list)


def guess(survey: Survey, known: Known) -> Goal:
    """The goal of a competition, by its labels and its sample submission."""
    goal = Goal()
    if known.runs:
        masks.guess(survey, known, goal, offered("task", "areas"), WRITERS["masks"])
    elif len(known.columns) > 1:
        _columns(survey, known, goal)
    elif known.columns:
        _column(survey, known, goal)
    else:
        goal.unknown.append(
            f"which column of {known.file} has the labels: set `labels` of the labeler and the task"
        )
    if survey.lookup is not None:
        _look_up(survey, goal)
    if survey.asked is not None and says_joined(survey.asked.columns[0]) and not known.runs:
        _join(survey, known, goal)
    return goal


def _columns(survey: Survey, known: Known, goal: Goal) -> None:
    """Labels in several columns: points, tags or numbers."""
    pairs, left = coordinates.pair(known.columns)
    flat = {cell for column in known.cells.values() for cell in column} - {""}
    if pairs and not left:
        goal.task = {"use": offered("task", "places")}
        goal.why.append(f"{len(pairs)} points a picture, in pixels")
        if sides := _sides([coordinates.point_name(pair) for pair in pairs]):
            goal.task["pairs"] = sides
            goal.why.append("left and right, by their names, change places in a mirror")
            return
        goal.augmentation = {"use": AUGMENTATION, "flip": 0}
        goal.augmentation_why = (
            "a mirrored left eye would keep its name; name the `pairs` of the task "
            "that change places, and leave this out"
        )
    elif flat <= {"0", "1", "0.0", "1.0"}:
        goal.task = {
            "use": offered("task", "tags"),
            "metrics": ["mean_average_precision", "f_beta"],
        }
        goal.why.append(
            f"{len(known.columns)} columns of 0 and 1: each is a label that is there or not"
        )
        goal.unknown.append("the competition's metric: see `metrics` of the task")
    else:
        goal.task = {"use": offered("task", "numbers")}
        goal.why.append(f"{len(known.columns)} columns of numbers")


def _sides(names: Sequence[str]) -> list[list[str]]:
    """Points that are left and right of each other, by name; [] where one has no other side."""
    other = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    swapped = {name: re.sub("|".join(other), lambda found: other[found[0]], name) for name in names}
    sided = {name: to for name, to in swapped.items() if to != name}
    if not all(to in names for to in sided.values()):
        return []
    return [[name, to] for name, to in sided.items() if "left" in name.lower()]


def _column(survey: Survey, known: Known, goal: Goal) -> None:
    """Labels in one column."""
    name, given = known.columns[0], known.cells[known.columns[0]]
    filled = [cell for cell in given if cell]
    kinds = {*filled}
    asked = survey.asked
    if (sign := _delimiter(filled)) is not None:
        words = separators.words(kinds, sign)
        goal.task = {"use": offered("task", "tags")}
        goal.why.append(
            f"cells of '{name}' hold several of {len(words)} labels, such as {filled[0]!r}"
        )
        goal.labels["delimiter"] = sign
        if lonely := [w for w in words if sum(w in c.split(sign) for c in filled) < 2]:
            goal.task["unlearnable"] = "keep"
            goal.why.append(f"labels of one picture alone ({some(lonely, 3)}) are kept")
        return
    kind = cells.judge(kinds)
    amounts = kind == "number" or (
        kind == "whole" and (len(kinds) > MANY or known.labeler.get("rows") == "mean")
    )
    if kind == "whole" and asked is not None and not _several(asked) > 1:
        amounts |= _has_amounts(asked)
    grades = any(word in name.lower() for word in GRADES) and kind == "whole"
    if amounts and not _several(asked) > 1:
        low, high = min(map(float, kinds)), max(map(float, kinds))
        goal.task = {
            "use": offered("task", "numbers"),
            "bounds": [math.floor(low), math.ceil(high)],
        }
        goal.why.append(f"'{name}' is a number; `bounds` are those of the labels")
        return
    classes = offered("task", "classes")
    if grades and 2 < len(kinds) <= MANY and kinds == {*map(str, range(len(kinds)))}:
        goal.task = {
            "use": offered("task", "numbers"),
            "bounds": [0, len(kinds) - 1],
            "metrics": ["quadratic_kappa", "mae"],
        }
        goal.why.append(
            f"'{name}' sounds like grades in order, from 0 to {len(kinds) - 1}: a number is "
            f"learned and rounded. Classes without an order: `task: {classes}`"
        )
        goal.writer = {"use": WRITERS["value"], "kind": "number", "round": True}
        return
    goal.task = {"use": classes}
    goal.why.append(
        f"a picture has one of {len(kinds)} classes, such as {some(in_order(kinds), 3)}"
    )
    named = any(word in name.lower() for word in CLASSES) or name.lower().endswith("id")
    if kind == "whole" and len(kinds) > 2 and not named and _several(asked) == 1:
        first, *_, last = in_order(kinds)
        goal.unknown.append(
            f"whether '{name}' counts or measures something: whole numbers from {first} to {last} "
            f"are taken for classes. Amounts: `task: {offered('task', 'numbers')}`"
        )
    if asked is not None and len(asked.columns) == 2:
        _one_value(asked, kinds, goal)


def _one_value(asked: pd.DataFrame, classes: set[str], goal: Goal) -> None:
    """What one cell of a submission holds of classes: the best ones, one of them, or P."""
    value = str(asked.columns[1])
    held = cells.filled(asked.iloc[:, 1])
    top = 1 if held and held <= classes else _several(asked)
    if top > 1:
        goal.writer = {"use": WRITERS["list"], "top": top}
        goal.writer_why.append(f"the sample has {top} labels a row: the best {top}, best first")
        return
    two = len(classes) == 2
    if two and (not held or cells.judge(held) in ("whole", "number")):
        positive = _positive(classes, value)
        goal.writer = {"use": WRITERS["value"], "kind": "probability", "positive": positive}
        goal.writer_why.append(
            f"'{value}' is one number a picture: the probability of '{positive}', as AUC and log "
            "loss want it; where accuracy or F1 want 0 or 1 add `threshold: 0.5`"
        )
        if held and cells.judge(held) == "whole":
            goal.unknown.append(
                f"whether '{value}' is a probability or 0 or 1: the sample's cells "
                f"({some(in_order(held), 2)}) can be both, and a probability is a guess "
                "(`threshold` of the writer)"
            )
        if not {*classes} <= {"0", "1"}:
            goal.unknown.append(
                f"which class '{value}' is the probability of: '{positive}' is a guess, the "
                f"other is '{next(iter(classes - {positive}))}' (`positive` of the writer)"
            )
        return
    numbers = cells.judge(classes) == "whole"
    if cells.judge(held) in ("text", "nothing") or numbers:
        goal.writer = {"use": WRITERS["value"], "kind": "class"}
        goal.writer_why.append("the class as the labels have it")
    else:
        goal.writer = {"use": WRITERS["value"], "kind": "index"}
        goal.unknown.append(
            "which number each class has: their places in alphabetical order are a guess "
            "(`classes` of the writer says otherwise)"
        )


def _look_up(survey: Survey, goal: Goal) -> None:
    """Rows that a table names."""
    assert survey.lookup is not None
    goal.writer = {"use": WRITERS["lookup"], "lookup": survey.lookup}
    goal.writer_why.append(f"{survey.lookup} says which picture and feature a row is")


def _join(survey: Survey, known: Known, goal: Goal) -> None:
    """Several rows a picture, whose keys begin with it."""
    assert survey.asked is not None
    wanted = [str(name) for name in survey.asked.columns[1:]]
    lost = [name for name in wanted if name not in known.columns]
    key = str(survey.asked.columns[0])
    goal.writer = {"use": WRITERS["wide"], "keys": "joined"}
    goal.writer_why.append(
        f"'{key}' is a picture and something else, and each row gets its picture's numbers"
    )
    if lost:
        held = {name: survey.asked[name].iloc[0] if len(survey.asked) else "0" for name in lost}
        goal.writer["fill"] = {
            name: float(cell) if cells.judge([cell]) in ("whole", "number") else 0.0
            for name, cell in held.items()
        }
        goal.unknown.append(
            f"what {some(lost)} should be: nothing in the labels is called so, and every row "
            "gets the sample's number (`fill` of the writer)"
        )


def _delimiter(filled: Sequence[str]) -> str | None:
    """What stands between several labels in cells; None where each cell is one label."""
    kinds = {*filled}
    for sign in (" ", ",", "|", ";"):
        several = [cell for cell in kinds if sign in cell]
        words = {word for cell in kinds for word in cell.split(sign)}
        if not several or "" in words or any(re.search(r"\d\.\d", cell) for cell in several):
            continue
        # Names of classes with spaces have more words than there are names.
        shared = sum(sum(word in cell.split(sign) for cell in kinds) > 1 for word in words)
        alone = sum(word in kinds for word in words)
        if cells.judge(words) == "whole" or 2 * max(shared, alone) >= len(words):
            return sign
    return None


def _has_amounts(asked: pd.DataFrame) -> bool:
    """Whether a sample's cells are decimals beyond 0 and 1."""
    held = cells.filled(str(cell) for name in asked.columns[1:] for cell in asked[name])
    return cells.judge(held) == "number" and any(not 0 <= float(cell) <= 1 for cell in held)


def _several(asked: pd.DataFrame | None) -> int:
    """How many words the cells of a sample with one value hold: 0 where that differs."""
    if asked is None or len(asked.columns) != 2 or not len(asked):
        return 0
    counts = {len(str(cell).split()) for cell in asked.iloc[:, 1]}
    return counts.pop() if len(counts) == 1 else 0


def _positive(classes: set[str], value: str) -> str:
    """Which of two classes a probability is of."""
    ordered = in_order(classes)
    yes = [
        one
        for one in ordered
        if one.lower() in ("1", "yes", "true", "positive", "pos", value.lower())
        or value.lower().endswith(f"_{one.lower()}")
    ]
    return yes[0] if len(yes) == 1 else ordered[-1]
