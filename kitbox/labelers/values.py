"""Label values: which ones are accepted, and a sentence about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from kitbox.errors import LabelError, counted, some

if TYPE_CHECKING:
    import pandas as pd

Label = str | int | float | tuple[str, ...]
"""A class, a number, or several classes."""


def checked(labels: Sequence[Any], names: Sequence[str]) -> list[Label]:
    """The labels as plain values of one kind.

    Strings are stripped, lists of strings become tuples, values of numpy become
    Python's own, and integers among fractions become fractions.

    Args:
        labels: N labels.
        names: the N pictures that they belong to, for messages.

    Raises:
        LabelError: for a label that is empty or of another kind, and for labels
            of several kinds.
    """
    plain = [_plain(label, name) for label, name in zip(labels, names, strict=True)]
    first: dict[type, int] = {}
    for number, label in enumerate(plain):
        first.setdefault(type(label), number)
    if first.keys() == {int, float}:
        return [float(label) for label in plain]  # type: ignore[arg-type]
    if len(first) > 1:
        kinds = [f"{plain[number]!r} for {names[number]}" for number in first.values()]
        raise LabelError(
            "The labels are of several kinds",
            found=some(kinds),
            do="Give every picture a text, a number, or a list of texts",
        )
    return plain


def as_values(cells: pd.Series) -> pd.Series:
    """The cells of a csv column (str, or missing) as what they say.

    Whole numbers when all are written plainly (`007` is a name, not 7), fractions
    when all are numbers and one has a decimal point, else texts. `NaN` and its like
    are missing.

    >>> import pandas as pd
    >>> [as_values(pd.Series(x)).tolist() for x in (["1", "20"], ["1", "0.5"], ["1", "007"])]
    [[1, 20], [1.0, 0.5], ['1', '007']]
    """
    cells = cells.mask(cells.isin(MISSING))
    known = cells.dropna().astype(str)
    if not len(known):
        return cells
    if known.str.fullmatch(r"0|-?[1-9]\d{0,17}").all():
        return cells.astype("float64" if cells.isna().any() else "int64")
    if known.str.fullmatch(r"[+-]?(\d+\.\d*|\.\d+|(0|[1-9]\d*))([eE][+-]?\d+)?").all():
        return cells.astype("float64")
    return cells


MISSING = ("NaN", "nan", "NAN", "<NA>", "#N/A", "NULL", "null")
"""Cells that say that there is no value. `NA` and `None` are names of classes somewhere."""


def told(labels: Iterable[Any]) -> str:
    """A sentence on how many labels there are, for a labeler's notes.

    >>> told(["cat", "dog", "cat"])
    '3 pictures of 2 classes, from 1 (dog) to 2 (cat) each.'
    >>> told([("sea", "sky"), ("sky",), ()])
    '3 pictures with 2 different labels, from 1 (sea) to 2 (sky) pictures each; 1 without any.'
    >>> told([0.5, 2.0])
    '2 pictures with values from 0.5 to 2.0, mean 1.25.'
    >>> told([3, 4, 3])
    '3 pictures with 2 different whole numbers, from 3 to 4, mean 3.33; from 1 (4) to 2 (3) each.'
    """
    values = list(labels)
    pictures = counted(len(values), "picture")
    several = any(isinstance(value, tuple) for value in values)
    flat = [one for value in values for one in value] if several else values
    if not flat:
        return f"{pictures} without any label."
    if any(isinstance(value, float) for value in flat):
        return f"{pictures} with values {ranged(flat)}."
    # Ties are told by name, so that the sentence is the same on every machine.
    counts = sorted(Counter(flat).items(), key=lambda item: (item[1], str(item[0])))
    (rarest, few), (commonest, many) = counts[0], counts[-1]
    spread = f"from {few} ({rarest}) to {many} ({commonest})" if few < many else str(few)
    if not several:
        if len(counts) > 1 and all(isinstance(value, int) for value in flat):
            kinds = counted(len(counts), "different whole number")
            return f"{pictures} with {kinds}, {ranged(flat)}; {spread} each."
        return f"{pictures} of {counted(len(counts), 'class', 'classes')}, {spread} each."
    empty = sum(not value for value in values)
    rest = f"; {empty} without any" if empty else ""
    return (
        f"{pictures} with {counted(len(counts), 'different label')}, {spread} "
        f"{'picture' if spread == '1' else 'pictures'} each{rest}."
    )


def ranged(numbers: Iterable[Any]) -> str:
    """The range of numbers and their mean; missing ones do not count.

    >>> ranged([1, 2.5, float("nan")])
    'from 1 to 2.5, mean 1.75'
    """
    known = [number for number in numbers if number == number]  # noqa: PLR0124 (not a number)
    if not known:
        return "that are all missing"
    return f"from {min(known)} to {max(known)}, mean {sum(known) / len(known):.3g}"


def _plain(label: Any, name: str) -> Label:
    if hasattr(label, "tolist"):  # numpy's scalars and arrays
        label = label.tolist()
    if isinstance(label, str) and label.strip():
        return label.strip()
    if isinstance(label, bool):
        return str(label)
    if isinstance(label, int | float) and label == label:  # noqa: PLR0124 (not a number)
        return label
    if isinstance(label, list | tuple | set | frozenset):
        texts = sorted(label, key=str) if isinstance(label, set | frozenset) else label
        if all(isinstance(text, str) and text.strip() for text in texts):
            return tuple(dict.fromkeys(text.strip() for text in texts))
    raise LabelError(
        f"The label of {name} is of no use",
        found=f"{label!r} ({type(label).__name__})",
        do="A label is a text that is not empty, a number, or a list of texts",
    )
