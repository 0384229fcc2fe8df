"""The labeler's columns that a task learns from."""

from __future__ import annotations

from collections.abc import Sequence

from kitbox.errors import LabelError, nearest, some


def choose(wanted: Sequence[str] | None, given: Sequence[str]) -> tuple[str, ...]:
    """The columns that a task wants, of those that the labeler gives; all without a wish.

    Raises:
        LabelError: naming one that it does not give.
    """
    if wanted is None:
        return tuple(given)
    if strange := [name for name in wanted if name not in given]:
        raise LabelError(
            f"The labeler gives no column '{strange[0]}'",
            found=some(given, most=10),
            do=nearest(strange[0], given),
        )
    return tuple(wanted)
