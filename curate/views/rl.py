"""View rl: the problems from which reinforcement learning can learn something."""

from dataclasses import dataclass, replace
from typing import Annotated

import polars as pl
import pyarrow as pa
from pydantic import Field

from curate.choices.selection import CUTS, Selection, cut, in_band, problem_facts, unwanted
from curate.choices.worked import PROBLEM_COLUMNS
from curate.records import ABOUT_PROBLEM, MESSAGES, effective_level, rollout_length, with_facts


@dataclass(frozen=True)
class Rl(Selection):
    """Problems with a gold answer that the teacher solves now and then, in rollouts of like length.

    A group whose rewards are all equal gives no gradient, so by default those with a pass rate of 0 or 1 stay out
    (DAPO, arXiv 2503.14476); lengths that differ much within a group make training unstable (arXiv 2504.21233,
    stage 4), but asking for like lengths also favours short and easy problems, so that is off unless asked for.

    Example:
        >>> from curate.records import ROLLOUT, empty
        >>> problems = pl.DataFrame({"id": ["p", "q", "r"], "answer": ["1", "2", None], "pass_rate": [0.5, 1.0, 0.5]})
        >>> fates, picks = Rl().choose(problems, empty(ROLLOUT), seed=0)
        >>> fates["drop"].to_list(), picks["problem_id"].to_list()
        ([None, 'pass_rate', 'no_gold'], ['p'])
    """

    unit = "problems"
    problem_columns = (*PROBLEM_COLUMNS, "answer")
    rollout_columns = ("id", "problem_id", "finish_reason", "completion_tokens", "reasoning_chars", "response_chars")
    drops = ("no_gold", "no_pass_rate", "pass_rate", "length_spread", "disjoint_from", "level", *CUTS[:-1])
    schema = pa.schema(
        [
            pa.field("prompt", MESSAGES),
            pa.field("solution", pa.string()),  # TRL's name for the gold answer
            pa.field("id", pa.string()),  # of the problem
            pa.field("problem", pa.string()),
            pa.field("answer_type", pa.string()),
            *ABOUT_PROBLEM,
            pa.field("length_spread", pa.float64()),
        ]
    )
    REV = 2

    pass_rate: tuple[float, float] | None = None
    """Lowest and highest pass rate to keep, ends included ([0.05, 0.5] drops what is solved more often than not).
    None keeps everything strictly between 0 and 1."""

    unsampled: bool = False
    """Keep problems without a pass rate, too: no rollout of theirs was judged."""

    length_spread: Annotated[float, Field(ge=0)] | None = None
    """Highest coefficient of variation (standard deviation over mean) of the problem's rollout lengths; a problem with
    fewer than two rollouts has none and stays out. None asks for nothing."""

    def choose(self, problems: pl.DataFrame, rollouts: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fate of every problem, and the picks (`problem_id`, `length_spread`)."""
        seed = seed if self.seed is None else self.seed
        facts = problem_facts(problems, self).rename({"problem_id": "id"})
        gold = problems.select("id", "answer")
        fates = (
            facts.join(gold, on="id", how="left", maintain_order="left")
            .join(_length_spread(rollouts), on="id", how="left", maintain_order="left")
            .with_columns(problem_id="id", row=pl.int_range(pl.len()))
            .with_columns(drop=pl.coalesce(self._reason(), unwanted(replace(self, pass_rate=None))))
        )
        best = fates.filter(pl.col("drop").is_null())
        best = best.with_columns(cut=cut(best, self, seed))
        told = fates.select("id", "drop", "row").join(
            best.select("row", "cut"), on="row", how="left", maintain_order="left"
        )
        picks = best.filter(pl.col("cut").is_null()).select("length_spread", "problem_id")
        return told.select("id", drop=pl.coalesce("drop", "cut")), picks

    def render(self, picks: pl.DataFrame, problems: pl.DataFrame, rollouts: pl.DataFrame) -> pl.DataFrame:
        """Prompts with the gold answer as `solution`."""
        rows = picks.join(problems, left_on="problem_id", right_on="id", how="left", maintain_order="left")
        rows = with_facts(rows).with_columns(effective_level(), id=pl.col("problem_id"), solution=pl.col("answer"))
        return rows.select(self.schema.names)

    def _reason(self) -> pl.Expr:
        rate = pl.col("pass_rate")
        useful = (rate > 0) & (rate < 1) if self.pass_rate is None else in_band(rate, self.pass_rate)
        even = pl.lit(True) if self.length_spread is None else pl.col("length_spread") <= self.length_spread
        return (
            pl.when(pl.col("answer").fill_null("").str.strip_chars() == "")
            .then(pl.lit("no_gold"))
            .when(rate.is_null() & pl.lit(not self.unsampled))
            .then(pl.lit("no_pass_rate"))
            .when(rate.is_not_null() & ~useful)
            .then(pl.lit("pass_rate"))
            .when(~even.fill_null(False))
            .then(pl.lit("length_spread"))
        )


def _length_spread(rollouts: pl.DataFrame) -> pl.DataFrame:
    """Coefficient of variation per problem. Cut-off rollouts count at the length where they were cut."""
    lengths = rollouts.filter(pl.col("finish_reason").ne_missing("error")).select("problem_id", length=rollout_length())
    many = lengths.filter(pl.len().over("problem_id") > 1)
    return many.group_by(id="problem_id").agg(length_spread=pl.col("length").std(ddof=0) / pl.col("length").mean())
