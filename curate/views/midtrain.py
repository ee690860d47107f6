"""View midtrain: all verified long chain-of-thought, several rollouts per problem."""

from dataclasses import dataclass

import polars as pl

from curate.choices.selection import AtLeastOne
from curate.choices.worked import Worked
from curate.records import draws


@dataclass(frozen=True)
class Midtrain(Worked):
    """Every complete rollout that was judged correct: distillation mid-training (arXiv 2504.21233, stage 1).

    Example:
        >>> problems = pl.DataFrame({"id": ["p"]})
        >>> rollouts = pl.DataFrame({"id": ["a", "b"], "problem_id": "p", "finish_reason": "stop",
        ...     "verdict": ["correct", "wrong"], "completion_tokens": 9, "reasoning_chars": 8, "response_chars": 8})
        >>> fates, picks = Midtrain().choose(problems, rollouts, seed=0)
        >>> fates["drop"].to_list(), picks["rollout_id"].to_list()
        ([None, 'wrong'], ['a'])
    """

    REV = 2

    per_problem: AtLeastOne | None = None
    """At most so many rollouts of one problem, drawn with the seed; None keeps all."""

    def choose(self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fate of every rollout, and the picks (`problem_id`, `rollout_id`)."""
        return self.chosen(problems, rollouts, seed, self.per_problem, self._rank)

    def _rank(self, fit: pl.DataFrame, seed: int) -> pl.Expr | pl.Series:
        """As drawn where some may have to go, else as they came."""
        return draws(fit["id"], seed) if self.per_problem or self.caps_rows() else pl.lit(0.0)
