"""Small data sets of real pictures, in the shape of the named ones."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

SHARED = Path(__file__).resolve().parents[3] / "shared"
WEIGHTS = SHARED / "weights"
PHOTOS = "daffodil", "sunflower", "tulip", "lily_valley", "pansy"
BACKBONE = "mobilenetv2_100"


def missing() -> list[Path]:
    """What these data sets are made of and is not here."""
    needed = [SHARED / "data" / name for name in ("flowers17", "camvid", "faces68")]
    return [path for path in (*needed, WEIGHTS / f"{BACKBONE}.safetensors") if not path.exists()]


def photos(each: int) -> dict[str, list[bytes]]:
    """Pictures of five kinds of flowers, as the bytes of JPEG files."""
    data = SHARED / "data" / "flowers17"
    with (data / "train.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] in PHOTOS]
    found: dict[str, list[bytes]] = {name: [] for name in PHOTOS}
    for row in rows:
        if len(found[row["label"]]) < each:
            found[row["label"]].append((data / "train" / row["image"]).read_bytes())
    return found


def archive(path: Path, top: str, files: dict[str, bytes]) -> Path:
    """A .tgz as the course's are: all below one folder."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def pets(path: Path, each: int = 24) -> Path:
    """`images/Name_1.jpg`, and trimaps beside them that are no photographs."""
    trimap = _png(np.ones((20, 20), np.uint8))
    files = {"annotations/trimaps/daffodil_1.png": trimap}
    for name, found in photos(each).items():
        files |= {f"images/{name}_{n}.jpg": content for n, content in enumerate(found, 1)}
    return archive(path, "oxford-iiit-pet", files)


def planet(path: Path, count: int = 120) -> Path:
    """`labels.csv` with labels in one cell, and `train/NAME.jpg`: two photographs side by side."""
    rng = np.random.default_rng(0)
    found = photos(count // 3)
    lines, files = ["image_name,tags"], {}
    for number in range(count):
        sheet, labels = Image.new("RGB", (240, 240)), set()
        for half in range(2):
            name = PHOTOS[rng.integers(len(PHOTOS))]
            picture = Image.open(io.BytesIO(found[name][rng.integers(len(found[name]))]))
            sheet.paste(
                picture.convert("RGB").resize((240, 240)).crop((60, 0, 180, 240)), (120 * half, 0)
            )
            labels.add(name)
        lines.append(f"train_{number},{' '.join(sorted(labels))}")
        files[f"train/train_{number}.jpg"] = _jpeg(np.asarray(sheet))
    files["labels.csv"] = ("\n".join(lines) + "\n").encode()
    return archive(path, "planet_sample", files)


def camvid(path: Path, count: int = 48) -> Path:
    """`images/X.jpg`, `labels/X_P.png`, `codes.txt` with the void class last, `valid.txt`."""
    data = SHARED / "data" / "camvid"
    names = sorted(one.name for one in (data / "images").iterdir())
    chosen = [names[n * len(names) // count] for n in range(count)]
    files = {}
    for name in chosen:
        mask = f"labels/{Path(name).stem}_P.png"
        files[f"images/{name}"] = (data / "images" / name).read_bytes()
        files[mask] = (data / mask).read_bytes()
    codes = (data / "codes.txt").read_text()
    valid = set((data / "valid.txt").read_text().split())
    held = [name for name in chosen if name in valid]
    files["codes.txt"] = codes.encode()
    files["valid.txt"] = "\n".join(held).encode()
    return archive(path, "camvid", files)


CAMERA = "517.679 0 320\n0 517.679 240.5\n0 0 1\n"
"""The first rows of BIWI's `rgb.cal`; six more follow that describe the camera's place."""


def biwi(path: Path, people: int = 12, each: int = 12) -> Path:
    """A folder for each person: pictures of 160x120 pixels, poses in millimetres, and the camera.

    A face is anywhere in its picture.
    """
    files: dict[str, bytes] = {}
    rng = np.random.default_rng(0)
    for person, found in enumerate(_people(people, each), 1):
        folder = f"{person:02}"
        files[f"{folder}/rgb.cal"] = f"{CAMERA}\n0 0 0 0\n1 0 0\n0 1 0\n0 0 1\n640 480\n".encode()
        for n, (face, middle) in enumerate(found, 3):
            content, (x, y) = _placed(face, middle, rng)
            far = 900.0 + n
            point = (x - 320) * far / 517.679, (y - 240.5) * far / 517.679, far
            pose = "1 0 0\n0 1 0\n0 0 1\n\n" + " ".join(f"{one:.4f}" for one in point) + "\n"
            files[f"{folder}/frame_{n:05}_pose.txt"] = pose.encode()
            files[f"{folder}/frame_{n:05}_rgb.jpg"] = content
    return archive(path, "biwi_head_pose", files)


def _placed(
    face: Image.Image, middle: tuple[float, float], rng: np.random.Generator
) -> tuple[bytes, tuple[float, float]]:
    """A picture of 160x120 pixels with a face somewhere in it, and where its middle is."""
    side = int(rng.integers(56, 80))
    across, down = int(rng.integers(0, 160 - side)), int(rng.integers(0, 120 - side))
    room = Image.fromarray(rng.integers(90, 130, (120, 160, 3), np.uint8))
    room.paste(face.resize((side, side)), (across, down))
    x, y = (m * side / f for m, f in zip(middle, face.size, strict=True))
    return _jpeg(np.asarray(room)), (across + x, down + y)


def _people(people: int, each: int) -> list[list[tuple[Image.Image, tuple[float, float]]]]:
    """Pictures of persons, and where their face's middle is."""
    data = SHARED / "data" / "faces68"
    with (data / "train.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[str, list[tuple[Image.Image, tuple[float, float]]]] = {}
    for row in rows:
        own = found.setdefault(row["person"], [])
        if len(own) < each:
            x, y = (np.mean([float(row[f"{axis}{n}"]) for n in range(68)]) for axis in "xy")
            content = (data / "train" / row["image"]).read_bytes()
            own.append((Image.open(io.BytesIO(content)), (float(x), float(y))))
    return [one for one in found.values() if len(one) == each][:people]


def _jpeg(picture: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "JPEG", quality=92)
    return content.getvalue()


def _png(values: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(values).save(content, "PNG")
    return content.getvalue()
