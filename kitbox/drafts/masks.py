"""Guesses about masks: how run lengths are counted, and what pixel values mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kitbox.data import images
from kitbox.drafts.survey import Survey
from kitbox.errors import KitboxError, some
from kitbox.joined_keys import says_joined
from kitbox.labelers.run_lengths import EMPTY
from kitbox.runs import Order, Runs, spans
from kitbox.writers.shape import TOKENS

if TYPE_CHECKING:
    import pandas as pd

    from kitbox.drafts.goal import Goal
    from kitbox.drafts.labels import Known

ORDERS: tuple[Order, ...] = ("columns", "rows")
VOIDS = ("void", "unlabelled", "unlabeled", "ignore", "ignored", "don't care", "unknown")
"""What classes are called that are none."""
TRIED = 12
"""Masks that are decoded both ways."""


def guess(survey: Survey, known: Known, goal: Goal, task: str, writer: str) -> None:
    """Add to a goal: the task and the writer of masks."""
    goal.task = {"use": task}
    options: dict[str, Any] = {}
    if known.file:
        options = _counting(survey, known, goal)
        goal.labels |= options
    else:
        rows = _values(survey, known, goal)
        if rows is not None and (order := _compared(survey, rows)) is not None:
            goal.writer_why.append(f"run lengths in {order[1]} count along the {order[0]}")
            options = {"order": order[0]} if order[0] == "rows" else {}
        else:
            goal.unknown.append(
                "whether run lengths count down the columns (the default) or along the rows: "
                "`order: rows` of the writer"
            )
    asked = survey.asked
    if asked is None:
        return
    tokens = {str(cell).strip() for cell in asked.iloc[:, -1]} & {*TOKENS}
    chosen = {"use": writer, **options}
    if tokens:
        (chosen["empty"],) = tokens if len(tokens) == 1 else (sorted(tokens)[0],)
        goal.writer_why.append(f"an empty mask is {chosen['empty']!r}, as in the sample")
    joined = len(asked.columns) > 2 or says_joined(str(asked.columns[0]))
    if known.repeats and not joined and not options.get("relative"):
        chosen["keys"] = "instances"
        goal.writer_why.append(
            f"{known.file} has several rows of one picture: a row per connected piece. One row a "
            "picture: `keys: plain`"
        )
    if len(chosen) > 1:
        goal.writer = chosen


def _counting(survey: Survey, known: Known, goal: Goal) -> dict[str, Any]:
    """Options of run lengths, for labeler and writer alike: found out on some masks."""
    filled = [cell for cell in known.cells[known.columns[0]] if cell not in EMPTY]
    options: dict[str, Any] = {}
    if _broken(filled, relative=False) > _broken(filled, relative=True):
        options["relative"] = True
        goal.why.append("starts count from the end of the run before: else runs would overlap")
    elif any(spans(cell)[0][:1].tolist() == [-1] for cell in filled if _sound(cell)):
        options["base"] = 0
        goal.why.append("the first pixel is 0, as some runs start there")
    found = _order(survey, known, options)
    if found == "rows":
        options["order"] = "rows"
        goal.why.append("run lengths count along the rows: so decoded, masks are smoother")
    elif found == "columns":
        goal.why.append("run lengths count down the columns: so decoded, masks are smoother")
    else:
        goal.unknown.append(
            "whether run lengths count down the columns (the default) or along the rows: "
            "`order: rows` of labeler and writer"
        )
    absent = _absent(survey, known)
    if absent:
        goal.labels["absent"] = "empty"
        goal.why.append(f"{absent} pictures have no row: their masks are empty")
    return options


def _order(survey: Survey, known: Known, options: dict[str, Any]) -> Order | None:
    """In which order masks are smoother: with fewer steps from pixel to pixel."""
    from kitbox.labelers.masks import MaskLabels

    votes: dict[Order, int] = dict.fromkeys(ORDERS, 0)
    labeler = {k: v for k, v in known.labeler.items() if k != "use"}
    try:
        rows = MaskLabels(**labeler, **options).label(survey.folder).rows
    except KitboxError:
        return None
    target = [name for name in rows.columns if name not in ("id", "image", "part")]
    tried = 0
    for row in rows.to_dict("records"):
        texts = [str(row[name]).partition(" ")[2] for name in target]
        if not any(texts) or tried >= TRIED:
            continue
        try:
            height, width = images.size(survey.folder / str(row["image"]))
            steps = {
                order: sum(_steps(text, height, width, order) for text in texts) for order in votes
            }
        except (KitboxError, ValueError):
            continue
        tried += 1
        if steps["columns"] != steps["rows"]:
            votes[min(steps, key=lambda order: steps[order])] += 1
    if votes["columns"] == votes["rows"]:
        return None
    return max(votes, key=lambda order: votes[order])


def _steps(text: str, height: int, width: int, order: Order) -> int:
    """Between how many neighbouring pixels a mask changes."""
    mask = Runs.decode(text, height, width, order).mask()
    return int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())


def _broken(filled: Sequence[str], *, relative: bool) -> int:
    """How many cells do not decode."""
    count = 0
    for cell in filled[:1000]:
        try:
            spans(cell, 0, relative)
        except ValueError:
            count += 1
    return count


def _sound(cell: str) -> bool:
    try:
        spans(cell, 0)
    except ValueError:
        return False
    return True


def _absent(survey: Survey, known: Known) -> int:
    """Pictures beside the labelled ones that have no row, where the table has no empty masks."""
    folder = known.labeler.get("images")
    given = known.cells[known.columns[0]]
    if folder is None or any(cell in EMPTY for cell in given):
        return 0
    named = {*map(str, survey.table(known.file)[known.labeler["id"]])}
    start = f"{folder}/" if folder else ""
    below = [path for path in survey.pictures if path.rpartition("/")[0] + "/" == start]
    names = [path.rpartition("/")[2] for path in below]
    keys = {key for one in named for key in (one, one.rpartition("_")[0])}
    return sum(name not in keys and name.rpartition(".")[0] not in keys for name in names)


def _compared(survey: Survey, rows: pd.DataFrame) -> tuple[str, str] | None:
    """The order in which a csv's run lengths are the masks that lie there as files, and the csv."""
    from kitbox.data import masks

    files = dict(zip(rows["id"].map(str), rows["mask"].map(str), strict=True))
    for name, csv in survey.csvs.items():
        if name in survey.samples or len(csv.columns) != 2:
            continue
        for key, cell in survey.table(name).dropna().map(str).itertuples(index=False):
            if key not in files:
                break
            try:
                shown = masks.read(survey.folder / files[key], files[key]) > 0
                height, width = shown.shape
                ways = {
                    order: (Runs.decode(cell, height, width, order).mask() == shown).mean()
                    for order in ORDERS
                }
            except (KitboxError, ValueError):
                break
            if ways["columns"] != ways["rows"]:
                return max(ways, key=lambda order: ways[order]), name
    return None


