"""A check of submission files written apart from kitbox: its own reading, its own decoding.

Nothing of kitbox is imported here. Predictions are read as the run's `predictions_test.csv`
has them; that they went where the competition wants them is what is checked.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    return header, rows


def check(path: Path, wanted: Any, predictions: Path) -> list[str]:
    """What is wrong with a submission, a sentence each.

    Args:
        wanted: header, keys, kind and facts, as `competitions.Wanted` has them.
        predictions: the run's own table of predictions.
    """
    raw = path.read_bytes()
    if raw[:3] == b"\xef\xbb\xbf" or b"\r" in raw or not raw.endswith(b"\n"):
        return ["not plain csv"]
    header, rows = read(path)
    if header != wanted.header:
        return [f"columns {header}, wanted {wanted.header}"]
    if bad := [row for row in rows if len(row) != len(header)]:
        return [f"rows of another length: {bad[:2]}"]
    known = {row[0]: row for row in read(predictions)[1]}
    names = read(predictions)[0]
    by_id = {one: dict(zip(names, row, strict=True)) for one, row in known.items()}
    if wanted.kind == "words":  # how sure the model is that is enough, as it says itself
        model = json.loads((predictions.parent / "model" / "model.json").read_text())
        wanted = replace(wanted, facts={**wanted.facts, "threshold": model["task"]["threshold"]})
    return KINDS[wanted.kind](rows, wanted, by_id)


def keyed(rows: list[list[str]], wanted: Any) -> list[str]:
    """Rows are exactly those that are asked for, in this order."""
    found = [row[0] for row in rows]
    return [] if found == wanted.keys else [f"keys {found[:5]}, wanted {wanted.keys[:5]}"]


def outputs(row: dict[str, str]) -> dict[str, float]:
    return {name: float(cell) for name, cell in row.items() if name not in ("id", "image")}


def probabilities(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    wrong = keyed(rows, wanted)
    for row in rows:
        numbers = [float(cell) for cell in row[1:]]
        wrong += [f"{row} is not within 0 and 1"] if not all(0 <= n <= 1 for n in numbers) else []
        if "sum" in wanted.facts and not math.isclose(sum(numbers), 1, abs_tol=1e-4):
            wrong.append(f"{row[0]} sums to {sum(numbers)}")
        given = outputs(by_id[row[0]])
        names = [wanted.facts["of"]] if "of" in wanted.facts else wanted.header[1:]
        if not np.allclose([given[name] for name in names], numbers, atol=1e-4):
            wrong.append(f"{row} where {given} was predicted")
    return wrong


def of_class(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    wrong = keyed(rows, wanted)
    for key, cell in rows:
        given = outputs(by_id[key])
        if cell not in wanted.facts["among"]:
            wrong.append(f"{cell!r} is no class")
        elif given[cell] < max(given.values()) - 1e-6:
            wrong.append(f"{key}: {cell} is not the likeliest of {given}")
    return wrong


def whole(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    wrong = keyed(rows, wanted)
    for key, cell in rows:
        (given,) = outputs(by_id[key]).values()
        if not cell.isdecimal() or int(cell) not in wanted.facts["among"]:
            wrong.append(f"{cell!r} is none of {wanted.facts['among']}")
        elif abs(int(cell) - given) > 0.501:
            wrong.append(f"{key}: {cell} for {given}")
    return wrong


def words(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    """Each cell holds exactly the labels that reach their threshold, or else the likeliest."""
    wrong, facts = keyed(rows, wanted), wanted.facts
    written, left = 0, 0
    for key, cell in rows:
        found = cell.split(" ") if cell else []
        given = outputs(by_id[key])
        if len({*found}) < len(found) or {*found} - {*facts["among"]}:
            wrong.append(f"{key}: {cell!r}")
            continue
        bounds = {name: threshold(facts["threshold"], name) for name in given}
        # The table of predictions has six digits: at the threshold itself both are right.
        sure = {name for name, value in given.items() if value > bounds[name] + 1e-6}
        may = {name for name, value in given.items() if value > bounds[name] - 1e-6}
        if not sure and len(may) < facts["least"]:
            sure = may = {max(given, key=lambda name: given[name])}
        if not sure <= {*found} <= may:
            wrong.append(f"{key}: {cell!r} where {sorted(sure)} reach {bounds} of {given}")
        written += len(found)
        left += len(given) - len(found)
    return wrong if written and left else [*wrong, "all or no labels everywhere: nothing was told"]


def threshold(of: float | dict[str, float], name: str) -> float:
    return of[name] if isinstance(of, dict) else of


def best(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    wrong, facts = keyed(rows, wanted), wanted.facts
    for key, cell in rows:
        found = cell.split(" ")
        given = outputs(by_id[key])
        most = min(facts["most"], len(given))
        if not len(found) == len({*found}) == most or {*found} - {*facts["among"]}:
            wrong.append(f"{key}: {cell!r}")
            continue
        values = [given[word] for word in found]
        rest = [value for name, value in given.items() if name not in found]
        if values != sorted(values, reverse=True) or max(rest, default=0) > values[-1] + 1e-6:
            wrong.append(f"{key}: {cell!r} is not in order of {given}")
    return wrong


def numbers(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    wrong, facts = keyed(rows, wanted), wanted.facts
    low, high = facts["range"]
    for row in rows:
        picture = row[0].rpartition("_")[0] if facts.get("same") else row[0]
        given = outputs(by_id[picture])
        for name, cell in zip(wanted.header[1:], row[1:], strict=True):
            number = float(cell)
            expected = facts.get("filled", {}).get(name, given.get(name))
            if not math.isfinite(number) or not low <= number <= high:
                wrong.append(f"{row} is not within {low} and {high}")
            elif not math.isclose(number, expected, rel_tol=1e-4):
                wrong.append(f"{row}: {number} for {expected}")
    return wrong


def looked_up(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    wrong = keyed(rows, wanted)
    low, high = wanted.facts["range"]
    for (key, cell), (image, feature) in zip(rows, wanted.facts["looked"], strict=True):
        expected = outputs(by_id[image])[feature]
        if not low <= float(cell) <= high or not math.isclose(
            float(cell), expected, rel_tol=1e-4, abs_tol=1e-3
        ):
            wrong.append(f"{key}: {cell} for {expected} ({feature} of {image})")
    return wrong


def decoded(cell: str, facts: dict[str, Any], height: int, width: int) -> np.ndarray:
    """A mask (height, width), pixel by pixel as the competition's page says it."""
    flat = [False] * (height * width)
    numbers = [int(word) for word in cell.split()]
    if len(numbers) % 2:
        raise ValueError("an odd count of numbers")
    at = 0
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        begin = at + start if facts.get("relative") else start - facts.get("base", 1)
        if length < 1 or begin < at or begin + length > len(flat):
            raise ValueError(f"the run {start} {length}")
        for place in range(begin, begin + length):
            flat[place] = True
        at = begin + length
    shown = np.array(flat)
    if facts.get("order") == "rows":
        return shown.reshape(height, width)
    return shown.reshape(width, height).T


