"""Ids that are parts of a picture's path: found by a regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator


def check(pattern: str) -> str:
    """The pattern itself.

    Raises:
        ValueError: when it is no regular expression, or has no group.
    """
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"found {pattern!r}, expected a regular expression ({error})") from error
    if not groups:
        raise ValueError(
            f"found {pattern!r}, expected a group in brackets around what the id is, "
            r"as in '^train/(\w+)/images/'"
        )
    return pattern


Match = Annotated[str, AfterValidator(check)]
"""An option that finds ids in paths."""


def key(pattern: str, path: str) -> str | None:
    r"""The id in a path: the groups that matched, joined by underscores; None without a match.

    >>> key(r"(case\d+_day\d+)/scans/(slice_\d+)", "train/case1/case1_day2/scans/slice_0003_9.png")
    'case1_day2_slice_0003'
    """
    found = re.search(pattern, path)
    return None if found is None else "_".join(part for part in found.groups() if part)


def keys(pattern: str, paths: Iterable[str]) -> dict[str, list[str]]:
    """The paths of every id, in their order; those that do not match are left out."""
    found: dict[str, list[str]] = {}
    for path in paths:
        if one := key(pattern, path):
            found.setdefault(one, []).append(path)
    return found
