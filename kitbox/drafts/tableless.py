"""Labels that are in no csv file: in json, in mask files, in the names of folders and files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from kitbox.data import named
from kitbox.drafts import finding
from kitbox.drafts.labels import Known, labelled, stem
from kitbox.drafts.offers import offered
from kitbox.drafts.survey import Survey, says_mask, says_test
from kitbox.errors import KitboxError, some

_NUMBERED = re.compile(r"^(.*?)[._ -]*\d+$")


def in_json(survey: Survey) -> Known | None:
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
        labeler = {"use": offered("labeler", "categories"), "file": path, **way.options}
        why = (f"{path} has annotations of {len(images)} pictures, as COCO has them", *way.why)
        return Known(labeler, why, path, ("label",), {"label": cells}, way.share)
    return None


def in_masks(survey: Survey) -> Known | None:
    """A mask file beside each picture, or in a folder of masks."""
    masks = [path for path in survey.pictures if says_mask(path) and not says_test(path)]
    paths = [p for p in survey.pictures if not says_mask(p) and not says_test(p)]
    if not masks or not paths:
        return None
    by_stem: dict[str, list[str]] = {}
    for path in paths:
        by_stem.setdefault(stem(path), []).append(path)
    templates: Counter[tuple[str, str]] = Counter()
    for mask in masks:
        folder, _, name = mask.rpartition("/")
        for cut in range(len(stem(mask)), 0, -1):
            if len(pictures := by_stem.get(name[:cut], [])) == 1:
                images = pictures[0].rpartition("/")[0]
                start = f"{folder}/" if folder else ""
                templates[images, f"{start}{{stem}}{name[cut:]}"] += 1
                break
    if templates:
        (images, template), count = templates.most_common(1)[0]
        below = [path for path in paths if path.rpartition("/")[0] == images]
        if 2 * count >= len(below):
            labeler: dict[str, Any] = {"use": offered("labeler", "areas"), "images": images}
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
        "use": offered("labeler", "areas"),
        "images": top,
        "match": f"^{re.escape(top)}/([^/]+)/{re.escape(chosen)}$",
        "path": f"{top}/{{id}}/{mask}",
    }
    return Known(labeler, tuple(why), runs=True)


def in_folders(survey: Survey) -> Known | None:
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
    labeler = {"use": offered("labeler", "folders"), "path": top}
    return Known(
        labeler,
        (f"{len(classes)} folders below '{top or '.'}' are taken for classes",),
        columns=("label",),
        cells={"label": cells},
    )


def in_names(survey: Survey) -> Known | None:
    """Names that begin with a class: `cat.0.jpg`, `great_pyrenees_17.jpg`."""
    paths = labelled(survey)
    parents = Counter(path.rpartition("/")[0] for path in paths)
    folder = parents.most_common(1)[0][0] if parents else ""
    stems = [stem(path) for path in paths if path.rpartition("/")[0] == folder]
    matches = [_NUMBERED.match(stem) for stem in stems]
    cells = [match[1] for match in matches if match and match[1]]
    classes = set(cells)
    if len(cells) < len(stems) or not 2 <= len(classes) <= len(cells) / 2:
        return None
    labeler = {
        "use": offered("labeler", "names"),
        "images": folder,
        "pattern": r"([^/]+?)[._ -]*\d+\.\w+$",
    }
    return Known(
        labeler,
        (f"the class is how the file's name begins: {some(sorted(classes))}",),
        columns=("label",),
        cells={"label": cells},
    )