def _values(survey: Survey, known: Known, goal: Goal) -> pd.DataFrame | None:
    """What the pixel values of mask files mean; the labelled rows, where they can be read."""
    from kitbox.labelers.masks import MaskLabels
    from kitbox.tasks import mask_columns
    from kitbox.tasks.codes import read_names

    assert goal.task is not None
    labeler = {k: v for k, v in known.labeler.items() if k != "use"}
    codes = [p for p in survey.files if p.lower().endswith("codes.txt") or p == "classes.txt"]
    try:
        rows = MaskLabels(**labeler).label(survey.folder).rows
        if codes:
            goal.task["codes"] = codes[0]
            goal.why.append(f"{codes[0]} names the pixel values, a line each from 0 on")
            names = read_names(survey.folder, codes[0])
            void = [name for name in names if name.lower() in VOIDS]
            if len(void) == 1 and not _asks_for(survey, void[0]):
                goal.task["void"] = void[0]
                goal.why.append(f"'{void[0]}' is not counted, by its name; else leave `void` out")
            return rows
        found = mask_columns.shown(rows["mask"], survey.folder)
    except KitboxError as error:
        goal.unknown.append(f"what the masks mean: {error.wrong}")
        return None
    if len(found) == 2:
        goal.task["values"] = {found[0]: "background", found[1]: "object"}
        goal.why.append(f"masks hold {found[0]} and {found[1]}; the names are made up")
    else:
        goal.task["values"] = {value: f"class_{value}" for value in found}
        goal.why.append(f"masks hold {some(found, 12)}; the names are made up")
        goal.unknown.append("how the classes of the masks are called (`values` of the task)")
    return rows


def _asks_for(survey: Survey, name: str) -> bool:
    """Whether a key or a column of the sample ends in a class's name."""
    asked = survey.asked
    if asked is None:
        return False
    keys = [*map(str, asked.columns), *(str(key) for column in asked for key in asked[column])]
    return any(key.lower().endswith(name.lower()) for key in keys)
