"""The report of a run: written by the run, made again by a command, never in the run's way."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import kitbox
from kitbox.cli import app
from kitbox.progress import Progress
from kitbox.report import report
from kitbox.testing import Tiny, isolated

from .browser import needs_browser, opened

VALUES: dict[str, Any] = {
    "source": "digits",
    "labeler": {"use": "folder", "path": "train"},
    "test": {"folder": "test"},
    "task": "single-label",
    "backbone": "tiny",
    "augmentation": "none",
    "size": 32,
    "stages": [{"epochs": 1, "freeze": True}, {"epochs": 2, "lr": 3e-3}],
    "submission": {"sample": "sample_submission.csv"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "digits"
    told = io.StringIO()
    with isolated(backbone={"tiny": Tiny}):
        kitbox.run(kitbox.make_recipe(VALUES), folder, progress=Progress(told))
    assert "could not be made" not in told.getvalue(), told.getvalue()
    return folder


def sections(html: str) -> list[str]:
    return re.findall(r"<h2>([^<]+)</h2>", html)


def test_a_run_writes_it(made: Path) -> None:
    html = (made / "report.html").read_text(encoding="utf-8")
    found = sections(html)
    order = ["Summary", "Advice", "Data", "A batch", "Training", "Confusion", "Time", "Recipe"]
    assert [one for one in found if one in order] == order
    state = json.loads((made / "run.json").read_text())
    assert state["kept"] in html
    assert "use: tiny" in html
    assert "submission.csv beside this page" in html
    assert html.count("<img ") >= 3


@needs_browser
def test_a_browser_shows_a_runs_report(made: Path) -> None:
    size = {"width": 390, "height": 800}
    with opened(made / "report.html", viewport=size, offline=True) as (shown, troubles):
        wide = shown.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)")
        assert wide
        assert all(wide)
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390
        for link in shown.locator("nav a").all():
            assert shown.locator(link.get_attribute("href") or "").count() == 1
        assert troubles == []


def test_the_command_makes_it_again(made: Path) -> None:
    before = (made / "report.html").read_text(encoding="utf-8")
    (made / "report.html").unlink()
    with isolated(backbone={"tiny": Tiny}):
        done = CliRunner().invoke(app, ["report", str(made)])
    assert done.exit_code == 0, done.output
    after = (made / "report.html").read_text(encoding="utf-8")
    assert sections(after) == sections(before)


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert done.exit_code != 0


def test_a_recipe_may_want_none(tmp_path: Path) -> None:
    recipe = kitbox.make_recipe(
        {**VALUES, "backbone": {"use": "timm", "name": "test_resnet", "pretrained": False}}
        | {"report": False, "stages": [{"epochs": 1}]}
    )
    kitbox.run(recipe, tmp_path / "run", progress=Progress(quiet=True))
    assert not (tmp_path / "run" / "report.html").exists()


def test_what_goes_wrong_in_it_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*given: object) -> str:
        raise ValueError("a plot that cannot be drawn")

    monkeypatch.setattr(report, "html", breaks)
    with isolated(backbone={"tiny": Tiny}):
        done = kitbox.run(kitbox.make_recipe(VALUES), tmp_path / "run")
    assert done.submission is not None
    assert done.submission.exists()
    assert not (tmp_path / "run" / "report.html").exists()
    assert "a plot that cannot be drawn" in capsys.readouterr().out
