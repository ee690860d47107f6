"""View midtrain: all verified long chain-of-thought, several rollouts per problem."""

from dataclasses import dataclass
from typing import Annotated

import polars as pl
from pydantic import Field

from curate.records import draws, with_facts
from curate.worked import FATE_COLUMNS, FAULTS, WORKED, Keep, fault, worked_rows


@dataclass(frozen=True)
class Midtrain:
    """Every complete rollout that was judged correct: distillation mid-training (arXiv 2504.21233, stage 1).

    Example:
        >>> problems = pl.DataFrame({"id": ["p"]})
        >>> rollouts = pl.DataFrame({"id": ["a", "b"], "problem_id": "p", "finish_reason": "stop",
        ...     "verdict": ["correct", "wrong"], "completion_tokens": 9, "reasoning_chars": 8, "response_chars": 8})
        >>> fates, picks = Midtrain().choose(problems, rollouts, seed=0)
        >>> fates["drop"].to_list(), picks["rollout_id"].to_list()
        ([None, 'wrong'], ['a'])
    """

    unit = "rollouts"
    problem_columns = ("id",)
    rollout_columns = FATE_COLUMNS
    drops = (*FAULTS, "over_cap")
    schema = WORKED
    REV = 1

    keep: Keep = "correct"
    """`correct`: judged correct. `all`: whatever the verdict, for bulk data that nothing can judge."""

    per_problem: Annotated[int, Field(ge=1)] | None = None
    """At most so many rollouts of one problem, drawn with the seed; None keeps all."""

    reasoning: bool = True
    """Leave out rollouts without any thinking."""

    def choose(self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fate of every rollout, and the picks (`problem_id`, `rollout_id`)."""
        fates = with_facts(rollouts).select("id", "problem_id", drop=fault(self.keep, self.reasoning))
        if self.per_problem is not None:
            fates = _capped(fates, self.per_problem, seed)
        picks = problems.select(problem_id="id").join(
            fates.filter(pl.col("drop").is_null()).select("problem_id", rollout_id="id"),
            on="problem_id",
            maintain_order="left_right",
        )
        return fates.select("id", "drop"), picks

    def render(self, picks: pl.DataFrame, problems: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
        """Conversations: the prompt, then `<think>` and the response."""
        return worked_rows(picks, problems, rollouts)


def _capped(fates: pl.DataFrame, per_problem: int, seed: int) -> pl.DataFrame:
    """The fates, with `over_cap` for all but so many fit rollouts of a problem."""
    fit = fates.filter(pl.col("drop").is_null())
    place = pl.col("draw").rank("ordinal").over("problem_id")
    over = fit.with_columns(draws(fit["id"], seed)).filter(place > per_problem)
    is_over = pl.col("id").is_in(over["id"].implode())
    return fates.with_columns(drop=pl.when(is_over).then(pl.lit("over_cap")).otherwise("drop"))
