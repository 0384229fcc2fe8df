"""The report of a run: written by the run, made again by a command, never in the run's way."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import kitbox
from kitbox.cli import app
from kitbox.progress import Progress
from kitbox.report import report
from kitbox.testing import Tiny, isolated, picture

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


@pytest.mark.parametrize(("side", "told"), [(96, True), (24, False)])
def test_copies_on_both_sides_of_the_split_are_advised_on(
    tmp_path: Path, side: int, told: bool
) -> None:
    """Of small pictures nothing is said: those of one kind are alike without being copies."""
    for number in range(16):
        made = Image.fromarray(picture(side, side, number if number != 9 else 2))
        (tmp_path / "of" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        made.save(tmp_path / "of" / "ab"[number % 2] / f"{number}.png")
    names = [f"{'ab'[n % 2]}/{n}.png" for n in range(16)]
    rows = pd.DataFrame({"image": names, "label": [name[0] for name in names]})
    rows["part"] = ["train"] * 8 + ["valid"] * 8
    rows.to_csv(tmp_path / "of" / "all.csv", index=False)
    values = VALUES | {
        "source": {"use": "folder", "path": str(tmp_path / "of")},
        "labeler": {"use": "table", "csv": "all.csv", "id": "image", "labels": "label"},
        "split": {"use": "column", "column": "part"},
        "size": side,
        "stages": [{"epochs": 1}],
    }
    del values["test"], values["submission"]
    with isolated(backbone={"tiny": Tiny}):
        kitbox.run(kitbox.make_recipe(values), tmp_path / "run", progress=Progress(io.StringIO()))
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert ("copies across the split" in html) == told
    assert ("a/2.png and b/9.png" in html) == told
    assert ("pairs that look alike" in html) == told
