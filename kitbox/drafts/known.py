"""What a competition's folder knows about its labelled pictures: which labeler reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kitbox.data import coordinates
from kitbox.drafts import finding
from kitbox.drafts.labels import Known, labelled, stem
from kitbox.drafts.offers import offered
from kitbox.drafts.survey import Survey
from kitbox.drafts.tableless import in_folders, in_json, in_masks, in_names
from kitbox.errors import some
from kitbox.joined_keys import by_product, says_joined
from kitbox.labelers import guess
from kitbox.labelers.run_lengths import EMPTY
from kitbox.writers.shape import is_pairs

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("patient", "subject", "person", "individual", "slide", "hospital_id", "family")
"""What names of columns say that several pictures share: a split must not part them."""


def learn(survey: Survey) -> Known | None:
    """What the labels are and where, or None where it cannot be told."""
    for look in (_in_table, in_json, in_masks, in_folders, in_names):
        if (found := look(survey)) is not None:
            return found
    return None


def _in_table(survey: Survey) -> Known | None:
    """The csv file that knows most pictures and most of the sample's columns."""
    wanted = set() if survey.asked is None else {_plain(c) for c in survey.asked.columns[1:]}
    paths, found = labelled(survey), []
    for name, csv in survey.csvs.items():
        last = name.rpartition("/")[2].lower()
        if name in survey.samples or name == survey.lookup or last.startswith("test"):
            continue
        table = survey.table(name)
        if len(table) < 2 or (key := _key(survey, table, paths)) is None:
            continue
        column, ids, way = key
        others = [one for one in csv.columns if one != column]
        shared = sum(_plain(one) in wanted for one in others)
        runs = _runs_column(table, others) is not None
        known = last in guess.CSVS or last.startswith("train")
        rank = (shared > 0, runs, known, shared, way.share, len(table))
        found.append((rank, name, column, ids, way))
    if not found:
        return None
    _, name, column, ids, way = max(found, key=lambda one: one[0])
    return _of_table(survey, name, column, ids, way)


def _key(
    survey: Survey, table: pd.DataFrame, paths: Sequence[str]
) -> tuple[str, list[str], finding.Way] | None:
    """The column that names pictures, the picture of each row, and how it is found."""
    asked = None if survey.asked is None else str(survey.asked.columns[0])
    best: tuple[tuple[float, bool, bool], str, list[str], finding.Way] | None = None
    for place, column in enumerate(table.columns):
        cells = [str(cell) for cell in table[column].dropna()]
        if not cells:
            continue
        way, ids = finding.find(cells, paths), cells
        if way.share < 0.5 and says_joined(column) and (parted := by_product(cells, None, column)):
            ids = list(parted.pictures)
            way = finding.find(ids, paths)
        rank = (round(way.share, 1), column == asked, place == 0)
        if way.share >= 0.5 and (best is None or rank > best[0]):
            best = (rank, column, ids, way)
    return None if best is None else best[1:]


def _of_table(
    survey: Survey, name: str, column: str, ids: Sequence[str], way: finding.Way
) -> Known:
    table = survey.table(name)
    others = [one for one in table.columns if one != column]
    why = [*way.why]
    group = next((one for one in others if _says_group(one, table)), None)
    known = Known({}, file=name, share=way.share, group=group)
    if (runs := _runs_column(table, others)) is not None:
        return _of_runs(known, table, column, runs, way)
    pairs, left = coordinates.pair(others)
    if len(pairs) > 1 and 2 * len(pairs) >= len(others) / 2:
        told = f"{len(pairs)} points, from the columns that are named in pairs"
        cells = {one: _cells(table[one]) for pair in pairs for one in pair}
        labeler = {"use": offered("labeler", "places"), "csv": name, "id": column, **way.options}
        if group is None and left:
            group = next((one for one in left if _says_group(one, table)), None)
        return replace(
            known, labeler=labeler, why=(told, *why), columns=tuple(cells), cells=cells, group=group
        )
    columns, told = _label_columns(survey, table, others)
    if not columns:
        return replace(
            known, labeler={"use": offered("labeler", "table"), "csv": name, "id": column}
        )
    if len(columns) == 1 and (inside := _class_folders(survey, table, column, columns[0])):
        why = [f"each picture lies in a folder that {name} calls its '{columns[0]}'"]
        cells = {columns[0]: _cells(table[columns[0]])}
        labeler = {"use": offered("labeler", "folders"), "path": inside}
        return replace(
            known, labeler=labeler, why=tuple(why), columns=tuple(columns), cells=cells, group=None
        )
    labels: Any = columns[0] if len(columns) == 1 else columns
    labeler = {"use": offered("labeler", "table"), "csv": name, "id": column, "labels": labels}
    labeler |= way.options
    if table[column].duplicated().any():
        numeric = all(_is_number(cell) for one in columns for cell in _cells(table[one]) if cell)
        labeler["rows"] = "mean" if numeric else "labels"
        why.append(
            "several rows a picture: the mean of their numbers is learned"
            if numeric
            else "several rows a picture: each is one of its labels"
        )
    cells = {one: _cells(table[one]) for one in columns}
    return replace(known, labeler=labeler, why=(told, *why), columns=tuple(columns), cells=cells)


