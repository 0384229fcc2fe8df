"""Names of coordinates: which columns are the x and the y of one point."""

from __future__ import annotations

import re
from collections.abc import Sequence

Pair = tuple[str, str]
"""The columns of a point's x and y."""

_AXIS = re.compile(r"(?<![A-Za-z])[xX](?![A-Za-z])|(?<=[a-z])X(?![a-z])")
_EITHER = re.compile(r"(?<![A-Za-z])[xXyY](?![A-Za-z])|(?<=[a-z])[XY](?![a-z])")
_WORDS = re.compile(r"[^\W_]+([\W_]+[^\W_]+)*")
_OTHER = {"x": "y", "y": "x", "X": "Y", "Y": "X"}


def pair(columns: Sequence[str]) -> tuple[list[Pair], list[str]]:
    """The columns that are x and y of one point, in the order of the x, and those left.

    A column is an x where an x that stands alone in its name ('x0', 'nose_x',
    'nose.x', 'noseX') can be replaced by a y that gives another column's name.

    >>> pair(["x0", "y0", "nose_y", "nose_x", "box", "boy"])
    ([('x0', 'y0'), ('nose_x', 'nose_y')], ['box', 'boy'])
    """
    left = dict.fromkeys(columns)
    pairs = []
    for column in columns:
        for found in reversed(list(_AXIS.finditer(column))):
            y = "Y" if found[0] == "X" else "y"
            other = column[: found.start()] + y + column[found.end() :]
            if other in left and column in left:
                pairs.append((column, other))
                del left[column], left[other]
    return pairs, list(left)


def lonely(pairs: Sequence[Pair], left: Sequence[str]) -> list[Pair]:
    """Columns left that are named as those of the points are: each, and the column that it lacks.

    >>> lonely([("x0", "y0"), ("nose_x", "nose_y")], ["y1", "xx1", "eye_x", "x_size", "id"])
    [('y1', 'x1'), ('eye_x', 'eye_y')]
    """
    forms = {form for x, _ in pairs for form, _ in _partners(x)}
    found = []
    for column in left:
        others = [other for form, other in _partners(column) if form in forms]
        if others:
            found.append((column, others[-1]))
    return found


def _partners(column: str) -> list[Pair]:
    """For each axis in a name: how the name is built around it, and the other axis' column."""
    found = []
    for axis in _EITHER.finditer(column):
        before, after = column[: axis.start()], column[axis.end() :]
        form = f"{_WORDS.sub('w', before)}{'#' if axis[0].islower() else '##'}"
        found.append((form + _WORDS.sub("w", after), before + _OTHER[axis[0]] + after))
    return found


def point_name(columns: Pair) -> str:
    """What a point is called: what its columns' names have in common, or the name of its x.

    >>> point_name(("x36", "y36")), point_name(("left_eye_x", "left_eye_y")), point_name(("x", "y"))
    ('36', 'left_eye', 'x')
    """
    x, y = columns
    if len(x) != len(y):
        return x
    rest = "".join(a for a, b in zip(x, y, strict=True) if a == b)
    different = len(x) - len(rest)
    return rest.strip("_-. ") if different == 1 and rest.strip("_-. ") else x
