"""What a competition's folder knows about its labelled pictures: which labeler reads them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kitbox.data import coordinates, named
from kitbox.drafts import finding
from kitbox.drafts.survey import Survey, says_mask, says_test
from kitbox.errors import KitboxError, some
from kitbox.joined_keys import by_product, says_joined
from kitbox.labelers import guess
from kitbox.labelers.run_lengths import EMPTY
from kitbox.writers.shape import is_pairs

if TYPE_CHECKING:
    import pandas as pd

LABELERS = {
    "table": "table",
    "folders": "folder",
    "names": "filename",
    "points": "points",
    "masks": "masks",
    "coco": "coco",
}
"""The built-in labeler of each kind of labels."""
GROUPS = ("patient", "subject", "person", "individual", "slide", "hospital_id", "family")
"""What names of columns say that several pictures share: a split must not part them."""
_NUMBERED = re.compile(r"^(.*?)[._ -]*\d+$")


@dataclass(frozen=True)
class Known:
    """Where labels come from.

    Attributes:
        labeler: as the recipe names it.
        why: comments on it.
        file: the table, '' where there is none.
        columns: of the labels.
        cells: of the labels by column, str, '' where missing; a label a picture.
        share: of the table's pictures, how many are found.
        group: a column whose rows belong together.
        runs: labels are masks.
        repeats: pictures have several rows of the same class in a table of run lengths.
        folders: of the labelled pictures.
    """

    labeler: dict[str, Any]
    why: tuple[str, ...] = ()
    file: str = ""
    columns: tuple[str, ...] = ()
    cells: dict[str, list[str]] = field(default_factory=dict)
    share: float = 1.0
    group: str | None = None
    runs: bool = False
    repeats: bool = False
    folders: frozenset[str] = frozenset()


def learn(survey: Survey) -> Known | None:
    """What the labels are and where, or None where it cannot be told."""
    for look in (_in_table, _in_json, _in_masks, _in_folders, _in_names):
        if (found := look(survey)) is not None:
            return found
    return None


def labelled(survey: Survey) -> list[str]:
    """The pictures that may have labels: not those of the test, no masks."""
    found = [path for path in survey.pictures if not says_mask(path) and not says_test(path)]
    return found or [path for path in survey.pictures if not says_test(path)]


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
        labeler = {"use": LABELERS["points"], "csv": name, "id": column, **way.options}
        if group is None and left:
            group = next((one for one in left if _says_group(one, table)), None)
        return replace(
            known, labeler=labeler, why=(told, *why), columns=tuple(cells), cells=cells, group=group
        )
    columns, told = _label_columns(survey, table, others)
    if not columns:
        return replace(known, labeler={"use": LABELERS["table"], "csv": name, "id": column})
    if len(columns) == 1 and (inside := _class_folders(survey, table, column, columns[0])):
        why = [f"each picture lies in a folder that {name} calls its '{columns[0]}'"]
        cells = {columns[0]: _cells(table[columns[0]])}
        labeler = {"use": LABELERS["folders"], "path": inside}
        return replace(
            known, labeler=labeler, why=tuple(why), columns=tuple(columns), cells=cells, group=None
        )
    labels: Any = columns[0] if len(columns) == 1 else columns
    labeler = {"use": LABELERS["table"], "csv": name, "id": column, "labels": labels}
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
    labeler = {"use": LABELERS["masks"], "csv": known.file, "id": column, "runs": runs}
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


def _in_json(survey: Survey) -> Known | None:
    """A json file as COCO has it, with annotations."""
    for path in survey.files:
        last = path.rpartition("/")[2].lower()
        if not last.endswith(".json") or last.startswith("test"):
            continue
        try:
            held = named.load(survey.folder, path)
            images = named.images(held, path)
        except KitboxError:
            continue
        annotations = held.get("annotations") if isinstance(held, dict) else None
        if not annotations:
            continue
        way = finding.find(list(images.values()), labelled(survey))
        cells = [str(one.get("category_id", "")) for one in annotations]
        labeler = {"use": LABELERS["coco"], "file": path, **way.options}
        why = (f"{path} has annotations of {len(images)} pictures, as COCO has them", *way.why)
        return Known(labeler, why, path, ("label",), {"label": cells}, way.share)
    return None


def _in_masks(survey: Survey) -> Known | None:
    """A mask file beside each picture, or in a folder of masks."""
    masks = [path for path in survey.pictures if says_mask(path) and not says_test(path)]
    paths = [p for p in survey.pictures if not says_mask(p) and not says_test(p)]
    if not masks or not paths:
        return None
    by_stem: dict[str, list[str]] = {}
    for path in paths:
        by_stem.setdefault(_stem(path), []).append(path)
    templates: Counter[tuple[str, str]] = Counter()
    for mask in masks:
        folder, _, name = mask.rpartition("/")
        for cut in range(len(_stem(mask)), 0, -1):
            if len(pictures := by_stem.get(name[:cut], [])) == 1:
                images = pictures[0].rpartition("/")[0]
                start = f"{folder}/" if folder else ""
                templates[images, f"{start}{{stem}}{name[cut:]}"] += 1
                break
    if templates:
        (images, template), count = templates.most_common(1)[0]
        below = [path for path in paths if path.rpartition("/")[0] == images]
        if 2 * count >= len(below):
            labeler: dict[str, Any] = {"use": LABELERS["masks"], "images": images}
            labeler["path"] = template
            if count < len(below):
                labeler["unmatched"] = "skip"
            return Known(labeler, (f"{count} pictures have a mask there",), runs=True)
    return _in_id_folders(survey, masks, paths)


def _in_id_folders(survey: Survey, masks: Sequence[str], paths: Sequence[str]) -> Known | None:
    """A folder for each picture, with its mask in it: `train/ID/image.png`, `train/ID/mask.png`."""
    ids = {"/".join(path.split("/")[:2]) for path in paths if path.count("/") >= 2}
    names = Counter(
        path.removeprefix(f"{one}/")
        for path in masks
        for one in ["/".join(path.split("/")[:2])]
        if one in ids
    )
    tests = {path.rpartition("/")[2] for path in survey.pictures if says_test(path)}
    full = [name for name, n in names.items() if n == len(ids)]
    if not full:
        return None
    # A mask that test pictures have too is something else, as where the picture is valid.
    mask = min(full, key=lambda name: (name.rpartition("/")[2] in tests, name))
    top = next(iter(ids)).partition("/")[0]
    tails = Counter(path.split("/", 2)[2] for path in paths if path.count("/") >= 2)
    shared = sorted(name for name, n in tails.items() if n == len(ids))
    if not shared or any(one.partition("/")[0] != top for one in ids):
        return None
    chosen = shared[len(shared) // 2]
    why = ["a folder for each picture, with its mask in it"]
    if len(shared) > 1:
        why.append(
            f"each has {len(shared)} pictures ({some(shared, 4)}); the middle one is a guess"
        )
    labeler = {
        "use": LABELERS["masks"],
        "images": top,
        "match": f"^{re.escape(top)}/([^/]+)/{re.escape(chosen)}$",
        "path": f"{top}/{{id}}/{mask}",
    }
    return Known(labeler, tuple(why), runs=True)


def _in_folders(survey: Survey) -> Known | None:
    """Folders of classes: `train/CLASS/a.jpg`."""
    paths = labelled(survey)
    parents = Counter(path.rpartition("/")[0] for path in paths)
    above = Counter(parent.rpartition("/")[0] for parent in parents if parent)
    if not above:
        return None
    top, count = above.most_common(1)[0]
    classes = {p.rpartition("/")[2]: n for p, n in parents.items() if p.rpartition("/")[0] == top}
    own = classes.keys() - {"train", "training", "images", "imgs"}
    if count < 2 or len(own) < 2 or sum(classes.values()) < 2 * len(classes):
        return None
    cells = [name for name, n in classes.items() for _ in range(n)]
    labeler = {"use": LABELERS["folders"], "path": top}
    return Known(
        labeler,
        (f"{len(classes)} folders below '{top or '.'}' are taken for classes",),
        columns=("label",),
        cells={"label": cells},
    )


def _in_names(survey: Survey) -> Known | None:
    """Names that begin with a class: `cat.0.jpg`, `great_pyrenees_17.jpg`."""
    paths = labelled(survey)
    parents = Counter(path.rpartition("/")[0] for path in paths)
    folder = parents.most_common(1)[0][0] if parents else ""
    stems = [_stem(path) for path in paths if path.rpartition("/")[0] == folder]
    matches = [_NUMBERED.match(stem) for stem in stems]
    cells = [match[1] for match in matches if match and match[1]]
    classes = set(cells)
    if len(cells) < len(stems) or not 2 <= len(classes) <= len(cells) / 2:
        return None
    labeler = {"use": LABELERS["names"], "images": folder, "pattern": r"([^/]+?)[._ -]*\d+\.\w+$"}
    return Known(
        labeler,
        (f"the class is how the file's name begins: {some(sorted(classes))}",),
        columns=("label",),
        cells={"label": cells},
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
        by_name.setdefault(_stem(path), []).append(path)
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


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]
