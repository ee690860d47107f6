"""The crew of the build under way, for whoever is called deep in it: one at a time, and gone with the build."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from curate.workers.crew import Crew

_STANDING: ContextVar[Crew | None] = ContextVar("_STANDING", default=None)


def standing_crew() -> Crew | None:
    """The crew of the build under way, for a table stage that has work for it; None without one.

    Not handed to stages: what they make of their rows must not depend on who works.
    """
    return _STANDING.get()


@contextmanager
def standing(crew: Crew | None) -> Iterator[None]:
    """As long as it lasts, `standing_crew` is this one, if it is for stages."""
    token = _STANDING.set(crew if crew and crew.runs("stages") else None)
    try:
        yield
    finally:
        _STANDING.reset(token)
