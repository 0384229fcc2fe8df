"""The recipe that repeats a session, and when there is none."""

from __future__ import annotations

from kitbox.errors import RecipeError, TrainingError
from kitbox.learning import history
from kitbox.learning.session import Session
from kitbox.recipe import Recipe, as_hw


def recipe(session: Session, name: str | None, *, exact: bool) -> Recipe:
    """The recipe of a session's fits; see `Learner.recipe`.

    Raises:
        TrainingError: when there are none.
        RecipeError: when no recipe repeats them exactly, and it should.
    """
    fits = session.fits
    if not fits:
        raise TrainingError("No fit was made yet", do="Train first: learn.fit_one_cycle(4)")
    foreign = session.changed()
    if session.run is not None and not foreign and all(one.origin for one in fits):
        return session.run.model_copy(update={"name": name} if name else {})
    wrong = history.untold(fits)
    if foreign:
        wrong.append(f"after fit {len(fits)} {foreign}")
    size = fits[-1].made().size
    assert size is not None, "every fit has its size"
    if not session.same_shapes(last := as_hw(size)):
        wrong.append(
            f"the network was built for {max(session.built)} pixels, a run builds it for its "
            f"last stage's {max(last)}"
        )
    if wrong and exact:
        raise RecipeError(
            "No recipe repeats exactly what was done",
            mistakes=wrong,
            do="recipe(exact=False) gives the nearest one",
        )
    for one in wrong:
        session.progress.warn(one)
    made = session.recipe_for(session.data)
    return history.compose(made, fits, name or made.name)
