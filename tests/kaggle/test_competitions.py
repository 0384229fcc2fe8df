"""Every shape of the table: a small competition, `kitbox init`, a run, an independent check."""

from __future__ import annotations

from pathlib import Path

import pytest
from competitions import COMPETITIONS
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
    recipe = recipes.read(tmp_path / "recipe.yaml", [*SMALL, stages])
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
