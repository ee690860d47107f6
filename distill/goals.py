"""Sampling goals: easy problems get few rollouts, hard ones many, decided in rounds ordered by index.

Which rollouts are drawn depends on the verdicts of complete earlier rounds and on nothing else: not on speed, order,
concurrency, interruptions or what else is in the store.
"""

# Manifests name what is here, and are checked before numpy has loaded.
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Goal:
    """How many rollouts of each kind a problem should have. Rounds of `sampling.n` go on until it has them."""

    correct: Annotated[int, Field(ge=0)] = 1
    """Correct rollouts wanted per problem."""
    wrong: Annotated[int, Field(ge=0)] = 0
    """Wrong rollouts wanted per problem. Cut-off and undecided ones count to neither side."""
    at_most: Annotated[int, Field(ge=1, le=1024)] = 32
    """Rollouts per problem after which it is given up."""


@dataclass(frozen=True)
class Round:
    """One round: the rollouts `start` to `stop` (not included) of these problems."""

    number: int
    """From 1."""
    problems: npt.NDArray[np.int64]
    """Their places, ascending."""
    start: int
    stop: int


Judged = Iterable[tuple[int, Sequence[str | None]]]
"""A problem's place and the verdicts of its rollouts of one round; None for a rollout that has no reply."""


def draw_to_goal(
    goal: Goal, n: int, problems: int, ask: Callable[[Round], None], judged: Callable[[Round], Judged]
) -> npt.NDArray[np.int64]:
    """How many rollouts of each problem were drawn, when every problem has what the goal asks for or is given up.

    A problem is given up after `at_most` rollouts; when a whole round says `unreadable_gold`, for no rollout of it can
    ever be correct; and, until the next run, when a rollout has no reply: what to draw next is decided by whole rounds.

    Args:
        n: rollouts per round.
        problems: how many there are.
        ask: called with each round; afterwards the replies are in the store.
        judged: the verdicts of a round that was asked, problem by problem.
    """
    import numpy as np

    drawn = np.zeros(problems, np.int64)
    lacks = {"correct": np.full(problems, goal.correct), "wrong": np.full(problems, goal.wrong)}
    going = np.ones(problems, bool)
    number = 0
    while going.any():
        number += 1
        places = np.flatnonzero(going)
        start, stop = (number - 1) * n, min(number * n, goal.at_most)
        current = Round(number, places, start, stop)
        ask(current)
        drawn[places] = stop
        for place, verdicts in judged(current):
            for status, left in lacks.items():
                left[place] -= verdicts.count(status)
            going[place] = None not in verdicts and set(verdicts) != {"unreadable_gold"}
        going &= (lacks["correct"] > 0) | (lacks["wrong"] > 0)
        going &= stop < goal.at_most
    return drawn
