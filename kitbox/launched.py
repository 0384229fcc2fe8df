"""A process of several that share a run: how it ends with the others, and where it works."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from kitbox import errors
from kitbox.errors import KitboxError, RecipeError

if TYPE_CHECKING:
    from kitbox.progress import Progress
    from kitbox.results.folder import RunFolder
    from kitbox.training.crew import Crew

PLACE = "KITBOX_LAUNCHED"
"""The folder of the run that started this process with others (see `kitbox.launch`)."""


class Place(NamedTuple):
    """Where a process works.

    Attributes:
        crew: the process, among the others.
        folder: what it takes for the run's folder.
        progress: where it says what happens.
    """

    crew: Crew
    folder: RunFolder
    progress: Progress


@contextmanager
def joined(folder: RunFolder, progress: Progress) -> Iterator[Place]:
    """This process's place: processes other than the main one work quietly, in a scratch folder."""
    from kitbox.progress import Progress
    from kitbox.results.folder import RunFolder
    from kitbox.training.crew import Crew

    crew = Crew.join()
    with ExitStack() as stack:
        stack.enter_context(crew.listening(_give_up))
        if not crew.main:
            scratch = TemporaryDirectory(
                prefix="kitbox-", dir=os.environ.get(PLACE), ignore_cleanup_errors=True
            )
            folder = RunFolder(Path(stack.enter_context(scratch)) / "run")
            progress = Progress(quiet=True)
        elif crew.count > 1:
            progress.say(crew.words())
        yield Place(crew, folder, progress)


def _give_up(error: KitboxError) -> None:
    """End with an error, whatever this process is busy with."""
    if not report(error):
        sys.stderr.write(f"kitbox: {error}\n")
        sys.stderr.flush()
    os._exit(2)


def by_run() -> bool:
    """Whether a run started this process, with others."""
    return PLACE in os.environ


def heed() -> None:
    """End with the run that started this process, and take Ctrl-C from it.

    Its end of the standard input closes when it ends, however that is; each byte is a Ctrl-C,
    which the first process reads and shares with the others.
    """
    if by_run():
        target = _obey if os.environ.get("LOCAL_RANK") == "0" else _watch
        threading.Thread(target=target, name="kitbox-heed", daemon=True).start()


def _obey() -> None:
    with suppress(OSError):
        while os.read(0, 1):
            os.kill(os.getpid(), signal.SIGINT)
    os._exit(1)


def _watch() -> None:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(0, 0)  # only that it was closed
        poll.poll()
        os._exit(1)


def report(error: KitboxError) -> bool:
    """Tell the run that started this process why it ends; False where there is none."""
    if not (place := os.environ.get(PLACE)):
        return False
    told = {
        "kind": type(error).__name__,
        "wrong": error.wrong,
        "found": error.found,
        "do": error.do,
        "mistakes": getattr(error, "mistakes", ()),
    }
    with suppress(OSError):  # it has ended
        (Path(place) / f"{os.environ.get('RANK', '0')}.json").write_text(json.dumps(told))
    return True


def reported(place: Path) -> dict[int, KitboxError]:
    """The errors that processes told, by their numbers."""
    found: dict[int, KitboxError] = {}
    for path in sorted(place.glob("*.json")):
        with suppress(ValueError, KeyError):  # killed while it wrote
            told = json.loads(path.read_text())
            kind = getattr(errors, told["kind"], KitboxError)
            if kind is RecipeError:
                mistakes = told["mistakes"]
                error: KitboxError = RecipeError(told["wrong"], mistakes=mistakes, do=told["do"])
            else:
                error = kind(told["wrong"], found=told["found"], do=told["do"])
            found[int(path.stem)] = error
    return found
