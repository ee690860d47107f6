"""View sft: a small, hard, clean set, one rollout per problem."""

from dataclasses import dataclass
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from curate.records import Level, draws, effective_level, rollout_length, with_facts
from curate.worked import FATE_COLUMNS, FAULTS, WORKED, Keep, check_band, fault, in_band, worked_rows


@dataclass(frozen=True)
class Sft:
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

    unit = "rollouts"
    problem_columns = ("id", "level", "pass_rate", "pass_rate_level")
    rollout_columns = FATE_COLUMNS
    drops = (*FAULTS, "level", "pass_rate", "over_cap")
    schema = WORKED
    REV = 1

    keep: Keep = "correct"
    """`correct`: judged correct. `all`: whatever the verdict."""

    level: tuple[Level, ...] | None = None
    """Levels to keep; None keeps all. A problem without a level is left out where levels are named."""

    pass_rate: tuple[float, float] | None = None
    """Lowest and highest pass rate to keep, ends included; None keeps all, also problems without a pass rate."""

    per_problem: Annotated[int, Field(ge=1)] = 1
    """At most so many rollouts of one problem."""

    pick: Literal["median", "shortest", "longest", "random"] = "median"
    """Which rollouts stay: nearest the problem's median length, shortest, longest, or drawn with the seed."""

    reasoning: bool = True
    """Leave out rollouts without any thinking."""

    def __post_init__(self) -> None:
        check_band("pass_rate", self.pass_rate)

    def choose(self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fate of every rollout, and the picks (`problem_id`, `rollout_id`)."""
        facts = with_facts(problems).select(
            "pass_rate", effective_level(), problem_id="id", order=pl.int_range(pl.len())
        )
        fates = (
            with_facts(rollouts)
            .select(*FATE_COLUMNS, seen=pl.int_range(pl.len()))
            .join(facts, on="problem_id", how="left", maintain_order="left")
            .with_columns(drop=pl.coalesce(fault(self.keep, self.reasoning), self._unwanted()))
        )
        fit = fates.filter(pl.col("drop").is_null())
        best = fit.with_columns(rank=self._rank(fit, seed)).sort("order", "rank", "seen").select("id", "problem_id")
        picks = best.filter(pl.int_range(pl.len()).over("problem_id") < self.per_problem)
        over = pl.col("drop").is_null() & ~pl.col("id").is_in(picks["id"].implode())
        fates = fates.select("id", drop=pl.when(over).then(pl.lit("over_cap")).otherwise("drop"))
        return fates, picks.select("problem_id", rollout_id="id")

    def render(self, picks: pl.DataFrame, problems: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
        """Conversations: the prompt, then `<think>` and the response."""
        return worked_rows(picks, problems, rollouts)

    def _unwanted(self) -> pl.Expr:
        level = pl.lit(False) if self.level is None else ~pl.col("level").is_in(self.level).fill_null(False)
        rate = pl.lit(False) if self.pass_rate is None else ~in_band(pl.col("pass_rate"), self.pass_rate)
        return pl.when(level).then(pl.lit("level")).when(rate).then(pl.lit("pass_rate"))

    def _rank(self, fit: pl.DataFrame, seed: int) -> pl.Expr | pl.Series:
        """What the fit rollouts of a problem are sorted by, smallest first."""
        if self.pick == "random":
            return draws(fit["id"], seed)
        length = rollout_length()
        if self.pick == "median":
            return (length - length.median().over("problem_id")).abs()
        return length if self.pick == "shortest" else -length
