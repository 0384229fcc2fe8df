"""What can go wrong, as a tree.

    KitboxError
    ├── RecipeError         mistakes in a recipe, all of them at once
    ├── PluginError         a plugin is unknown, ambiguous, broken or breaks its contract
    ├── SourceError         data could not be fetched, verified or unpacked
    ├── LabelError          labels could not be read or do not fit the pictures
    ├── SplitError          a split that cannot be made
    ├── PictureError        a picture that cannot be decoded, or too many of them
    ├── WeightsError        pretrained weights that cannot be had, or do not fit
    ├── TrainingError       a training run that cannot start or go on
    ├── LostError           another process of a run has ended, this one cannot go on alone
    ├── SilentError         another process of a run gives no sign of life any more
    ├── SubmissionError     a submission that would not be accepted
    └── StorageError        a disk that is full, a folder that cannot be written, a run in the way

Every message says what was wrong, what was found and what to do. The command
line prints it as one paragraph and exits with code 2.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class KitboxError(Exception):
    """The root of kitbox's errors: one paragraph for a person.

    Args:
        wrong: what was wrong, a sentence.
        found: what was found instead of what was expected, if it helps.
        do: what to do about it.
    """

    def __init__(self, wrong: str, *, found: str = "", do: str = "") -> None:
        self.wrong, self.found, self.do = wrong, found, do
        super().__init__(wrong)

    def __str__(self) -> str:
        # Composed here, not in `args`: so a copy (pickle, another process) reads the same.
        found = f"Found: {self.found}" if self.found else ""
        parts = (_sentence(part) for part in (self.wrong, found, self.do))
        return " ".join(part for part in parts if part)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the paragraph, not the calls that led to it."""
        return [f"{type(self).__name__}: {self}"]


class RecipeError(KitboxError):
    """A recipe with mistakes. `mistakes` holds one line each."""

    def __init__(self, wrong: str, *, mistakes: Iterable[str] = (), do: str = "") -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(wrong, do=do)

    def __str__(self) -> str:
        listed = (f"  - {visible(mistake)}" for mistake in self.mistakes)
        return "\n".join([super().__str__(), *listed])


class PluginError(KitboxError):
    """A plugin is unknown, ambiguous, broken or breaks its contract."""


class SourceError(KitboxError):
    """Data could not be fetched, verified or unpacked."""


class LabelError(KitboxError):
    """Labels could not be read, or do not fit the pictures."""


class SplitError(KitboxError):
    """A split that cannot be made."""


class PictureError(KitboxError):
    """A picture that cannot be decoded, or too many of them."""


class WeightsError(KitboxError):
    """Pretrained weights that cannot be had, or do not fit the network."""


class TrainingError(KitboxError):
    """A training run that cannot start or go on."""


class LostError(KitboxError):
    """Another process of a run has ended; this one cannot go on alone."""


class SilentError(KitboxError):
    """Another process of a run gives no sign of life: stopped, hanging, or its machine is gone."""


class SubmissionError(KitboxError):
    """A submission that would not be accepted."""


class StorageError(KitboxError):
    """A disk that is full, a folder that cannot be written, a run in the way."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to `word`, or all of a few, or nothing.

    >>> nearest("folde", ["folder", "untar"])
    "Did you mean 'folder'?"
    """
    known = sorted(known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    if 0 < len(known) <= 20:
        return f"Known: {', '.join(known)}."
    return ""


def some(names: Iterable[object], most: int = 5) -> str:
    """The first few of many names, for a message.

    >>> some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    listed = [str(name) for name in names]
    if len(listed) <= most:
        return ", ".join(listed)
    return f"{', '.join(listed[:most])} and {len(listed) - most} more"


def counted(number: int, noun: str, several: str = "") -> str:
    """A number with its noun (and verb), as grammar has it.

    >>> counted(1, "id"), counted(1200, "id"), counted(2, "picture has", "pictures have")
    ('1 id', '1,200 ids', '2 pictures have')
    """
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


_STORAGE = {
    errno.ENOSPC: ("The disk is full", "Free some space, or choose another folder"),
    errno.EDQUOT: ("The disk quota is used up", "Free some space, or choose another folder"),
    errno.EROFS: ("The folder is read-only", "Choose a folder that can be written"),
    errno.EACCES: ("The folder may not be written", "Choose a folder that can be written"),
    errno.EPERM: ("The folder may not be written", "Choose a folder that can be written"),
}


@contextmanager
def storage(path: Path, doing: str) -> Iterator[None]:
    """Translate an operating-system error while `doing` something at `path`.

    Raises:
        StorageError: instead of the OSError, naming the path and what to do.
    """
    try:
        yield
    except OSError as error:
        wrong, do = _STORAGE.get(
            error.errno or 0, ("The operating system refused", "Check the path and try again")
        )
        reason = error.strerror or type(error).__name__
        raise StorageError(f"{wrong} while {doing} {path} ({reason})", do=do) from error


def visible(text: str) -> str:
    """A text whose control characters are spelt out, so that a terminal does not obey them.

    >>> visible("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(
        one if one == "\n" or one.isprintable() else one.encode("unicode_escape").decode()
        for one in text
    )


def _sentence(text: str) -> str:
    text = visible(text.strip())
    return text if not text or text[-1] in ".?!:" else text + "."
