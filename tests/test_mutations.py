"""Valid things with a few bytes changed: a clear error or a result, and nothing outside touched.

`HYPOTHESIS_PROFILE=explore KITBOX_MUTATIONS=5000 pytest tests/test_mutations.py` tries more and
other ones than CI does. What failed once stands here as an example.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from PIL import Image
from results import finished

from kitbox import recipe as recipes
from kitbox import registry
from kitbox.data import images
from kitbox.data.assemble import label
from kitbox.demo import PATH as DEMO
from kitbox.errors import KitboxError
from kitbox.progress import Progress
from kitbox.results import saved
from kitbox.results.predictor import Predictor
from kitbox.training import checkpoints
from kitbox.writers import sample as samples

TRIES = int(os.environ.get("KITBOX_MUTATIONS", "150"))
SOON = settings(max_examples=TRIES, deadline=20_000, suppress_health_check=[HealthCheck.too_slow])
BITS = (
    *("", ",", ";", "\t", "\n", "\r", "\r\n", '"', "'", "\\", "\0", " ", "#", ":", "- ", "?"),
    *("[", "]", "{", "}", "&a", "*a", "!", "!!python/object:os.system", "|", ">", "%", "<<: "),
    *("-1", "0", "1e999", "nan", "-inf", "1_000", "0x10", "NULL", "true", "~", "é", "\ufeff", "中"),
    *("../", "/", "/etc/passwd", "C:\\", "a/../../b", "\ud800".encode("utf-8", "surrogatepass")),
    *(b"\xff\xfe", b"\x80", b"\x00\x00\x00\xff", b"\xff\xff\xff\xff", b"PK\x03\x04"),
)


@st.composite
def mutated(draw: st.DrawFn, good: bytes) -> bytes:
    """A few cuts, copies, swaps and foreign bits."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        kind = draw(st.sampled_from(["cut", "truncate", "copy", "bit", "byte", "put"]))
        if kind == "cut":
            del data[start:end]
        elif kind == "truncate":
            del data[start:]
        elif kind == "copy":
            data[start:start] = data[start:end]
        elif kind == "bit":
            put = draw(st.sampled_from(BITS))
            data[start:end] = put if isinstance(put, bytes) else put.encode()
        elif start < len(data):
            data[start] = draw(st.integers(0, 255))
    return bytes(data)


@contextlib.contextmanager
def place(**files: bytes) -> Iterator[Path]:
    """A folder with files, beside one that nobody may touch."""
    with tempfile.TemporaryDirectory(prefix="kitbox-mutations-") as name:
        around = Path(name)
        (around / "mine.txt").write_text("mine")
        folder = around / "folder"
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        yield folder
        assert sorted(p.name for p in around.iterdir()) == ["folder", "mine.txt"]
        assert (around / "mine.txt").read_text() == "mine"


def clear(work: Callable[[], object]) -> None:
    """Do it: a result, or an error that is one paragraph for a person."""
    said = "nothing"
    try:
        work()
    except KitboxError as error:
        said = str(error)
    assert said.strip()
    assert "Traceback" not in said
    assert said.replace("\n", "").isprintable()


RECIPE = DEMO.read_bytes()
FULL = b"""\
source: {use: folder, path: data}
labeler: {use: table, csv: train.csv, id: image, labels: [a, b], folder: train, suffix: .jpg}
test: {folder: test}
split: {use: group, column: person, valid: 0.2, seed: 1}
task: {use: regression, metrics: [rmse], bounds: [0, 5]}
backbone: {use: timm, name: resnet18}
augmentation: {use: standard, area: [0.5, 1.0]}
size: [128, 96]
stages:
  - {epochs: 1, freeze: true}
  - {epochs: 5, lr: [1.0e-5, 1.0e-3], size: 64}
checkpoint_every: 10min
submission: {sample: sample.csv, writer: {use: wide}}
"""


@SOON
@given(st.one_of(mutated(RECIPE), mutated(FULL)))
def test_recipes(content: bytes) -> None:
    with place(**{"recipe.yaml": content}) as folder:
        clear(lambda: recipes.read(folder / "recipe.yaml"))


