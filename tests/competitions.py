"""Small competitions in the shapes of real ones: their folders, files and names, pictures made up.

Each maker fills a folder and returns what an independent check needs to know of the answer.
Pictures are 40 pixels wide and 24 high, so that nobody takes rows for columns.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

H, W = 24, 40
COLORS = ((200, 40, 40), (40, 180, 60), (50, 60, 220), (220, 210, 40), (180, 60, 200))
Box = tuple[int, int, int, int]


@dataclass
class Wanted:
    """What a submission has to be.

    Attributes:
        header: the columns.
        keys: the first cells of the rows, in order; of pairs with `second`.
        kind: how the other cells are checked; see `independent_check`.
        facts: what that needs.
        sample: the sample submission.
        not_known: words that `kitbox init` says of what it cannot know.
    """

    header: list[str]
    keys: list[str]
    kind: str
    facts: dict[str, Any] = field(default_factory=dict)
    sample: str = "sample_submission.csv"
    not_known: tuple[str, ...] = ()


def table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def picture(path: Path, kind: int = 0, boxes: Sequence[Box] = (), seed: int = 0) -> None:
    """A picture of a colour for each kind, with bright boxes (top, left, height, width)."""
    rng = np.random.default_rng(seed + 1000 * kind)
    shown = np.zeros((H, W, 3), np.float64) + np.array(COLORS[kind % len(COLORS)]) * 0.5
    for top, left, height, width in boxes:
        shown[top : top + height, left : left + width] = 255
    shown = np.clip(shown + rng.normal(0, 6, shown.shape), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(shown).save(path)


def mask(boxes: Sequence[Box]) -> np.ndarray:
    found = np.zeros((H, W), bool)
    for top, left, height, width in boxes:
        found[top : top + height, left : left + width] = True
    return found


def runs(shown: np.ndarray, order: str = "columns", relative: bool = False) -> str:
    """Run lengths counted pixel by pixel."""
    flat = [bool(v) for v in (shown.T if order == "columns" else shown).reshape(-1)]
    numbers, before, at = [], 0, 0
    while at < len(flat):
        if not flat[at]:
            at += 1
            continue
        end = at
        while end < len(flat) and flat[end]:
            end += 1
        numbers += [at - before if relative else at + 1, end - at]
        before, at = end, end
    return " ".join(map(str, numbers))


def a_box(number: int) -> Box:
    return (2 + number % 5, 3 + 2 * (number % 7), 13, 16)


def two_boxes(number: int) -> list[Box]:
    return [(2, 2 + number % 4, 16, 12), (5, 24, 15, 12)]


def labelled(
    root: Path,
    rows: Sequence[tuple[str, int]],
    folder: str,
    end: str = ".jpg",
) -> None:
    """A picture for each (name, kind)."""
    for seed, (name, kind) in enumerate(rows):
        picture(root / folder / f"{name}{end}", kind, seed=seed)


def of_kinds(count: int, kinds: int, name: str = "{:06x}", start: int = 0) -> list[tuple[str, int]]:
    return [(name.format(0xA000 + start + 7 * n), n % kinds) for n in range(count)]


# Classification


def dog_breed(root: Path) -> Wanted:
    breeds = [
        f"{a}_{b}" for a in ("african", "irish", "welsh") for b in ("dog", "hound", "terrier")
    ]
    train = of_kinds(36, 9, "000{:08x}")
    test = of_kinds(5, 9, "fff{:08x}")
    labelled(root, train, "train")
    labelled(root, test, "test")
    table(root / "labels.csv", ["id", "breed"], [(one, breeds[kind]) for one, kind in train])
    header = ["id", *sorted(breeds)]
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", header, [[one, *[1 / 9] * 9] for one in keys])
    return Wanted(header, keys, "probabilities", {"sum": 1})


def plant_pathology_2020(root: Path) -> Wanted:
    names = ["healthy", "multiple_diseases", "rust", "scab"]
    train, test = of_kinds(24, 4, "Train_{:d}"), of_kinds(5, 4, "Test_{:d}")
    labelled(root, train + test, "images")
    rows = [[one, *(int(kind == n) for n in range(4))] for one, kind in train]
    table(root / "train.csv", ["image_id", *names], rows)
    table(root / "test.csv", ["image_id"], [[one] for one, _ in test])
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["image_id", *names], [[k, *[0.25] * 4] for k in keys])
    return Wanted(["image_id", *names], keys, "probabilities")


def ranzcr_clip(root: Path) -> Wanted:
    names = ["ETT - Abnormal", "ETT - Normal", "NGT - Incompletely Imaged", "Swan Ganz Present"]
    uid = "1.2.826.0.1.3680043.8.498.{:d}"
    train, test = of_kinds(24, 4, uid), of_kinds(4, 4, uid, 90000)
    labelled(root, train, "train")
    labelled(root, test, "test")
    rows = [
        [one, *(int((kind + n) % 4 < 2) for n in range(4)), f"patient{place // 2:02x}"]
        for place, (one, kind) in enumerate(train)
    ]
    table(root / "train.csv", ["StudyInstanceUID", *names, "PatientID"], rows)
    drawn = [[train[0][0], names[0], "[[1487, 1279], [1477, 1168]]"]]
    table(root / "train_annotations.csv", ["StudyInstanceUID", "label", "data"], drawn)
    keys, header = [one for one, _ in test], ["StudyInstanceUID", *names]
    table(root / "sample_submission.csv", header, [[one, 0, 0, 0, 0] for one in keys])
    return Wanted(header, keys, "probabilities")


def histopathologic(root: Path) -> Wanted:
    train, test = of_kinds(20, 2, "f{:07x}"), of_kinds(5, 2, "0{:07x}")
    labelled(root, train, "train", ".tif")
    labelled(root, test, "test", ".tif")
    table(root / "train_labels.csv", ["id", "label"], train)
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["id", "label"], [[one, 0] for one in keys])
    return Wanted(["id", "label"], keys, "probabilities", {"of": "1"})


def dogs_vs_cats(root: Path) -> Wanted:
    for place in range(20):
        picture(root / "train" / f"{('cat', 'dog')[place % 2]}.{place // 2}.jpg", place % 2)
    for place in range(1, 6):
        picture(root / "test" / f"{place}.jpg", place % 2)
    keys = [str(place) for place in range(1, 6)]
    table(root / "sample_submission.csv", ["id", "label"], [[one, 0.5] for one in keys])
    facts = {"of": "dog"}
    return Wanted(["id", "label"], keys, "probabilities", facts, not_known=("'dog' is a guess",))


def siim_isic(root: Path) -> Wanted:
    train, test = of_kinds(24, 2, "ISIC_{:07d}"), of_kinds(5, 2, "ISIC_{:07d}", 40000)
    labelled(root, train, "jpeg/train")
    labelled(root, test, "jpeg/test")
    (root / "train").mkdir()
    for one, _ in train[:3]:
        (root / "train" / f"{one}.dcm").write_bytes(b"DICM")
    sites = ("torso", "head/neck")
    words = (("unknown", "benign"), ("melanoma", "malignant"))
    header = ["image_name", "patient_id", "sex", "age_approx", "anatom_site_general_challenge"]
    more = ["diagnosis", "benign_malignant", "target"]
    rows = [
        [one, f"IP_{place % 9:04d}", "male", 45.0, sites[place % 2], *words[kind], kind]
        for place, (one, kind) in enumerate(train)
    ]
    table(root / "train.csv", header + more, rows)
    rows = [[one, "IP_9", "male", 45.0, sites[0]] for one, _ in test]
    table(root / "test.csv", header, rows)
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["image_name", "target"], [[one, 0] for one in keys])
    return Wanted(["image_name", "target"], keys, "probabilities", {"of": "1"})


def aerial_cactus(root: Path) -> Wanted:
    """As the competition gives it: the pictures in zips."""
    import shutil

    train = [(f"{one}.jpg", kind) for one, kind in of_kinds(20, 2, "{:08x}")]
    test = [(f"{one}.jpg", kind) for one, kind in of_kinds(5, 2, "{:08x}", 60000)]
    for name, rows in (("train", train), ("test", test)):
        labelled(root / "beside", rows, name, "")
        shutil.make_archive(str(root / name), "zip", root / "beside", name)
    shutil.rmtree(root / "beside")
    table(root / "train.csv", ["id", "has_cactus"], train)
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["id", "has_cactus"], [[one, 0.5] for one in keys])
    return Wanted(["id", "has_cactus"], keys, "probabilities", {"of": "1"})


def aptos(root: Path) -> Wanted:
    train, test = of_kinds(25, 5, "{:012x}"), of_kinds(5, 5, "{:012x}", 50000)
    labelled(root, train, "train_images", ".png")
    labelled(root, test, "test_images", ".png")
    table(root / "train.csv", ["id_code", "diagnosis"], train)
    table(root / "test.csv", ["id_code"], [[one] for one, _ in test])
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["id_code", "diagnosis"], [[one, 0] for one in keys])
    return Wanted(["id_code", "diagnosis"], keys, "whole", {"among": range(5), "rounds": True})


def cassava(root: Path) -> Wanted:
    train = [(f"{one}.jpg", kind) for one, kind in of_kinds(25, 5, "1000{:d}")]
    test = [(f"{one}.jpg", kind) for one, kind in of_kinds(4, 5, "2216{:d}")]
    labelled(root, train, "train_images", "")
    labelled(root, test, "test_images", "")
    table(root / "train.csv", ["image_id", "label"], train)
    diseases = {str(n): f"Cassava Disease {n}" for n in range(5)}
    (root / "label_num_to_disease_map.json").write_text(json.dumps(diseases))
    (root / "train_tfrecords").mkdir()
    (root / "train_tfrecords" / "ld_train00-1338.tfrec").write_bytes(b"\0")
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["image_id", "label"], [[one, 4] for one in keys])
    return Wanted(["image_id", "label"], keys, "class", {"among": [*map(str, range(5))]})


def herbarium(root: Path) -> Wanted:
    kinds = (0, 3, 15504)
    images, annotations = [], []
    for n in range(24):
        kind = n % 3
        name = f"{kinds[kind] // 1000:03d}/{kinds[kind] % 100:02d}/{kinds[kind]:05d}__{n:03d}.jpg"
        picture(root / "train_images" / name, kind, seed=n)
        one = f"{kinds[kind]:05d}__{n:03d}"
        images.append({"image_id": one, "file_name": name, "license": 0})
        annotations.append({"genus_id": 1, "category_id": kinds[kind], "image_id": one})
    categories = [{"category_id": kind, "scientificName": f"Abies {kind}"} for kind in kinds]
    held = {"annotations": annotations, "images": images, "categories": categories}
    (root / "train_metadata.json").write_text(json.dumps(held))
    tests = []
    for n in range(12):
        picture(root / "test_images" / "000" / f"test-{n:06d}.jpg", n % 3)
        tests.append({"file_name": f"000/test-{n:06d}.jpg", "image_id": str(n), "license": 0})
    (root / "test_metadata.json").write_text(json.dumps(tests))
    keys = [str(n) for n in range(12)]
    table(root / "sample_submission.csv", ["Id", "Predicted"], [[one, 42] for one in keys])
    return Wanted(["Id", "Predicted"], keys, "class", {"among": [*map(str, kinds)]})


def plant_seedlings(root: Path) -> Wanted:
    names = ["Black-grass", "Common Chickweed", "Loose Silky-bent", "Sugar beet"]
    for n in range(24):
        picture(root / "train" / names[n % 4] / f"{0xAB00 + n:09x}.png", n % 4, seed=n)
    keys = [f"{0xCD00 + n:09x}.png" for n in range(5)]
    for n, one in enumerate(keys):
        picture(root / "test" / one, n % 4)
    table(root / "sample_submission.csv", ["file", "species"], [[k, "Sugar beet"] for k in keys])
    return Wanted(["file", "species"], keys, "class", {"among": names})


def paddy_disease(root: Path) -> Wanted:
    names = ["bacterial_leaf_blight", "blast", "normal"]
    rows = []
    for n in range(24):
        name = f"{100330 + n}.jpg"
        picture(root / "train_images" / names[n % 3] / name, n % 3, seed=n)
        rows.append([name, names[n % 3], "ADT45", 45])
    table(root / "train.csv", ["image_id", "label", "variety", "age"], rows)
    keys = [f"{200001 + n}.jpg" for n in range(5)]
    for n, one in enumerate(keys):
        picture(root / "test_images" / one, n % 3)
    table(root / "sample_submission.csv", ["image_id", "label"], [[one, ""] for one in keys])
    return Wanted(["image_id", "label"], keys, "class", {"among": names})


# Several labels


def planet(root: Path) -> Wanted:
    names = ["agriculture", "clear", "haze", "primary", "road"]
    sets = ["clear primary", "agriculture clear primary road", "haze primary", "clear road"]
    train, test = of_kinds(28, 4, "train_{:d}"), of_kinds(4, 4, "test_{:d}")
    more = of_kinds(2, 4, "file_{:d}")
    labelled(root, train, "train-jpg")
    labelled(root, test + more, "test-jpg-v2")
    rows = [(one, sets[kind]) for one, kind in train]
    table(root / "train_v2.csv", ["image_name", "tags"], rows)
    keys = [one for one, _ in test + more]
    sample = "sample_submission_v2.csv"
    table(root / sample, ["image_name", "tags"], [[k, "primary clear"] for k in keys])
    return Wanted(["image_name", "tags"], keys, "words", {"among": names, "least": 1}, sample)


def plant_pathology_2021(root: Path) -> Wanted:
    sets = ["healthy", "scab frog_eye_leaf_spot complex", "rust", "scab", "rust complex"]
    sets += ["complex", "frog_eye_leaf_spot"]
    train = [(f"{one}.jpg", kind) for one, kind in of_kinds(35, 7, "{:016x}")]
    test = [(f"{one}.jpg", kind) for one, kind in of_kinds(3, 7, "{:016x}", 44444)]
    labelled(root, train, "train_images", "")
    labelled(root, test, "test_images", "")
    table(root / "train.csv", ["image", "labels"], [(one, sets[kind]) for one, kind in train])
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["image", "labels"], [[k, "healthy"] for k in keys])
    among = ["healthy", "scab", "frog_eye_leaf_spot", "complex", "rust"]
    return Wanted(["image", "labels"], keys, "words", {"among": among, "least": 1})


def imet(root: Path) -> Wanted:
    sets = ["448 782 2429", "448 1046", "782", "1046 2429", "448"]
    train, test = of_kinds(30, 5, "{:016x}"), of_kinds(4, 5, "{:016x}", 77777)
    labelled(root, train, "train", ".png")
    labelled(root, test, "test", ".png")
    table(root / "train.csv", ["id", "attribute_ids"], [(one, sets[kind]) for one, kind in train])
    rows = [(n, f"tags::{n}") for n in (448, 782, 1046, 2429)]
    table(root / "labels.csv", ["attribute_id", "attribute_name"], rows)
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["id", "attribute_ids"], [[k, "0 1 2"] for k in keys])
    facts = {"among": ["448", "782", "1046", "2429"], "least": 1}
    return Wanted(["id", "attribute_ids"], keys, "words", facts)


def protein_atlas(root: Path) -> Wanted:
    sets = ["16 0", "7 1 2 0", "5", "1", "16"]
    uuid = "{:08x}-bbb2-11e8-b2b9-ac1f6b6435d0"
    train, test = of_kinds(30, 5, uuid), of_kinds(4, 5, uuid, 99999)
    for folder, rows in (("train", train), ("test", test)):
        for color in ("red", "green", "blue", "yellow"):
            labelled(root, rows, folder, f"_{color}.png")
    table(root / "train.csv", ["Id", "Target"], [(one, sets[kind]) for one, kind in train])
    keys = [one for one, _ in test]
    table(root / "sample_submission.csv", ["Id", "Predicted"], [[one, 0] for one in keys])
    facts = {"among": ["0", "1", "2", "5", "7", "16"], "least": 1}
    return Wanted(["Id", "Predicted"], keys, "words", facts)


# The best few, in order


def humpback_whale(root: Path) -> Wanted:
    names = ["new_whale", *(f"w_{0x23A388 + n:07x}" for n in range(6))]
    train = [(f"{one}.jpg", kind) for one, kind in of_kinds(28, 7, "{:08x}")]
    test = [(f"{one}.jpg", kind) for one, kind in of_kinds(4, 7, "{:08x}", 88888)]
    labelled(root, train, "train", "")
    labelled(root, test, "test", "")
    table(root / "train.csv", ["Image", "Id"], [(one, names[kind]) for one, kind in train])
    keys, five = [one for one, _ in test], " ".join(names[:5])
    table(root / "sample_submission.csv", ["Image", "Id"], [[one, five] for one in keys])
    return Wanted(["Image", "Id"], keys, "best", {"among": names, "most": 5})


def hotel_id(root: Path) -> Wanted:
    hotels = [36363, 53586, 18807, 64314, 60181, 15]
    rows = []
    for n in range(24):
        name = f"{0xD7D9F + n:016x}.jpg"
        picture(root / "train_images" / str(n % 4) / name, n % 6, seed=n)
        rows.append([name, n % 4, hotels[n % 6], "2018-09-15 09:17:00"])
    table(root / "train.csv", ["image", "chain", "hotel_id", "timestamp"], rows)
    keys = [f"{0xFFFF0 + n:016x}.jpg" for n in range(3)]
    for n, one in enumerate(keys):
        picture(root / "test_images" / one, n)
    five = " ".join(map(str, hotels[:5]))
    table(root / "sample_submission.csv", ["image", "hotel_id"], [[one, five] for one in keys])
    return Wanted(["image", "hotel_id"], keys, "best", {"among": [*map(str, hotels)], "most": 5})


def inaturalist(root: Path) -> Wanted:
    kinds = (400, 570, 167, 254, 739, 12)
    images, annotations = [], []
    for n in range(24):
        name = f"train_val2019/Plants/{kinds[n % 6]}/{0xD1322 + n:016x}.jpg"
        picture(root / name, n % 6, seed=n)
        images.append({"id": n, "width": W, "height": H, "file_name": name})
        annotations.append({"id": n, "image_id": n, "category_id": kinds[n % 6]})
    held = {"images": images, "annotations": annotations, "categories": [{"id": k} for k in kinds]}
    (root / "train2019.json").write_text(json.dumps(held))
    tests = []
    for n in range(5):
        name = f"test2019/{0xE295F + 31 * n:016x}.jpg"
        picture(root / name, n % 6)
        tests.append({"id": 268243 + n, "file_name": name})
    (root / "test2019.json").write_text(json.dumps({"images": tests}))
    keys = [str(268243 + n) for n in range(5)]
    sample = "kaggle_sample_submission.csv"
    table(root / sample, ["id", "predicted"], [[one, "0 1 2 3 4"] for one in keys])
    facts = {"among": [*map(str, kinds)], "most": 5}
    return Wanted(["id", "predicted"], keys, "best", facts, sample)


# Masks


def _salt_like(
    root: Path, header: tuple[str, str], folders: tuple[str, str], end: str, placeholder: str
) -> list[str]:
    rows = []
    for n in range(16):
        boxes = [] if n % 5 == 4 else [a_box(n)]
        picture(root / folders[0] / f"{0xF00 + n:010x}{end}", 0, boxes, n)
        rows.append((f"{0xF00 + n:010x}", runs(mask(boxes))))
    table(root / "train.csv", header, rows)
    keys = [f"{0xE00 + n:010x}" for n in range(4)]
    for n, one in enumerate(keys):
        picture(root / folders[1] / f"{one}{end}", 0, [a_box(n + 3)], n)
    return keys


def tgs_salt(root: Path) -> Wanted:
    header = ("id", "rle_mask")
    keys = _salt_like(root, header, ("train/images", "test/images"), ".png", "1 1")
    for path in sorted((root / "train/images").iterdir()):
        picture(root / "train/masks" / path.name, 1)
    depths = [[path.stem, 500] for path in sorted((root / "train/images").iterdir())]
    table(root / "depths.csv", ["id", "z"], depths + [[one, 300] for one in keys])
    table(root / "sample_submission.csv", header, [[one, "1 1"] for one in keys])
    return Wanted([*header], keys, "runs")


def hubmap(root: Path) -> Wanted:
    keys = _salt_like(root, ("id", "encoding"), ("train", "test"), ".tiff", "")
    rows = [[path.name, W, H, "aa"] for path in sorted((root / "train").iterdir())]
    header = ["image_file", "width_pixels", "height_pixels", "patient_number"]
    table(root / "HuBMAP-20-dataset_information.csv", header, rows)
    table(root / "sample_submission.csv", ["id", "predicted"], [[one, ""] for one in keys])
    return Wanted(["id", "predicted"], keys, "runs")


def carvana(root: Path) -> Wanted:
    header, rows = ["img", "rle_mask"], []
    for n in range(16):
        one = f"{0xCDF + n // 4:012x}_{n % 4 + 1:02d}"
        picture(root / "train" / f"{one}.jpg", 0, [a_box(n)], n)
        shown = mask([a_box(n)])
        rows.append((f"{one}.jpg", runs(shown, "rows")))
        path = root / "train_masks" / f"{one}_mask.gif"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(shown.astype(np.uint8) * 255).save(path)
    table(root / "train_masks.csv", header, rows)
    keys = [f"{0xFFF:012x}_{n + 1:02d}.jpg" for n in range(4)]
    for n, one in enumerate(keys):
        picture(root / "test" / one, 0, [a_box(n + 2)], n)
    made = [[f"{0xCDF:012x}", 2014, "Acura"]]
    table(root / "metadata.csv", ["id", "year", "make"], made)
    table(root / "sample_submission.csv", header, [[one, "1 1"] for one in keys])
    return Wanted(header, keys, "runs", {"order": "rows"})


def vesuvius(root: Path) -> Wanted:
    """Fragments of papyrus: a folder of slices each; the ink in a picture of its own."""
    ids = [str(n + 1) for n in range(10)]
    keys = ["a", "b"]
    for n, one in enumerate([*ids, *keys]):
        folder = root / ("train" if one in ids else "test") / one
        for depth in range(3):
            picture(folder / "surface_volume" / f"{depth:02d}.tif", 0, [a_box(n)], n)
        Image.fromarray(np.full((H, W), 255, np.uint8)).save(folder / "mask.png")
        if one in ids:
            ink = mask([a_box(n)])
            Image.fromarray(ink.astype(np.uint8) * 255).save(folder / "inklabels.png")
            table(folder / "inklabels_rle.csv", ["Id", "Predicted"], [[one, runs(ink, "rows")]])
    rows = [[one, "1 1 5 1"] for one in keys]
    table(root / "sample_submission.csv", ["Id", "Predicted"], rows)
    return Wanted(["Id", "Predicted"], keys, "runs", {"order": "rows"})


def contrails(root: Path) -> Wanted:
    """Records as folders; the bands (.npy) were made pictures, as kitbox reads no arrays."""
    ids = [f"{1000216489776414077 + 7919 * n}" for n in range(14)]
    keys = [f"{1002653297254493116 + 104729 * n}" for n in range(2)]
    for n, one in enumerate([*ids, *keys]):
        folder = root / ("train" if one in ids else "test") / one
        boxes = [a_box(n)] if n % 4 else []
        picture(folder / "ash.png", 0, boxes, n)
        (folder / "band_11.npy").write_bytes(b"\x93NUMPY")
        if one in ids:
            shown = mask(boxes).astype(np.uint8)
            Image.fromarray(shown).save(folder / "human_pixel_masks.png")
    header = ["record_id", "encoded_pixels"]
    table(root / "sample_submission.csv", header, [[one, "-"] for one in keys])
    return Wanted(header, keys, "runs", {"empty": "-"}, not_known=("along the rows",))


def airbus_ship(root: Path) -> Wanted:
    header, rows = ["ImageId", "EncodedPixels"], []
    for n in range(20):
        boxes = [] if n % 4 == 3 else two_boxes(n)
        picture(root / "train_v2" / f"{0x000155 + n:09x}.jpg", 2, boxes, n)
        rows += [(f"{0x000155 + n:09x}.jpg", runs(mask([box]))) for box in boxes]
        rows += [] if boxes else [(f"{0x000155 + n:09x}.jpg", "")]
    table(root / "train_ship_segmentations_v2.csv", header, rows)
    keys = [f"{0x00DC34 + n:09x}.jpg" for n in range(4)]
    for n, one in enumerate(keys):
        picture(root / "test_v2" / one, 2, two_boxes(n) if n else [], n)
    sample = "sample_submission_v2.csv"
    table(root / sample, header, [[one, "1 2"] for one in keys])
    return Wanted(header, keys, "instances", {}, sample)


def dsb_2018(root: Path) -> Wanted:
    header, rows = ["ImageId", "EncodedPixels"], []
    for n in range(16):
        one = f"{0xABCDE + n:016x}"
        picture(root / "stage1_train" / one / "images" / f"{one}.png", 3, two_boxes(n), n)
        for place, box in enumerate(two_boxes(n)):
            rows.append((one, runs(mask([box]))))
            folder = root / "stage1_train" / one / "masks"
            folder.mkdir(exist_ok=True)
            shown = mask([box]).astype(np.uint8) * 255
            Image.fromarray(shown).save(folder / f"{0xEEE + 2 * n + place:016x}.png")
    table(root / "stage1_train_labels.csv", header, rows)
    keys = [f"{0x0FFFF + n:016x}" for n in range(3)]
    for n, one in enumerate(keys):
        picture(root / "stage1_test" / one / "images" / f"{one}.png", 3, two_boxes(n), n)
    sample = "stage1_sample_submission.csv"
    table(root / sample, header, [[one, ""] for one in keys])
    return Wanted(header, keys, "instances", {}, sample)


def severstal(root: Path) -> Wanted:
    header, rows = ["ImageId_ClassId", "EncodedPixels"], []
    for n in range(20):
        name, boxes = f"{0x0002CC + n:09x}.jpg", {n % 4: [a_box(n)]}
        picture(root / "train_images" / name, n % 4, [a_box(n)], n)
        rows += [(f"{name}_{k + 1}", runs(mask(boxes.get(k, [])))) for k in range(4)]
    table(root / "train.csv", header, rows)
    names = [f"{0x0046A + n:09x}.jpg" for n in range(3)]
    for n, name in enumerate(names):
        picture(root / "test_images" / name, n % 4, [a_box(n)], n)
    keys = [f"{name}_{k}" for name in names for k in range(1, 5)]
    table(root / "sample_submission.csv", header, [[one, "1 1"] for one in keys])
    return Wanted(header, keys, "runs", {"class_in_key": True})


def uw_madison(root: Path) -> Wanted:
    organs = ["large_bowel", "small_bowel", "stomach"]
    rows, pairs = [], []
    for n in range(22):
        case, day, number = 100 + n // 6, 20 + n % 2, 1 + n // 2
        one, test = f"case{case}_day{day}_slice_{number:04d}", n >= 18
        top = "test" if test else "train"
        folder = root / top / f"case{case}" / f"case{case}_day{day}" / "scans"
        boxes = {n % 3: [a_box(n)]}
        picture(
            folder / f"slice_{number:04d}_266_{266 + n % 2 * 44}_1.50_1.50.png",
            n % 3,
            [a_box(n)],
            n,
        )
        if test:
            pairs += [(one, organ) for organ in organs]
        else:
            found = [runs(mask(boxes.get(k, []))) for k in range(3)]
            rows += [(one, organ, cell) for organ, cell in zip(organs, found, strict=True)]
    table(root / "train.csv", ["id", "class", "segmentation"], rows)
    header = ["id", "class", "predicted"]
    table(root / "sample_submission.csv", header, [[*pair, ""] for pair in pairs])
    keys = [one for one, _ in pairs]
    return Wanted(header, keys, "runs", {"second": [organ for _, organ in pairs]})


def pneumothorax(root: Path) -> Wanted:
    """The DICOM files as pictures, as a data set beside the competition has them."""
    header, rows = ["ImageId", " EncodedPixels"], []
    uid = "1.2.276.0.7230010.3.1.4.8323329.{:d}.1517875160"
    for n in range(16):
        boxes = [two_boxes(n)[n % 2]] if n % 3 else []
        picture(root / "train" / f"{uid.format(300 + n)}.png", 0, boxes, n)
        rows.append((uid.format(300 + n), runs(mask(boxes), relative=True) or "-1"))
    table(root / "train-rle.csv", header, rows)
    keys = [uid.format(7000 + n) for n in range(4)]
    for n, one in enumerate(keys):
        picture(root / "test" / f"{one}.png", 0, [two_boxes(n)[0]], n)
    asked = ["ImageId", "EncodedPixels"]
    table(root / "sample_submission.csv", asked, [[one, "-1"] for one in keys])
    return Wanted(asked, keys, "runs", {"relative": True, "base": 0, "empty": "-1"})


# Numbers and points


def facial_keypoints(root: Path) -> Wanted:
    """The pictures as files, which the competition has as numbers in the cells of its tables."""
    points = ["left_eye_center", "right_eye_center", "nose_tip"]
    columns = [f"{name}_{axis}" for name in points for axis in "xy"]
    rows = []
    for n in range(20):
        at = [8 + n % 5, 6 + n % 4, 26 + n % 5, 7 + n % 4, 17 + n % 6, 15.25]
        picture(root / "training" / f"{n + 1}.png", 1, [(6 + n % 4, 8 + n % 5, 5, 5)], n)
        cells = ["" if n % 7 == 3 and place > 3 else at[place] for place in range(6)]
        rows.append([f"{n + 1}.png", *cells])
    table(root / "training.csv", ["Image", *columns], rows)
    for n in range(4):
        picture(root / "test" / f"{n + 1}.png", 1, [(6, 8, 5, 5)], n)
    looked = [(i + 1, name) for i in range(4) for name in columns[: 6 if i else 4]]
    rows = [[n + 1, image, name, ""] for n, (image, name) in enumerate(looked)]
    table(root / "IdLookupTable.csv", ["RowId", "ImageId", "FeatureName", "Location"], rows)
    keys, sample = [str(n + 1) for n in range(len(looked))], "SampleSubmission.csv"
    table(root / sample, ["RowId", "Location"], [[one, 0] for one in keys])
    facts = {"looked": [(str(image), name) for image, name in looked], "range": (-W, 2 * W)}
    return Wanted(["RowId", "Location"], keys, "looked up", facts, sample)


def pawpularity(root: Path) -> Wanted:
    train, test = of_kinds(24, 4, "{:032x}"), of_kinds(4, 4, "{:032x}", 66666)
    labelled(root, train, "train")
    labelled(root, test, "test")
    names = ["Subject Focus", "Eyes", "Face", "Near"]
    rows = [
        [one, 0, 1, place % 2, 1, 5 + 30 * kind + place % 4]
        for place, (one, kind) in enumerate(train)
    ]
    table(root / "train.csv", ["Id", *names, "Pawpularity"], rows)
    table(root / "test.csv", ["Id", *names], [[one, 0, 1, 1, 0] for one, _ in test])
    keys = [one for one, _ in test]
    rows = [[one, 63.71 + n] for n, one in enumerate(keys)]
    table(root / "sample_submission.csv", ["Id", "Pawpularity"], rows)
    return Wanted(["Id", "Pawpularity"], keys, "numbers", {"range": (0, 100)})


def osic(root: Path) -> Wanted:
    """A folder of slices a patient (as pictures), several weeks a patient in the table."""
    rows, header = [], ["Patient", "Weeks", "FVC", "Percent", "Age", "Sex", "SmokingStatus"]
    ids = [f"ID{7637202177411956430 + 97 * n:023d}" for n in range(18)]
    tests = ids[-3:]
    for n, one in enumerate(ids):
        for number in range(1, 4):
            top = "test" if one in tests else "train"
            picture(root / top / one / f"{number}.png", n % 3, seed=n)
        for week in (-4, 5, 7) if one not in tests else ():
            rows.append([one, week, 2000 + 400 * (n % 3) + week, 58.2, 79, "Male", "Ex-smoker"])
    table(root / "train.csv", header, rows)
    table(root / "test.csv", header, [[one, 6, 3020, 70.1, 73, "Male", "Ex"] for one in tests])
    keys = [f"{one}_{week}" for one in tests for week in (-12, -11, 0, 133)]
    asked = ["Patient_Week", "FVC", "Confidence"]
    table(root / "sample_submission.csv", asked, [[one, 2000, 100] for one in keys])
    facts = {"range": (0, 10_000), "same": True, "filled": {"Confidence": 100}}
    return Wanted(asked, keys, "numbers", facts, not_known=("Confidence",))


COMPETITIONS: dict[str, Callable[[Path], Wanted]] = {
    "dog-breed-identification": dog_breed,
    "plant-pathology-2020-fgvc7": plant_pathology_2020,
    "ranzcr-clip-catheter-line-classification": ranzcr_clip,
    "histopathologic-cancer-detection": histopathologic,
    "dogs-vs-cats-redux-kernels-edition": dogs_vs_cats,
    "siim-isic-melanoma-classification": siim_isic,
    "aerial-cactus-identification": aerial_cactus,
    "aptos2019-blindness-detection": aptos,
    "cassava-leaf-disease-classification": cassava,
    "herbarium-2022-fgvc9": herbarium,
    "plant-seedlings-classification": plant_seedlings,
    "paddy-disease-classification": paddy_disease,
    "planet-understanding-the-amazon-from-space": planet,
    "plant-pathology-2021-fgvc8": plant_pathology_2021,
    "imet-2020-fgvc7": imet,
    "human-protein-atlas-image-classification": protein_atlas,
    "humpback-whale-identification": humpback_whale,
    "hotel-id-2021-fgvc8": hotel_id,
    "inaturalist-2019-fgvc6": inaturalist,
    "tgs-salt-identification-challenge": tgs_salt,
    "hubmap-kidney-segmentation": hubmap,
    "carvana-image-masking-challenge": carvana,
    "vesuvius-challenge-ink-detection": vesuvius,
    "google-research-identify-contrails-reduce-global-warming": contrails,
    "airbus-ship-detection": airbus_ship,
    "data-science-bowl-2018": dsb_2018,
    "severstal-steel-defect-detection": severstal,
    "uw-madison-gi-tract-image-segmentation": uw_madison,
    "siim-acr-pneumothorax-segmentation": pneumothorax,
    "facial-keypoints-detection": facial_keypoints,
    "petfinder-pawpularity-score": pawpularity,
    "osic-pulmonary-fibrosis-progression": osic,
}
"""Every competition of the table of shapes, by its slug."""