def predicted(row: dict[str, str], name: str) -> np.ndarray:
    """A mask of `predictions_test.csv`: HEIGHTxWIDTH, then runs down the columns from 1."""
    size, _, runs = row[name].partition(" ")
    height, width = map(int, size.split("x"))
    return decoded(runs, {}, height, width)


def of_runs(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    wrong, facts = keyed(rows, wanted), wanted.facts
    if "second" in facts and [row[1] for row in rows] != facts["second"]:
        wrong.append("the classes are other ones")
    some = 0
    for row in rows:
        picture, name = row[0], None
        if "class_in_key" in facts:
            picture, _, name = row[0].rpartition("_")
        elif "second" in facts:
            name = row[1]
        given = by_id[picture]
        classes = [one for one in given if one not in ("id", "image")]
        expected = predicted(given, name or classes[-1])
        cell = row[-1]
        if cell == facts.get("empty", ""):
            shown = np.zeros_like(expected)
        else:
            try:
                shown = decoded(cell, facts, *expected.shape)
            except ValueError as error:
                wrong.append(f"{row[0]} does not decode: {error}")
                continue
        some += int(shown.any())
        if (shown != expected).any():
            wrong.append(f"{row[0]}: another mask than the one that was predicted")
    return wrong if some else [*wrong, "all masks are empty: nothing was checked"]


def instances(rows: list[list[str]], wanted: Any, by_id: dict) -> list[str]:
    wrong, keys = [], [row[0] for row in rows]
    if list(dict.fromkeys(keys)) != wanted.keys:
        wrong.append(f"pictures {keys[:5]}, wanted {wanted.keys}")
    some = 0
    for key in wanted.keys:
        cells = [cell for one, cell in rows if one == key]
        given = by_id[key]
        whole = predicted(given, [one for one in given if one not in ("id", "image")][-1])
        if not whole.any():
            wrong += [] if cells == [""] else [f"{key} has no object, and rows {cells}"]
            continue
        pieces = [decoded(cell, {}, *whole.shape) for cell in cells]
        some += 1
        total = np.sum(pieces, axis=0)
        if (total > 1).any() or ((total > 0) != whole).any():
            wrong.append(f"{key}: pieces overlap or are not the whole")
        if len(pieces) != len(flooded(whole)):
            wrong.append(f"{key}: {len(pieces)} rows for {len(flooded(whole))} pieces")
    return wrong if some else [*wrong, "all masks are empty: nothing was checked"]


def flooded(shown: np.ndarray) -> list[set[tuple[int, int]]]:
    """The pieces of a mask, touching at sides or corners, by flooding."""
    left = {(int(y), int(x)) for y, x in np.argwhere(shown)}
    pieces = []
    while left:
        edge, piece = [left.pop()], set()
        while edge:
            y, x = edge.pop()
            piece.add((y, x))
            for near in ((y + a, x + b) for a in (-1, 0, 1) for b in (-1, 0, 1)):
                if near in left:
                    left.remove(near)
                    edge.append(near)
        pieces.append(piece)
    return pieces


KINDS = {
    "probabilities": probabilities,
    "class": of_class,
    "whole": whole,
    "words": words,
    "best": best,
    "numbers": numbers,
    "looked up": looked_up,
    "runs": of_runs,
    "instances": instances,
}
