"""A run's folder for tests of submissions, made without training."""

from __future__ import annotations

from pathlib import Path

import yaml
from kaggle_client import AtKaggle
from kaggle_server import Competition
from results import SMALL

SAMPLE = b"id,label\nb,0\nc,0\n"
SUBMISSION = "id,label\nb,0.25\nc,0.75\n"


def run(at_kaggle: AtKaggle, name: str = "first", **changes: object) -> Path:
    """The folder of a run on the competition 'dogs', which the stand-in has."""
    at_kaggle.server.competitions.setdefault(
        "dogs", Competition({"sample_submission.csv": SAMPLE, "train/a.jpg": b"x"})
    )
    folder = at_kaggle.folder / "runs" / name
    folder.mkdir(parents=True)
    recipe = {**SMALL, "name": name, "source": {"use": "kaggle", "competition": "dogs"}, **changes}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "submission.csv").write_text(SUBMISSION)
    return folder
