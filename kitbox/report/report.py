"""The report of a run: what it was, what it learned, what may be mended, in one HTML file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kitbox import storage as files
from kitbox.data import counts, table_file
from kitbox.interpretation import across
from kitbox.interpretation.advice import addressed
from kitbox.progress import Progress, clock
from kitbox.report import card, curves, times
from kitbox.report.page import Part, image, of_section, render, said
from kitbox.results.folder import (
    BATCH,
    ENVIRONMENT,
    LOG,
    RECIPE,
    REPORT,
    STATE,
    TABLE,
    TIMES,
    RunFolder,
)

if TYPE_CHECKING:
    from kitbox.data.pixels import Pixels
    from kitbox.interpretation.across import Pair
    from kitbox.interpretation.interpretation import Interpretation


@dataclass(frozen=True)
class Told:
    """What a report tells of.

    Attributes:
        name: of the run.
        at: when it ended.
        scores: of the weights that predict, on the validation rows.
        kept: which weights those are, in words.
        submission: the name of the file to hand in, or None.
        seconds: from the start to here; `spent` of these, by what was done.
        recipe: the recipe, YAML.
        environment: what `environment.json` keeps.
        rows: the run's table.
        log: a row an epoch; `epochs` the same epochs' seconds, as in `times.csv`.
        batch: `batch.png`; None where there is none.
        seen: the interpretation of the validation rows; None where there is none.
        pixels: the decoded pictures of the rows; None where they are not there.
        copies: pairs of pictures that look alike; None where nobody looked.
    """

    name: str
    at: str
    scores: Mapping[str, float]
    kept: str
    submission: str | None
    seconds: float
    spent: Mapping[str, float]
    recipe: str
    environment: Mapping[str, Any]
    rows: pd.DataFrame
    log: pd.DataFrame
    epochs: pd.DataFrame
    batch: bytes | None = None
    seen: Interpretation | None = None
    pixels: Pixels | None = None
    copies: Sequence[Pair] | None = None


def write(
    folder: RunFolder,
    ended: Mapping[str, Any],
    seen: Interpretation,
    pixels: Pixels,
    progress: Progress,
) -> bool:
    """Write `report.html` into a run's folder; whether it was written.

    What goes wrong is said, and stops nothing: the run is worth more than its report.

    Args:
        ended: what `run.json` will say, or says.
        seen: the interpretation of the validation rows.
        pixels: the decoded pictures of the scene's rows.
    """
    known = int(seen.scene.table["part"].isin(["train", "valid"]).sum())
    try:
        with progress.bar("report", min(known, across.MOST)) as step:
            alike = across.find(seen.scene, across.MOST, step)
            page = html(tell(folder, ended, seen, pixels, alike))
            files.write(folder / REPORT, page)
    except Exception as error:  # noqa: BLE001  a task's plots may be a stranger's
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        progress.warn(f"{REPORT} could not be made: {type(error).__name__}: {reason}")
        return False
    progress.say(f"{folder / REPORT}: what it learned, what it got wrong, what to change")
    return True


def tell(
    folder: RunFolder,
    ended: Mapping[str, Any],
    seen: Interpretation | None,
    pixels: Pixels | None,
    alike: Sequence[Pair] | None,
) -> Told:
    """What a run's folder holds to tell of; see `write`."""
    import json

    batch = folder / BATCH
    state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    return Told(
        name=str(state["name"]),
        at=str(state["at"]),
        scores={k: math.nan if v is None else v for k, v in ended.get("scores", {}).items()},
        kept=str(ended.get("kept", "")),
        submission=ended.get("submission"),
        seconds=float(ended.get("seconds", 0.0)),
        spent=ended.get("spent", {}),
        recipe=(folder / RECIPE).read_text(encoding="utf-8"),
        environment=json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8")),
        rows=table_file.load(folder / TABLE),
        log=pd.read_csv(folder / LOG) if (folder / LOG).exists() else pd.DataFrame(),
        epochs=_times(folder / TIMES),
        batch=batch.read_bytes() if batch.exists() else None,
        seen=seen,
        pixels=pixels,
        copies=alike,
    )


def _times(path: Path) -> pd.DataFrame:
    """Seconds of the epochs; what an older run did not measure is 0."""
    measured = pd.read_csv(path) if path.exists() else pd.DataFrame()
    names = ("stage", "epoch", "seconds", "validating", "waited", "made")
    return measured.reindex(columns=list(names)).fillna(0.0)


def html(told: Told) -> str:
    """The report as one HTML file that needs nothing else."""
    from kitbox import __version__

    parts = [
        _summary(told),
        _advice(told),
        _data(told),
        _batch(told),
        curves.curves(told.log, told.kept),
        *(of_section(section) for section in (told.seen.sections() if told.seen else [])),
        times.timings(told.epochs, told.spent, told.seconds),
        _environment(told.environment),
        Part(
            "Recipe",
            ["What was done, defaults included; `kitbox run` does it again."],
            code=told.recipe,
        ),
    ]
    shown = [part for part in parts if part is not None]
    place = told.environment.get("place", "")
    known = f", {place}" if place not in ("", "elsewhere") else ""
    where = f"{told.environment.get('device', '')}{known}"
    subtitle = f"A run of kitbox, ended {told.at} on {where}"
    return render(told.name, subtitle, shown, f"Written by kitbox {__version__}.")


def _summary(told: Told) -> Part:
    facts = {f"validation {name}": said(value) for name, value in told.scores.items()}
    facts["epochs"] = said(len(told.log))
    facts["time"] = clock(told.seconds)
    lines = [f"Predicted with: {told.kept}."] if told.kept else []
    lines.append(f"Weights: {told.environment.get('weights', '')}.")
    if told.submission is not None:
        lines.append(f"{told.submission} beside this page is what to hand in.")
    if told.seen is not None:
        lines += told.seen.headlines()
    return Part("Summary", lines, facts)


def _advice(told: Told) -> Part | None:
    if told.seen is None:
        return None
    found = told.seen.advice(copies=False)  # those that were found are told below
    if crossing := across.across(told.copies or []):
        scene = told.seen.scene
        found.append(addressed(across.advice(scene, crossing), scene))
    if not found:
        line = "Nothing was seen that a change of the recipe would clearly mend."
        return Part("Advice", [line])
    return Part("Advice", ["What was seen, and the change of the recipe for it."], advice=found)


def _data(told: Told) -> Part:
    classes = None
    if told.seen is not None:
        scene = told.seen.scene
        classes = counts.by_class(scene.task, told.rows, scene.files)
    broken = told.environment.get("broken", {})
    return card.card(told.rows, told.pixels, broken, told.copies, classes)


def _batch(told: Told) -> Part | None:
    if told.batch is None:
        return None
    line = "Training pictures as the model sees them, varied, with their targets."
    return Part("A batch", [line], figures=[image(told.batch, "", line)])


def _environment(environment: Mapping[str, Any]) -> Part:
    plain = {
        name: said(value)
        for name, value in environment.items()
        if not isinstance(value, Mapping | list)
    }
    versions = pd.DataFrame(
        {"version": dict(environment.get("versions", {}))}, dtype=object
    ).rename_axis("package")
    plugins = pd.DataFrame(environment.get("plugins", []))
    tables = {
        "environment": pd.DataFrame({"value": plain}, dtype=object).rename_axis("what"),
        "versions": versions,
    }
    if len(plugins):
        tables["plugins"] = plugins
    return Part("Environment", tables=tables)
