"""View sft: a small, hard, clean set, one rollout per problem."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from curate.choices.selection import AtLeastOne
from curate.choices.worked import Worked
from curate.records import draws, rollout_length


@dataclass(frozen=True)
class Sft(Worked):
    """Per problem, the one fit rollout whose length is nearest the median of them: stage 2 of arXiv 2504.21233.

    The median is a choice of ours: the shortest correct rollout of a hard problem is often a lucky guess, the longest
    one lost its way first. Equal distances go to the rollout that was drawn first.

    Example:
        >>> problems = pl.DataFrame({"id": ["p"], "level": ["college"]})
        >>> rollouts = pl.DataFrame({"id": ["a", "b", "c"], "problem_id": "p", "finish_reason": "stop",
        ...     "verdict": "correct", "completion_tokens": [9, 90, 30], "reasoning_chars": 8, "response_chars": 8})
        >>> fates, picks = Sft().choose(problems, rollouts, seed=0)
        >>> fates["drop"].to_list(), picks["rollout_id"].to_list()
        (['over_cap', 'over_cap', None], ['c'])
    """

    REV = 2

    per_problem: AtLeastOne = 1
    """At most so many rollouts of one problem."""

    pick: Literal["median", "shortest", "longest", "random"] = "median"
    """Which rollouts stay: nearest the problem's median length, shortest, longest, or drawn with the seed."""

    def choose(self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fate of every rollout, and the picks (`problem_id`, `rollout_id`)."""
        return self.chosen(problems, rollouts, seed, self.per_problem, self._rank)

    def _rank(self, fit: pl.DataFrame, seed: int) -> pl.Expr | pl.Series:
        """What the fit rollouts of a problem are sorted by, smallest first."""
        if self.pick == "random":
            return draws(fit["id"], seed)
        length = rollout_length()
        if self.pick == "median":
            return (length - length.median().over("problem_id")).abs()
        return length if self.pick == "shortest" else -length
