"""A session's fits: begun, cut short, gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from kitbox.errors import counted
from kitbox.learning import shelf
from kitbox.learning.history import Fit
from kitbox.learning.session import Session
from kitbox.learning.shelf import FitKeeper, MemoryKeeper
from kitbox.recipe import Stage, as_hw
from kitbox.stopping import Interrupted, Stop, Stopped
from kitbox.training.checkpoints import Checkpoint


def fit(session: Session, stage: Stage) -> None:
    """Train a stage, or go on with the last fit where that is this one, cut short.

    Raises:
        Interrupted: when somebody asked to stop; it says what became of it.
        TrainingError: when the loss is not finite; weights are as before.
        StorageError: when the folder cannot be written, or another kernel trains there.
    """
    foreign, past, cut = session.changed(), list(session.fits), None
    if session.cut is not None and past and not foreign:
        again = session.described(stage, past[:-1], past[-1].foreign)
        if again.key == past[-1].key:
            past.pop()
            foreign, cut = again.foreign, session.cut
    fit = session.described(stage, past, foreign)
    with session.random.entered(), session.shelf.held():
        _train(session, past, fit, stage, cut)


def _train(
    session: Session, past: list[Fit], fit: Fit, stage: Stage, cut: Checkpoint | None
) -> None:
    number, trainer = len(past) + 1, session.trainer
    before = trainer.state(number)
    keeper = trainer.keeper = _keeper(session, past, fit, cut)
    if (kept := keeper.load()) is not None:
        session.recorder.give(number, kept.facts[shelf.OF_LEARNER]["steps"])
    else:
        trainer.fresh_rates()
    _tell(session, number, fit, kept)
    shown = 0
    try:
        with keeper.stop:
            stages = [*(one.made() for one in past), stage]
            for _ in trainer.stages(stages, _size, number):
                shown = _show(session, number, shown)
    except (Stopped, KeyboardInterrupt):
        _cut_short(session, past, fit, keeper, before)
    except BaseException:
        trainer.restore(before)
        raise
    finally:
        trainer.keeper = None
    _show(session, number, shown)
    _came(session, [*past, replace(fit, calmed=trainer.calmed)], None)
    if (path := session.shelf.fit(number, fit.key)) is not None:
        shelf.settle(path)


def _came(session: Session, fits: list[Fit], cut: Checkpoint | None) -> None:
    """The session has come to these fits, the last of them made just now, or cut short."""
    session.fits, session.cut = fits, cut
    session.used.add(fits[-1].key)
    session.seen.add(session.images("train"))
    session.known = session.hashed()


def _cut_short(
    session: Session, past: list[Fit], fit: Fit, keeper: FitKeeper, before: Checkpoint
) -> None:
    """Keep what a fit that was interrupted has come to.

    Raises:
        Interrupted: unless it was done.
    """
    trainer, number, kept = session.trainer, len(past) + 1, keeper.load()
    if kept is not None and kept.facts["stage"] > number:
        trainer.restore(kept)
        return
    if kept is None or (kept.facts["epoch"], kept.facts.get("step")) == (1, 0):
        trainer.restore(before)
        raise Interrupted(f"fit {number} had not begun; the weights are as before") from None
    trainer.restore(kept)
    where = f"epoch {kept.facts['epoch']}, step {kept.facts['step']}"
    _came(session, [*past, replace(fit, cut=where, calmed=trainer.calmed)], kept)
    raise Interrupted(
        f"fit {number} was cut short at {where}. The weights stay as they are now; the same "
        "call goes on with it, another one begins a new fit"
    ) from None


def _keeper(session: Session, past: list[Fit], fit: Fit, cut: Checkpoint | None) -> FitKeeper:
    """What keeps a fit, and knows where it goes on.

    Args:
        cut: where it was cut short; its file may be there too, and may have come further.
    """
    options: dict[str, Any] = {
        "every": session.recipe_for(session.data).checkpoint_every,
        "stop": Stop(session.progress.warn),
        "warn": session.progress.warn,
        "stamp": lambda: session.stamp([*past, fit]),
    }
    path = session.shelf.fit(len(past) + 1, fit.key)
    kind = MemoryKeeper if path is None else FitKeeper
    keeper = kind(path or Path(), **options)
    if cut is not None and ((there := keeper.load()) is None or _place(there) < _place(cut)):
        keeper.begin(cut)
    return keeper


def _place(kept: Checkpoint) -> tuple[int, int, int]:
    facts = kept.facts
    return facts["stage"], facts["epoch"], facts["step"]


def _show(session: Session, number: int, shown: int) -> int:
    """Show the epochs of a fit that were not shown yet, as a table; how many there are."""
    epochs = [one for one in session.trainer.log if one.stage == number]
    for place, epoch in enumerate(epochs[shown:], shown):
        if place == 0:
            session.progress.head(epoch.cells())
        session.progress.row(epoch.cells())
    return len(epochs)


def _tell(session: Session, number: int, fit: Fit, kept: Checkpoint | None) -> None:
    """Say what the folder has of this fit, or of others in its place."""
    shelved = session.shelf
    if kept is not None and kept.facts["stage"] > number:
        path = shelved.fit(number, fit.key)
        session.progress.say(f"fit {number} with these settings is done already: {path}")
    elif kept is None and (others := shelved.others(number, fit.key)):
        session.progress.say(
            f"fit {number} is trained anew: {shelved.folder} has "
            f"{counted(len(others), 'other')} in its place, with other settings or another "
            "past (learn.tidy() removes what this session does not use)"
        )


def _size(stage: Stage) -> tuple[int, int]:
    assert stage.size is not None, "every fit has its size"
    return as_hw(stage.size)
