"""Every shape of the table: a small competition, `kitbox init`, a run, an independent check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from competitions import COMPETITIONS, Wanted
from independent_check import check
from typer.testing import CliRunner

from kitbox import recipe as recipes
from kitbox.cli import app
from kitbox.kaggle import mounts
from kitbox.progress import Progress
from kitbox.runner import run

PACKED = "aerial-cactus-identification"
"""Comes in zips, which the source `kaggle` opens."""
MASKS = {
    *("tgs-salt-identification-challenge", "hubmap-kidney-segmentation", "airbus-ship-detection"),
    *("carvana-image-masking-challenge", "vesuvius-challenge-ink-detection"),
    *("google-research-identify-contrails-reduce-global-warming", "data-science-bowl-2018"),
    *("severstal-steel-defect-detection", "uw-madison-gi-tract-image-segmentation"),
    "siim-acr-pneumothorax-segmentation",
}
TAGS = {"plant-pathology-2021-fgvc8", "imet-2020-fgvc7", "human-protein-atlas-image-classification"}
SMALL = [
    "backbone={use: timm, name: test_resnet, pretrained: false}",
    "size=32",
    "batch_size=8",
]


@pytest.mark.parametrize("slug", COMPETITIONS)
def test_from_its_files_to_a_file_that_it_takes(
    slug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(mounts.INPUT, str(tmp_path / "input"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "input" / "competitions" / slug
    wanted = COMPETITIONS[slug](folder)
    what = slug if slug == PACKED else str(folder)
    done = CliRunner().invoke(app, ["init", "competition", what, "--out", "recipe.yaml"])
    assert done.exit_code == 0, done.output
    assert "recipe.yaml written. Tried: " in done.output
    assert f", {len(pictures(wanted))} to predict." in done.output
    for words in wanted.not_known:
        assert words in done.output.partition("Not known, and to be looked at")[2]

    masks = slug in MASKS
    stages = "stages=[{epochs: 6, lr: 0.01}]" if masks else "stages=[{epochs: 1, lr: 0.003}]"
    # A net that has learned little is tuned to write all labels, or none.
    fixed = ["task.threshold=0.5"] if slug in TAGS else []
    recipe = recipes.read(tmp_path / "recipe.yaml", [*SMALL, stages, *fixed])
    ran = run(recipe, tmp_path / "run", progress=Progress(quiet=True))
    assert ran.submission is not None
    assert check(ran.submission, wanted, tmp_path / "run" / "predictions_test.csv") == []


def pictures(wanted) -> set[str]:
    """The pictures that a competition wants predicted."""
    if "looked" in wanted.facts:
        return {image for image, _ in wanted.facts["looked"]}
    if "class_in_key" in wanted.facts or "same" in wanted.facts:
        return {key.rpartition("_")[0] for key in wanted.keys}
    return {*wanted.keys}


def lay(folder: Path, header: str, *rows: str, of: str = "predictions_test.csv") -> Path:
    (folder / of).write_text("\n".join([header, *rows, ""]))
    return folder / of


def test_the_check_sees_what_is_wrong_in_cells_of_several_words(tmp_path: Path) -> None:
    predicted = lay(tmp_path, "id,red,green,blue", "a,0.9,0.6,0.2", "b,0.1,0.3,0.2")
    (tmp_path / "model").mkdir()
    model = tmp_path / "model" / "model.json"
    facts = {"among": ["red", "green", "blue"], "least": 1}
    wanted = Wanted(["id", "labels"], ["a", "b"], "words", facts)

    def faults(first: str, second: str, limit: object = 0.5) -> list[str]:
        model.write_text(json.dumps({"task": {"threshold": limit}}))
        made = lay(tmp_path, "id,labels", f"a,{first}", f"b,{second}", of="submission.csv")
        return check(made, wanted, predicted)

    assert faults("red green", "green") == []
    assert faults("green red", "green") == []
    for first in ("red", "green", "red green blue", "red blue", "red red green", "", "red  green"):
        assert faults(first, "green"), first
    for second in ("red", "blue", "", "green blue", "black"):
        assert faults("red green", second), second
    assert faults("red", "green", 0.7) == []
    assert faults("red green", "green", 0.7)
    assert faults("red", "green blue", {"red": 0.5, "green": 0.25, "blue": 0.1})
    assert faults("red green blue", "green blue", {"red": 0.5, "green": 0.25, "blue": 0.1}) == []
    assert faults("red green blue", "red green blue", 0.0) == [
        "all or no labels everywhere: nothing was told"
    ]


def test_the_check_sees_what_is_wrong_in_the_best_few(tmp_path: Path) -> None:
    predicted = lay(tmp_path, "id,x,y,z", "a,0.5,0.3,0.2")
    wanted = Wanted(["id", "best"], ["a"], "best", {"among": ["x", "y", "z"], "most": 2})

    def faults(cell: str) -> list[str]:
        made = lay(tmp_path, "id,best", f"a,{cell}", of="submission.csv")
        return check(made, wanted, predicted)

    assert faults("x y") == []
    for cell in ("y x", "x z", "x", "x x", "x y z", "x w", ""):
        assert faults(cell), cell
