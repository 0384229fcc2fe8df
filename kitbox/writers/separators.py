"""Separators: what stands between labels in the cells of a sample submission."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kitbox import cells

SIGNS = (" ", ",", ";", "|", "\t")


def find(sample: Iterable[str], names: Collection[str], *, sure: bool = False) -> str | None:
    """What stands between labels in a sample's cells; None where they do not show it.

    It is the sign that parts them into words of which half or more are `names`, or all
    whole numbers. Where none does, because nobody learned these labels, it is the only
    sign that is there, unless it has to be `sure`.

    >>> find(["cat|dog", "cat"], {"cat", "dog"}), find(["0, 1"], {"cat"}), find(["cat"], {"cat"})
    ('|', ', ', None)
    """
    filled = cells.filled(sample)
    known = set(names)
    there = {sign: [cell for cell in filled if sign in cell] for sign in SIGNS}
    there = {sign: found for sign, found in there.items() if found and not known >= set(found)}
    shares = {sign: _share(found, sign, known) for sign, found in there.items()}
    best = max(shares, key=lambda sign: shares[sign], default=None)
    if best is None or (shares[best] < 0.5 and (sure or len(shares) > 1)):
        return None
    # As the sample has it, a space behind the comma too.
    spaced = all(cell.count(best) == cell.count(f"{best} ") for cell in there[best])
    return f"{best} " if spaced and best != " " else best


def words(sample: Iterable[str], separator: str) -> set[str]:
    """The different words of a sample's cells, without the spaces around them."""
    return {word.strip() for cell in sample for word in cell.split(separator)} - {""}


def _share(sample: Iterable[str], sign: str, names: set[str]) -> float:
    """The share of words that are known, when the sign parts the cells."""
    parted = words(sample, sign)
    if cells.judge(parted) == "whole":
        return 1.0
    return len(parted & names) / max(len(parted), 1)