TABLE = "image,person,tags,x,y\n" + "".join(
    f'{n}.png,p{n % 4},"a b{" c" * (n % 3)}",{n}.5,{40 - n}\n' for n in range(12)
)
PNG = io.BytesIO()
Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(PNG, "png")
TASKS = (
    ({"labels": "person"}, "single-label"),
    ({"labels": "tags", "delimiter": " "}, "multi-label"),
    ({"labels": ["x", "y"]}, "regression"),
    ({}, "single-label"),
)


@SOON
@example(TABLE.replace("image,", "image\0").encode(), TASKS[0], "random")  # said \0 in its error
@given(mutated(TABLE.encode()), st.sampled_from(TASKS), st.sampled_from(["random", "stratified"]))
def test_tables(content: bytes, task: tuple[dict[str, object], str], split: str) -> None:
    pictures = {f"{n}.png": PNG.getvalue() for n in range(12)}
    options, name = task

    def work() -> None:
        labeler = registry.labelers.build({"use": "table", "csv": "t.csv", **options})
        splitter = registry.splitters.build({"use": split, "valid": 0.3, "seed": 1})
        known = label(folder, labeler, splitter, Progress(io.StringIO()))
        learned = registry.tasks.build({"use": name}).learn(known.rows, known.targets, folder)
        targets = learned.encode(known.rows, folder)
        assert len(targets) == len(known.rows)

    with place(**pictures, **{"t.csv": content}) as folder:
        clear(work)


@SOON
@given(mutated(b"id,EncodedPixels\n" + b"".join(b"%d,1 3 10 5\n" % n for n in range(9))))
def test_samples(content: bytes) -> None:
    with place(**{"sample.csv": content}) as folder:
        clear(lambda: samples.ids(samples.read(folder / "sample.csv")))


def packed(kind: str) -> bytes:
    into = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
            for n in range(4):
                archive.writestr(f"top/{n % 2}/{n}.png", PNG.getvalue())
        return into.getvalue()
    with tarfile.open(fileobj=into, mode=f"w:{kind}") as tar:  # type: ignore[call-overload]
        for n in range(4):
            member = tarfile.TarInfo(f"top/{n % 2}/{n}.png")
            member.size = len(PNG.getvalue())
            tar.addfile(member, io.BytesIO(PNG.getvalue()))
    return into.getvalue()


@pytest.mark.parametrize("kind", ["zip", "", "gz", "bz2", "xz"])
def test_archives(kind: str) -> None:
    good = packed(kind)

    @settings(SOON, max_examples=max(20, TRIES // 3))
    @given(mutated(good))
    def check(content: bytes) -> None:
        with place(archive=content) as folder:
            source = registry.sources.build({"use": "untar", "url": str(folder / "archive")})
            clear(lambda: source.fetch(folder / "cache"))

    check()


def drawn(suffix: str) -> bytes:
    into = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(into, suffix)
    return into.getvalue()


@pytest.mark.parametrize("suffix", ["jpeg", "png", "gif", "webp", "tiff", "bmp", "ppm"])
def test_pictures(suffix: str) -> None:
    good = drawn(suffix)

    @settings(SOON, max_examples=max(20, TRIES // 3))
    @given(mutated(good))
    def check(content: bytes) -> None:
        with place(picture=content) as folder:
            clear(lambda: images.decode(folder / "picture", 16))
            clear(lambda: images.size(folder / "picture"))

    check()


@SOON
@given(st.data())
def test_saved_models(data: st.DataObject) -> None:
    """A model whose facts or weights were changed is refused, or is the same model."""
    model = finished() / "model"
    with place() as folder:
        shutil.copytree(model, folder / "model")
        name = data.draw(st.sampled_from([saved.FACTS, saved.WEIGHTS]))
        (folder / "model" / name).write_bytes(data.draw(mutated((model / name).read_bytes())))
        clear(lambda: Predictor.load(folder / "model"))


@SOON
@given(st.data())
def test_checkpoints(data: st.DataObject) -> None:
    """A damaged checkpoint is not there."""
    import torch

    with place() as folder:
        path = folder / "checkpoint.safetensors"
        good = checkpoints.Checkpoint({"w": torch.arange(9.0)}, {"step": 3})
        checkpoints.save(path, good)
        content = path.read_bytes()
        changed = data.draw(mutated(content))
        path.write_bytes(changed)
        found = checkpoints.load(path)
        if found is not None:
            assert found.facts == good.facts
            assert torch.equal(found.tensors["w"], good.tensors["w"])
