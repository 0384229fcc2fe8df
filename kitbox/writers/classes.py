"""Which class of the predictions a name in the sample submission means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kitbox.classes import is_whole
from kitbox.errors import SubmissionError, nearest, some
from kitbox.writers.faults import alike

Choice = list[str] | dict[str, str] | None
"""The prediction columns to write: a list, or a mapping from the file's name of each; None: all."""


def chosen(choice: Choice, names: Sequence[str]) -> dict[str, str]:
    """What the `classes` option chooses: the file's name of a class, and its prediction column.

    Raises:
        SubmissionError: when it names predictions that do not exist.
    """
    if choice is None:
        return {name: name for name in names}
    given = choice if isinstance(choice, Mapping) else {name: name for name in choice}
    if strange := [name for name in given.values() if name not in names]:
        raise SubmissionError(
            f"The writer's `classes` name predictions that do not exist: {some(strange)}",
            do=nearest(strange[0], names) or f"There are {some(names, 10)}",
        )
    return dict(given)


def asked(wanted: Iterable[str], choice: Choice, names: Sequence[str]) -> dict[str, str]:
    """The prediction column of every class that the sample asks for.

    A name means the class of the same name, else the only one whose name differs in
    case, spaces, underscores and hyphens alone. Where all are whole numbers and no
    names of classes, they count the classes in the order of the predictions (or of
    `classes`): from 0, or from 1 where the last of them is asked for.

    Args:
        wanted: names of classes in the sample.
        choice: the writer's `classes`.
        names: the prediction columns.

    Raises:
        SubmissionError: when it cannot be told.
    """
    wanted = list(dict.fromkeys(wanted))
    known = chosen(choice, names)
    found = {name: known[name] for name in wanted if name in known}
    for name in wanted:
        close = [other for other in known if alike(other) == alike(name)]
        if name not in found and len(close) == 1 and known[close[0]] not in found.values():
            found[name] = known[close[0]]
    if len(found) == len(wanted):
        return {name: found[name] for name in wanted}
    if not found and not isinstance(choice, Mapping) and all(map(is_whole, wanted)):
        return _counted(wanted, list(known.values()))
    unknown = [name for name in wanted if name not in found]
    raise SubmissionError(
        f"The sample submission asks for classes that are not predicted: {some(unknown)}",
        found=f"predictions of {some(known, 10)}",
        do=f"{nearest(unknown[0], known)} Say which is which in the writer's `classes`, e.g. "
        f"`classes: {{{unknown[0]}: {next(iter(known.values()), 'NAME')}}}`".strip(),
    )


def _counted(wanted: list[str], names: list[str]) -> dict[str, str]:
    numbers = sorted(map(int, wanted))
    if numbers[0] == 0 and numbers[-1] < len(names):
        return {str(number): names[number] for number in numbers}
    if numbers[0] >= 1 and numbers[-1] == len(names):
        return {str(number): names[number - 1] for number in numbers}
    raise SubmissionError(
        "It cannot be told which classes the sample submission's numbers mean",
        found=f"the numbers {some(numbers, 10)}, and predictions of {some(names, 10)}",
        do="Give the writer `classes`, e.g. "
        f"`classes: {{{numbers[0]}: {names[min(1, len(names) - 1)]}}}`",
    )
