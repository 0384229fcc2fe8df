"""A session saved under a name, and gone back to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kitbox.errors import StorageError, WeightsError
from kitbox.learning import shelf
from kitbox.learning.history import Fit
from kitbox.learning.seen import Seen
from kitbox.learning.session import Session
from kitbox.training import checkpoints

SEEN = "learner.seen"
"""The tensor of a saved file that has the numbers of the pictures that were trained on."""


def save(session: Session, name: str) -> Path:
    """Save where the training is under a name; the file.

    A fit that was cut short is saved so that it can be gone on with.

    Raises:
        StorageError: when it cannot be written, or the name is none for a file.
    """
    path, foreign = session.shelf.saved(name), session.changed()
    now = session.cut
    if now is None or foreign:
        with session.random.entered():
            now = session.trainer.state(session.next)
    told = {
        **session.stamp(session.fits),
        "before": [session.recorder.plain(number) for number in range(1, len(session.fits))],
        "foreign": foreign,
    }
    tensors = {**now.tensors, SEEN: session.seen.tensor()}
    facts = {**now.facts, shelf.OF_LEARNER: told}
    checkpoints.save(path, replace(now, tensors=tensors, facts=facts))
    shelf.settle(path)
    return path


def load(session: Session, name: str) -> None:
    """Go back to what was saved under a name.

    Raises:
        StorageError: when nothing is, or another version of kitbox did.
        WeightsError: when it does not fit.
    """
    kept = session.shelf.load(name)
    if (seen := kept.tensors.pop(SEEN, None)) is None:
        raise StorageError(
            f"'{name}' was saved by another version of kitbox", do="Use the version that saved it"
        )
    told, now = kept.facts[shelf.OF_LEARNER], session.stamp(())
    for what in ("backbone", "task"):
        then, here = told[what], now[what]
        differs = [key for key in {**then, **here} if then.get(key) != here.get(key)]
        if differs:
            raise WeightsError(
                f"'{name}' was saved with another {what}",
                found=", ".join(f"{key} {then.get(key)}" for key in differs),
                do="Make the Learner as it was then",
            )
    with session.random.entered():
        before = session.trainer.state(session.next)
        try:
            session.trainer.restore(kept)
        except RuntimeError as error:
            session.trainer.restore(before)
            raise WeightsError(
                f"The weights of '{name}' do not fit this network",
                found=str(error).splitlines()[-1].strip(),
                do="Make the Learner as it was then, with the same `largest` size",
            ) from error
    session.fits = [Fit(**one) for one in told["history"]]
    session.used |= {one.key for one in session.fits}
    session.cut = kept if kept.facts["cycle"] is not None else None
    session.recorder.back([*told["before"], told["steps"]][: len(session.fits)])
    # Weights that were changed by hand before they were saved stay so.
    session.known = "" if told["foreign"] else session.hashed()
    session.seen = Seen(seen)
    session.warn_of_seen()
