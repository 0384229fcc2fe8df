"""`kitbox interpret`, as a person gives it; and a recipe that takes what it writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from results import PLACE, finished, follow, small, source
from typer.testing import CliRunner

from kitbox.cli import app


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setenv("KITBOX_CACHE", str(PLACE / "cache"))
    done = CliRunner().invoke(app, ["interpret", *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_tables_plots_and_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished(), run)
    said = call(monkeypatch, str(run))
    assert " right (" in said
    names = {path.name for path in (run / "interpretation").iterdir()}
    assert {"confusion-matrix.csv", "top-losses.png", "scores.csv", "advice.json"} <= names
    assert isinstance(json.loads((run / "interpretation" / "advice.json").read_text()), list)
    edited = run / "interpretation" / "top-losses.csv"
    edited.write_text("image\nmine.png\n")
    said = call(monkeypatch, str(run), "--no-copies")  # again, over its own files
    assert "was changed by somebody and stays as it is; top-losses-new.csv is new" in said
    assert edited.read_text() == "image\nmine.png\n"
    assert len(pd.read_csv(edited.with_name("top-losses-new.csv"))) == 20
    now = {path.name for path in (run / "interpretation").iterdir()}
    assert now == {*names, "top-losses-new.csv"}


def test_problem_cases_go_into_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hard = tmp_path / "hard.csv"
    said = call(monkeypatch, str(finished()), "--files", str(source()), "--hard", str(hard))
    assert "sampler: {csv:" in said
    assert len(pd.read_csv(hard)) == 8
    follow(small(sampler={"csv": str(hard)}), tmp_path / "next")
    assert (tmp_path / "next" / "submission.csv").is_file()


def test_a_part_that_there_is_not() -> None:
    assert CliRunner().invoke(app, ["interpret", "x", "--part", "tset"]).exit_code == 2
