"""Where the time went: a bar and a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kitbox.progress import clock
from kitbox.report import charts
from kitbox.report.page import Part

if TYPE_CHECKING:
    import pandas as pd


def timings(epochs: pd.DataFrame, spent: Mapping[str, float], seconds: float) -> Part:
    """Seconds by what was done in them.

    Args:
        epochs: `times.csv`: of each epoch `seconds`, and of these `validating` and `waited`;
            `made` are seconds of threads beside the training.
        spent: seconds of everything else that was measured, by what it was.
        seconds: from the start of the run to here.
    """
    import pandas as pd

    whole = {name: float(epochs[name].sum()) for name in ("seconds", "validating", "waited")}
    grouped: dict[str, float] = {}
    for what, took in spent.items():
        name = _group(what)
        grouped[name] = grouped.get(name, 0.0) + took
    training = max(0.0, whole["seconds"] - whole["validating"])
    waited = min(whole["waited"], training)
    pieces = {
        **grouped,
        "training steps": training - waited,
        "waiting for pictures": waited,
        "validating": whole["validating"] + grouped.pop("validating", 0.0),
    }
    pieces = {what: took for what, took in pieces.items() if what in grouped or took > 0}
    rest = seconds - sum(pieces.values())
    if rest > 0:
        pieces["start, tables, files"] = rest
    made = float(epochs["made"].sum())
    lines = [
        f"{clock(seconds)} in all. Threads spent {made:.3g} s beside it on making training and "
        f"validation pictures ready; the training waited {waited:.3g} s for them."
    ]
    if rest < -1:
        lines.append("Some of it was done in an earlier session, which this time leaves out.")
    table = pd.DataFrame({"seconds": pieces}).rename_axis("what")
    shown = {what: took for what, took in pieces.items() if took >= 0.005 * sum(pieces.values())}
    return Part(
        "Time",
        lines,
        figures=[charts.stack(shown, unit="seconds")],
        tables={"where the time went": table, "epochs in seconds": epochs},
    )


def _group(what: str) -> str:
    """Bars of all stages under one name.

    >>> _group("stage 2, learning-rate finder"), _group("predicting: test")
    ('learning-rate finder', 'predicting')
    """
    name = what.partition(", ")[2] if what.startswith("stage ") else what
    name = name.partition(": ")[0]
    return "features of the frozen body" if name.startswith("features of") else name
