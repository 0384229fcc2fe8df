"""The report of a run: written by the run, made again by a command, never in the run's way."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

import kitbox
from kitbox.cli import app
from kitbox.data import table_file
from kitbox.progress import Progress
from kitbox.report import report
from kitbox.testing import Tiny, isolated, picture
from kitbox.testing.pictures import write_picture

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


def parts(html: str) -> dict[str, str]:
    """The markup of each section by its title, ids of charts left out."""
    found = re.findall(r"<h2>([^<]+)</h2>(.*?)</section>", html, flags=re.DOTALL)
    return {title: re.sub(r"c\d+-", "", text) for title, text in found}


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


def test_the_command_makes_the_same_again(made: Path) -> None:
    before = parts((made / "report.html").read_text(encoding="utf-8"))
    (made / "report.html").unlink()
    with isolated(backbone={"tiny": Tiny}):
        done = CliRunner().invoke(app, ["report", str(made)])
    assert done.exit_code == 0, done.output
    assert "nothing to decode" in done.output
    after = parts((made / "report.html").read_text(encoding="utf-8"))
    assert list(after) == list(before)
    for title in ("Summary", "Data", "A batch", "Training", "Recipe", "Environment"):
        assert after[title] == before[title], title
    found = re.findall(r"<b>([^<]+)</b><span>(train|valid|test)\w* pictures", after["Data"])
    rows = pd.read_csv(made / "table.csv")["part"].value_counts()
    assert {part: int(count.replace(",", "")) for count, part in found} == rows.to_dict()


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


def recipe_of(folder: Path, **changes: Any) -> dict[str, Any]:
    """The values of a recipe of one epoch on a folder of pictures."""
    values = VALUES | {
        "source": {"use": "folder", "path": str(folder)},
        "labeler": "folder",
        "stages": [{"epochs": 1}],
    }
    del values["test"], values["submission"]
    return values | changes


@pytest.mark.parametrize(("side", "near", "told"), [(96, 3, True), (24, 3, False), (24, 0, True)])
def test_copies_on_both_sides_of_the_split_are_advised_on(
    tmp_path: Path, side: int, near: int, told: bool
) -> None:
    """Small pictures of one kind are alike without being copies, unless they are the same."""
    for number in range(16):
        made = picture(side, side, number if number != 9 else 2)
        (tmp_path / "of" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        shown = Image.fromarray(made | near if number == 9 else made)
        shown.save(tmp_path / "of" / "ab"[number % 2] / f"{number}.png")
    names = [f"{'ab'[n % 2]}/{n}.png" for n in range(16)]
    rows = pd.DataFrame({"image": names, "label": [name[0] for name in names]})
    rows["part"] = ["train"] * 8 + ["valid"] * 8
    rows.to_csv(tmp_path / "of" / "all.csv", index=False)
    labeler = {"use": "table", "csv": "all.csv", "id": "image", "labels": "label"}
    split = {"use": "column", "column": "part"}
    values = recipe_of(tmp_path / "of", labeler=labeler, split=split, size=side)
    run = tmp_path / "run"
    with isolated(backbone={"tiny": Tiny}):
        kitbox.run(kitbox.make_recipe(values), run, progress=Progress(io.StringIO()))
        html = (run / "report.html").read_text(encoding="utf-8")
        assert CliRunner().invoke(app, ["interpret", str(run)]).exit_code == 0
        assert CliRunner().invoke(app, ["report", str(run)]).exit_code == 0
    advice = json.loads((run / "interpretation" / "advice.json").read_text())
    found = parts(html)
    assert ("copies across the split" in found["Advice"]) == told
    assert ("a/2.png and b/9.png" in found["Advice"]) == told
    assert ("copies across the split" in [one["about"] for one in advice]) == told
    assert f"<b>{int(told)}</b><span>pairs that look alike" in found["Data"]
    again = parts((run / "report.html").read_text(encoding="utf-8"))
    assert {t: again[t] for t in ("Data", "Advice")} == {t: found[t] for t in ("Data", "Advice")}


@pytest.mark.parametrize("name", [b"caf\xe9", b"caf\xe9.png"])
def test_names_that_are_no_text(tmp_path: Path, name: bytes) -> None:
    """Of a file, and of a folder whose name is a class: both get predictions and a report."""
    strange = os.fsdecode(name)
    for number in range(24):
        folder, file = ("a", "b")[number % 2], f"{number}.png"
        if not name.endswith(b".png"):
            folder = ("a", strange)[number % 2]
        elif number == 0:
            file = strange
        write_picture(tmp_path / "of" / folder / "x.png", 40, 40, seed=number)
        (tmp_path / "of" / folder / "x.png").rename(tmp_path / "of" / folder / file)
    values = recipe_of(tmp_path / "of", split={"use": "stratified", "valid": 0.5, "seed": 1})
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(values))
    run = tmp_path / "run"
    with isolated(backbone={"tiny": Tiny}):
        for words in (
            ["run", str(tmp_path / "r.yaml"), "--out", str(run)],
            ["report", str(run)],
            ["interpret", str(run)],
            ["interpret", str(run), "--part", "train", "--out", str(tmp_path / "train")],
        ):
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, (done.output, done.exception)
            assert "could not be made" not in done.output
    given = table_file.load(run / "predictions_valid.csv")
    rows = table_file.load(run / "table.csv")
    assert list(given["id"]) == list(rows.loc[rows["part"] == "valid", "id"])
    html = (run / "report.html").read_text(encoding="utf-8")
    assert r"caf\udce9" in html
