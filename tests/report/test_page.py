"""The page: one file, whole, that a browser shows without errors, whatever stands in it."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kitbox.interpretation.advice import Advice
from kitbox.report import charts
from kitbox.report.page import FOLD, MOST_COLUMNS, MOST_ROWS, Part, image, render, said
from kitbox.results.pictures import grid, png

from .browser import needs_browser, opened

NASTY = "<script>alert(1)</script> & \"quoted\" 'x' $a_b$"


def page(*parts: Part) -> str:
    return render(f"run {NASTY}", "subtitle", parts, "footer")


def picture() -> bytes:
    made = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    return png(grid([made] * 3, ["a", "b", NASTY]))


def full() -> str:
    table = pd.DataFrame({"name": ["b", "c", NASTY], "value": [2.5, float("nan"), -10.25]})
    long = pd.DataFrame({"n": range(MOST_ROWS + 5), "t": [f"row {i}" for i in range(205)]})
    advice = Advice("imbalance", f"seen {NASTY}", "why", {"sampler": "balanced"}, ["kitbox clean"])
    curve = charts.lines({"a": ([1, 2], [3.0, 2.0])}, title="loss", x="epoch", marks=[1.5])
    bars = charts.bars({NASTY: {"train": 3.0}, "b": {"train": 1.0, "valid": 2.0}}, unit="pictures")
    return page(
        Part("Summary", [NASTY], {"error": "0.07"}, advice=[advice]),
        Part("Summary", figures=[image(picture(), NASTY), curve, bars]),
        Part("Tables", tables={"small": table, "long": long}, code=f"a: {NASTY}\n"),
    )


def test_nothing_of_the_run_becomes_markup() -> None:
    html = full()
    assert "<script>alert" not in html
    assert html.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in html


def test_it_needs_nothing_else() -> None:
    named = re.findall(r"""(?:src|href)="([^"]*)"|url\(([^)]*)\)""", full())
    assert named
    assert [one for one in named if not "".join(one).startswith(("data:", "#"))] == []


def test_the_same_run_gives_the_same_page() -> None:
    assert full() == full()


def test_long_tables_are_cut_and_folded() -> None:
    html = full()
    assert f"long ({MOST_ROWS + 5} rows)" in html
    assert "5 more rows are not shown." in html
    assert f"row {MOST_ROWS - 1}<" in html
    assert f"row {MOST_ROWS}<" not in html
    assert FOLD < MOST_ROWS


def test_no_rows_no_table() -> None:
    assert "<caption>" not in page(Part("Empty", tables={"none": pd.DataFrame({"a": []})}))


def test_a_table_of_many_columns_stays_away() -> None:
    names = [f"class {n}" for n in range(MOST_COLUMNS + 1)]
    table = pd.DataFrame(1, index=names, columns=names)
    html = page(Part("Confusion", tables={"confusion matrix": table}))
    assert "<td" not in html
    assert "confusion matrix: 42 columns are too many for a page" in html
    assert (
        "<code>kitbox interpret</code> writes them as interpretation/confusion-matrix.csv" in html
    )
    most = table.iloc[:MOST_COLUMNS, :MOST_COLUMNS]
    html = page(Part("Confusion", tables={"confusion matrix": most}))
    assert html.count("<td") == MOST_COLUMNS * (MOST_COLUMNS + 1)


def test_ids_are_of_one_thing_and_what_is_pointed_to_is_there() -> None:
    same = charts.lines({"a": ([1, 2], [3.0, 2.0])}, title="loss", x="epoch")
    html = page(Part("x", figures=[same, same, same]))
    ids = Counter(re.findall(r' id="([^"]*)"', html))
    assert len(ids) > 6
    assert max(ids.values()) == 1
    pointed = re.findall(r"""(?:href="|url\()#([^")]+)""", html)
    assert len(pointed) > 30
    assert set(pointed) <= set(ids)


def test_every_picture_says_what_it_is() -> None:
    html = page(Part("x", figures=[image(picture(), "", "a batch"), image(picture(), "worst")]))
    assert re.findall(r'alt="([^"]*)"', html) == ["a batch", "worst"]


def test_advice_is_a_command_that_a_shell_takes() -> None:
    change = {"exclude": "it's/suspects.csv", "sampler": {"csv": "a: b.csv"}}
    html = page(Part("Advice", advice=[Advice("labels", "seen", "why", change)]))
    (code,) = re.findall(r"<pre>(.*?)</pre>", html, flags=re.DOTALL)
    words = shlex.split(code.replace("&#39;", "'").replace("&#34;", '"'))
    assert words[:5] == ["kitbox", "run", "RECIPE", "--out", "OTHER"]
    assert words[5:] == [
        "--set",
        "exclude=it's/suspects.csv",
        "--set",
        "sampler={csv: 'a: b.csv'}",
    ]


def test_a_name_that_is_no_text_is_spelt_out() -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    html = page(Part(name, [name], tables={"t": pd.DataFrame({"image": [name]})}))
    assert html.encode().count(rb"caf\udce9.jpg") == 4


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1234567, "1,234,567"),
        (0.000012345, "1.234e-05"),
        (True, "yes"),
        (np.bool_(False), "no"),
        (np.float32(0.5), "0.5"),
        (float("inf"), "inf"),
        ("text", "text"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert said(value) == text


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_a_browser_shows_all_of_it(tmp_path: Path, scheme: str, width: int) -> None:
    file = tmp_path / "report.html"
    file.write_text(full(), encoding="utf-8")
    size = {"width": width, "height": 800}
    with opened(file, color_scheme=scheme, viewport=size, offline=True) as (shown, troubles):
        pictures = shown.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)")
        assert pictures
        assert all(wide > 0 for wide in pictures)
        drawn = shown.eval_on_selector_all(
            "svg", "all => all.map(s => s.getBoundingClientRect().width)"
        )
        assert len(drawn) == 2
        assert all(0 < wide <= max(width, 34 * 16) for wide in drawn)  # it scrolls within
        # Nothing sticks out at the side of a phone.
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        ground, ink = (
            shown.evaluate(f"getComputedStyle(document.body).{name}")
            for name in ("backgroundColor", "color")
        )
        light, dark = (sum(map(int, re.findall(r"\d+", one)[:3])) for one in (ground, ink))
        assert (light > dark + 300) if scheme == "light" else (dark > light + 300)
        assert troubles == []


@needs_browser
def test_tables_sort(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(full(), encoding="utf-8")
    with opened(file) as (shown, troubles):
        table = shown.locator("table").first
        cells = "t => [...t.tBodies[0].rows].map(r => r.cells[1].textContent)"
        assert table.evaluate(cells) == ["2.5", "", "-10.25"]
        table.get_by_role("button", name="value").click()
        assert table.evaluate(cells) == ["-10.25", "2.5", ""]  # what is missing comes last
        table.get_by_role("button", name="value").click()
        assert table.evaluate(cells) == ["2.5", "-10.25", ""]
        shown.get_by_text("long (205 rows)").click()
        shown.locator("table").nth(1).get_by_role("button", name="t").click()
        names = "t => [...t.tBodies[0].rows].slice(0, 3).map(r => r.cells[1].textContent)"
        assert shown.locator("table").nth(1).evaluate(names) == ["row 0", "row 1", "row 2"]
        assert troubles == []
