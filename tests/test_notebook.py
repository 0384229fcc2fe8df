"""Bars and tables in a real kernel, as a person finds them in the cells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from results import PLACE

import kitbox
from kitbox.notebook import Bar

PLACES = (Path(__file__).parent, Path(kitbox.__file__).parents[1])
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def executed(
    cells: list[str], place: Path, monkeypatch: pytest.MonkeyPatch, *, errors: bool = False
) -> list[list[Any]]:
    """The outputs of each cell."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, PLACES)))
    monkeypatch.setenv("KITBOX_CACHE", str(PLACE / "cache"))
    monkeypatch.setenv("IPYTHONDIR", str(place / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        made,
        timeout=300,
        kernel_name="python3",
        allow_errors=errors,
        resources={"metadata": {"path": str(place)}},
    )
    client.execute()
    return [cell.outputs for cell in made.cells]


def shown(outputs: list[Any], kind: str) -> list[str]:
    return [one["data"][kind] for one in outputs if kind in one.get("data", {})]


def printed(outputs: list[Any]) -> str:
    return "".join(one["text"] for one in outputs if one["output_type"] == "stream")


def test_a_table_stays_and_bars_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [
        """
import time
from kitbox.progress import Progress
progress = Progress()
progress.say("began")
progress.head({"epoch": "1", "loss": "0.5"})
for epoch in (1, 2):
    with progress.bar(f"epoch {epoch}", 3) as step:
        step(3, note="loss <1>")
    progress.row({"epoch": str(epoch), "loss": "0.5"})
progress.say("between")
progress.head({"epoch": "1", "new": "0.5"})
progress.row({"epoch": "9", "new": "<b>"})
""",
        "with progress.bar('another cell', 4) as step:\n    step(2)",
        "bar = progress.bar('at work', 4)\nstep = bar.__enter__()\n"
        "time.sleep(.3)\nstep(1, note='n')",
    ]
    first, second, third = executed(cells, tmp_path, monkeypatch)
    assert printed(first) == "began\nbetween\n"
    one, two = shown(first, "text/html")
    assert one.count("<tr>") == 3
    assert "<progress" not in one
    assert two.count("<tr>") == 2
    assert "&lt;b&gt;" in two
    assert shown(first, "text/plain")[0].splitlines() == [
        "epoch  loss",
        "    1   0.5",
        "    2   0.5",
    ]
    assert shown(second, "text/html") == [""]
    (moving,) = shown(third, "text/html")
    assert '<progress value="1" max="4"></progress> at work: 1 of 4' in moving
    assert moving.endswith("n</div>")


def test_a_table_is_below_what_was_said_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finder's bar, what it found, and then the epochs: all in one cell."""
    cell = """
from kitbox.progress import Progress
progress = Progress()
with progress.bar("finder", 3) as step:
    step(3)
progress.say("found")
progress.head({"epoch": "1"})
with progress.bar("epoch 1", 3) as step:
    step(3)
progress.row({"epoch": "1"})
"""
    (found,) = executed([cell], tmp_path, monkeypatch)
    told = [one.get("text") or one["data"]["text/html"] for one in found]
    assert [one for one in told if one] == ["found\n", told[-1]]
    assert told[-1].count("<tr>") == 2


def test_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The course's five lines, then what goes wrong, each in a cell."""
    cells = [
        "import os, signal, kitbox\nfrom learning import NET, OF_DATA\n"
        "data = kitbox.load(**{k: v for k, v in OF_DATA.items() if v is not None})",
        "data.show_batch()",
        "data",
        "learn = kitbox.Learner(data, NET)",
        "learn.fit_one_cycle(2)",
        "learn.lr_find()",
        "learn.recorder.plot_losses()",
        "learn.fit_one_cycle(0)",
        "watch = learn._session.trainer.watch\n"
        "def stop(*seen):\n    watch(*seen)\n"
        "    if seen[1]: os.kill(os.getpid(), signal.SIGINT)\n"
        "learn._session.trainer.watch = stop\n"
        "learn.fit_one_cycle(2)",
        "learn._session.trainer.watch = watch\nlearn.fit_one_cycle(2)",
        "learn.predict(data.files / data.rows['image'][0])",
    ]
    found = executed(cells, tmp_path, monkeypatch, errors=True)
    assert "pictures: 80 train, 20 validate, 20 to predict" in printed(found[0])
    assert len(shown(found[1], "image/png")) == 1
    assert "<table" in shown(found[2], "text/html")[0]
    tables = [page for page in shown(found[4], "text/html") if page]
    assert len(tables) == 1
    assert tables[0].count("<tr>") == 3
    assert "valid_loss" in tables[0]
    assert "data:image/png;base64," in shown(found[5], "text/html")[-1]
    assert len(shown(found[6], "image/png")) == 1
    (wrong,) = (one for one in found[7] if one["output_type"] == "error")
    assert len(wrong["traceback"]) == 1
    assert wrong["traceback"][0].startswith("RecipeError: A stage cannot be so: epochs: found 0")
    (stopped,) = (one for one in found[8] if one["output_type"] == "error")
    assert stopped["traceback"] == [
        "Interrupted: fit 2 was cut short at epoch 1, step 1. The weights stay as they are now; "
        "the same call goes on with it, another one begins a new fit"
    ]
    assert "goes on from stage 2, epoch 1, step 1" in printed(found[9])
    assert len([page for page in shown(found[9], "text/html") if page]) == 1
    assert shown(found[10], "text/plain")[-1].split()[0].isdigit()


def test_how_far_a_bar_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitbox.notebook.time.monotonic", lambda: 130.0)
    assert Bar("decoding", 4, began=100.0).said() == "decoding: 0 of 4, 0:30"
    assert Bar("x", 4, 1, "note", 100.0).said() == "x: 1 of 4, 0:30, 1:30 left  note"