def _of_runs(known: Known, table: pd.DataFrame, column: str, runs: str, way: finding.Way) -> Known:
    """Masks from a csv file of run lengths."""
    names = [one for one in table.columns if one not in (column, runs)]
    of_class = [one for one in names if re.search("class|label|category", one, re.IGNORECASE)]
    options = dict(way.options)
    if "folder" in options:
        options["images"] = options.pop("folder")
    labeler = {"use": offered("labeler", "areas"), "csv": known.file, "id": column, "runs": runs}
    if len(of_class) == 1:
        labeler["classes"] = of_class[0]
    labeler |= options
    filled = table[~_empty(table[runs])]
    keys = filled[[column, *of_class[:1]]]
    return replace(
        known,
        labeler=labeler,
        why=(f"masks are run lengths in '{runs}'", *way.why),
        columns=(runs,),
        cells={runs: _cells(table[runs])},
        runs=True,
        repeats=bool(keys.duplicated().any()),
    )


def _label_columns(
    survey: Survey, table: pd.DataFrame, others: Sequence[str]
) -> tuple[list[str], str]:
    """The columns of the labels, and why them."""
    by_name = {_plain(one): one for one in others}
    if survey.asked is not None:
        wanted = [str(name) for name in survey.asked.columns[1:]]
        shared = [by_name[_plain(name)] for name in wanted if _plain(name) in by_name]
        if shared:
            told = some(map(repr, shared))
            return shared, f"{told}: the sample submission has columns of that name"
        if len(wanted) > 1:
            for one in others:
                if {*wanted} <= {*map(str, table[one])} or {*map(str, table[one].dropna())} <= {
                    *wanted
                }:
                    return [one], f"'{one}' holds what the sample submission's columns are called"
    if (label := guess.label_column(others)) is not None:
        return [label], f"'{label}' is the only column left, or sounds like it"
    return [], ""


def _class_folders(survey: Survey, table: pd.DataFrame, column: str, label: str) -> str:
    """The folder of class folders, where each picture of a table lies in one; '' if not."""
    if survey.asked is not None and len(survey.asked.columns) != 2:
        return ""
    by_name: dict[str, list[str]] = {}
    for path in labelled(survey):
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
        by_name.setdefault(stem(path), []).append(path)
    tops = set()
    for one, of in zip(table[column], table[label], strict=True):
        found = [p for p in by_name.get(str(one), ()) if p.split("/")[-2:-1] == [str(of)]]
        if len(set(found)) != 1:
            return ""
        tops.add(found[0].rpartition("/")[0].rpartition("/")[0])
    return tops.pop() if len(tops) == 1 else ""


def _runs_column(table: pd.DataFrame, others: Sequence[str]) -> str | None:
    """The column of run lengths: pairs of numbers, at least in most cells that are filled."""
    for one in others:
        filled = table[one][~_empty(table[one])].map(str)
        long = filled[filled.str.count(" ") >= 3]
        if len(long) and 2 * len(long) >= len(filled) and filled.head(200).map(is_pairs).all():
            return one
    return None


def _empty(column: pd.Series) -> pd.Series:
    return column.isna() | column.map(str).isin(EMPTY)


def _says_group(column: str, table: pd.DataFrame) -> bool:
    """Whether several pictures share a value, of a patient say."""
    said = any(word in column.lower() for word in GROUPS)
    return said and bool(table[column].duplicated().any()) and table[column].nunique() > 1


def _cells(column: pd.Series) -> list[str]:
    return ["" if cell != cell else str(cell) for cell in column]  # noqa: PLR0124


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _plain(name: object) -> str:
    return re.sub(r"[\W_]+", "", str(name).lower())
